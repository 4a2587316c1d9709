import Foundation
import JSON
import JobQueue
import Synchronization
import Systemd
import TestSupport
import Testing

@testable import sheetsync

/// What the daemon tells systemd, heard by a socket that plays systemd's.
///
/// One after another, because the socket blocks a thread of the few that all tests share while it waits.
@Suite(.serialized) struct NotifyTests {
    private func receiver() -> DatagramReceiver { DatagramReceiver("@sheetsync-\(UUID().uuidString)") }

    /// Takes messages until one holds a text; returns them all.
    @discardableResult
    private func hear(
        _ text: String, at receiver: DatagramReceiver, within limit: Duration = .seconds(20)
    ) async throws -> [String] {
        var heard: [String] = []
        try await wait(for: "“\(text)” at the socket", within: limit, seeing: { heard.joined(separator: " | ") }) {
            heard += receiver.all()
            return heard.contains { $0.contains(text) }
        }
        return heard
    }

    @Test func itIsReadyWhenItHasSignedInAndFeedsTheWatchdogUntilItIsStopped() async throws {
        try await Stage.with { stage in
            let systemd = receiver()
            let daemon = stage.daemon.with([
                "NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "600000", "SHEETSYNC_SHUTDOWN_GRACE": "20",
                // In a sign of life's fifth: the number of running jobs is told by it.
                "SHEETSYNC_LEASE_SECONDS": "5",
            ])
            try await daemon.withDaemon { running in
                let first = try await hear("READY=1", at: systemd)
                #expect(first.filter { $0.contains("READY=1") }.count == 1, "\(first)")
                #expect(running.errors.contains("worker is ready"), "not before: \(running.errors)")
                try await hear("STATUS=waits for jobs\nWATCHDOG=1", at: systemd)

                let job = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await stage.queue.expect(job, "running")
                try await hear("STATUS=1 job runs", at: systemd)

                running.send(SIGTERM)
                let stopping = try await hear("WATCHDOG=1\nEXTEND_TIMEOUT_USEC=", at: systemd)
                #expect(
                    stopping.contains { $0.hasPrefix("STOPPING=1\nEXTEND_TIMEOUT_USEC=") }, "\(stopping)")
                #expect(try await stage.queue.jobs.cancel(job))
            }
        }
    }

    @Test func itIsNotReadyBeforeTheDatabaseLetsItIn() async throws {
        try await Stage.with { stage in
            let systemd = receiver()
            // Signing in waits for the table, until this session is ended.
            let lock = Task {
                try? await stage.queue.psql(
                    "begin; lock table sheetsync.worker in access exclusive mode; select pg_sleep(120)")
            }
            let sleeper =
                "from pg_stat_activity where query like '%pg_sleep(12' || '0)%' and datname = current_database()"
            try await wait(for: "the lock") { try await stage.queue.psql("select count(*) \(sleeper)") == "1" }
            try await stage.daemon.with(["NOTIFY_SOCKET": systemd.path]).launch(["run"]) { running in
                try await wait(for: "the daemon to sign in") {
                    try await stage.queue.psql(
                        """
                        select count(*) from pg_stat_activity
                        where usename = '\(stage.name(.worker))' and wait_event_type = 'Lock'
                        """) == "1"
                }
                let early = systemd.all()
                #expect(early.first == "STATUS=signs in to the queue", "\(early)")
                #expect(!early.contains { $0.contains("READY=1") }, "\(early)")
                _ = try await stage.queue.psql("select pg_terminate_backend(pid) \(sleeper)")
                try await hear("READY=1", at: systemd)
                running.send(SIGTERM)
            }.expect(0)
            _ = await lock.value
        }
    }

    /// One loop of many that does not come round is enough.
    @Test func oneHungLoopIsNotFedFor() async throws {
        let systemd = receiver()
        let manager = ServiceManager(
            environment: ["NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "60000"], processID: 1)
        let hang = Gate()
        let supervision = Supervision(
            manager: manager, worker: WorkerWatch(),
            parts: [.init(name: "the first") {}, .init(name: "the second") { await hang.pass() }])
        let running = Task { try await supervision.run() }
        for _ in 0..<3 { try await hear("WATCHDOG=1", at: systemd) }
        hang.close()
        // A round may have been under way.
        try await Task.sleep(for: .milliseconds(200))
        _ = systemd.all()
        #expect(systemd.text(within: .seconds(1)) == nil)
        hang.open()
        try await hear("WATCHDOG=1", at: systemd)
        running.cancel()
        try await running.value
    }

    /// Signs of life go on and jobs end; only the loop that claims does not come round.
    @Test func aClaimLoopThatHangsAloneIsNotFedFor() async throws {
        let systemd = receiver()
        let manager = ServiceManager(
            environment: ["NOTIFY_SOCKET": systemd.path, "WATCHDOG_USEC": "60000"], processID: 1)
        let watch = WorkerWatch()
        let supervision = Supervision(
            manager: manager, worker: watch,
            parts: WorkerLoop.allCases.map { .init($0, of: watch, lateAfter: .seconds(4)) })
        let running = Task { try await supervision.run() }
        let gate = Gate()
        let queue = try await TestQueue.make()
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in nil }], admission: GatedAdmission(gate: gate),
            change: { $0.leaseTime = .seconds(10) }, observer: { watch.note($0) }
        ) { queue in
            defer { gate.open() }
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            _ = systemd.all()
            for _ in 0..<3 { try await hear("WATCHDOG=1", at: systemd) }
            gate.close()
            let left = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await wait(for: "the claims to be late") {
                // A full socket would hold the sender.
                _ = systemd.all()
                return watch.current.isLate(.claims, by: .seconds(4))
            }
            let late = ContinuousClock.now
            try await Task.sleep(for: .milliseconds(200))
            _ = systemd.all()
            #expect(systemd.text(within: .seconds(1)) == nil)
            try await wait(for: "a sign of life meanwhile") { watch.current.beatAt.map { $0 > late } == true }
            #expect(try await queue.jobs.find(left)?.state == "available")
            gate.open()
            try await hear("WATCHDOG=1", at: systemd)
            try await queue.expect(left, "completed")
        }
        running.cancel()
        try await running.value
    }

    @Test func aReloadReadsTheKeyAgainAndSaysWhenItIsDone() async throws {
        try await Stage.with { stage in
            let systemd = receiver()
            let key = try String(contentsOfFile: stage.key, encoding: .utf8)
            let path = try stage.directory.write(key, to: "copy.json")
            let daemon = stage.daemon.with(["NOTIFY_SOCKET": systemd.path, "GOOGLE_SHEETS_CREDENTIALS_PATH": path])
            try await daemon.withDaemon { running in
                try await hear("READY=1", at: systemd)
                running.send(SIGHUP)
                try await running.expectToSay("read the credentials again")
                let heard = try await hear("READY=1", at: systemd)
                #expect(heard.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") }, "\(heard)")

                _ = try stage.directory.write("{", to: "copy.json")
                running.send(SIGHUP)
                try await running.expectToSay("the credentials cannot be read again")
                let user = try String(contentsOfFile: "\(stage.directory.path)/authorized-user.json", encoding: .utf8)
                _ = try stage.directory.write(user, to: "copy.json")
                running.send(SIGHUP)
                try await running.expectToSay("restart to work as that account")
                _ = try stage.directory.write(key, to: "copy.json")
                let job = try await stage.ended(try await stage.enqueue("export", export("After reloads")))
                #expect(job.state == "completed", "\(job.json)")
                Keys.expectNone(of: try Keys.key(inFile: stage.key), in: running.errors)
            }
        }
    }
}

/// Lets jobs begin as long as a door is open, and hangs while it is closed.
private struct GatedAdmission: AdmissionControl {
    let gate: Gate

    func capacity(for slots: Int) async -> Capacity {
        await gate.pass()
        return Capacity()
    }
}

/// A door that tasks pass, or wait at.
private final class Gate: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((true, []))

    func close() { state.withLock { $0.isOpen = false } }

    func open() {
        let waiting = state.withLock { state in
            defer { state = (true, []) }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}
