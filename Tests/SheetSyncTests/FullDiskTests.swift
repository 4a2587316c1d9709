import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// The disk of the database's server is full for some time, on a small file system of the test's own.
@Suite struct FullDiskTests {
    /// Statements fail; or the server goes down, because it cannot even write its log.
    @Test(.enabled("needs a file system to mount") { try await MountedDisk.canBeMade() }, arguments: [false, true])
    func aFullDiskIsSurvived(_ endsTheServer: Bool) async throws {
        // A short path, because the server's socket lies below it.
        let disk = "/tmp/sheetsync-disk-\(getpid())-\(endsTheServer)"
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: disk) }
        try #require(await MountedDisk.mount(on: disk, "size=150m,mode=0777"))
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(
                try await Stage.with { stage in
                    try await PostgresServer.run(in: disk) { server in
                        try await fill(disk, of: server, stage, endsTheServer: endsTheServer)
                    }
                })
        } catch { outcome = .failure(error) }
        await MountedDisk.unmount(disk)
        try outcome.get()
    }

    private func fill(_ disk: String, of server: PostgresServer, _ stage: Stage, endsTheServer: Bool) async throws {
        let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
        let jobs = QueueClient(Schema.sheetsync, on: connection)
        _ = try await Schema.sheetsync.migrate(on: connection)
        let program = stage.daemon.with([
            "SHEETSYNC_LIST_DELAY": "0.2", "DATABASE_URL": server.url(), "SHEETSYNC_LEASE_SECONDS": "10",
        ])
        try await program.launch(["run"], within: .seconds(300)) { daemon in
            try await daemon.expectToSay("worker is ready")
            // One runs and others come due while the disk is full.
            let sleeper = try await jobs.enqueue(kind: "noop", payload: ["sleep_ms": 6000])
            try await wait(for: "the job to run") { try await jobs.find(sleeper)?.state == "running" }
            for number in 1...20 {
                let payload = export("Due \(number)").description
                try await connection.query(
                    "select sheetsync.enqueue('export', \(payload)::jsonb, run_at => now() + interval '2 s')")
            }
            await MountedDisk.fill(disk)
            if endsTheServer {
                for _ in 1...3 { _ = try? await connection.query("select pg_switch_wal(), pg_notify('x', '')") }
            }
            let (taken, refusal) = try await enqueueUntilRefused(jobs)
            try await Task.sleep(for: .seconds(6))
            #expect(daemon.isAlive)
            let isDown = (try? await connection.query("select 1")) == nil
            if !isDown { try await expectTheCause(from: program, job: sleeper) }
            try FileManager.default.removeItem(atPath: "\(disk)/ballast")
            if isDown { try await server.restart(immediate: true) }
            try await wait(for: "all jobs to end", seeing: { daemon.errors }) {
                (try? await connection.query("select from sheetsync.jobs where finalized_at is null"))?.isEmpty
                    == true
            }
            let names = stage.spreadsheets.sorted()
            let expected = (taken + (1...20).map { "Due \($0)" }).sorted()
            let doubled = names.count - Set(names).count
            let lost = Set(expected).subtracting(names).count
            print(
                "a full disk refused: \(refusal); the server went down: \(isDown);",
                "\(expected.count + 1) jobs, lost \(lost), duplicated \(doubled)")
            // A job whose enqueue was refused may be there nevertheless, where only the answer was lost.
            #expect(lost == 0 && doubled == 0, "\(names)")
            let ends = try await connection.query(
                "select state, count(*) as n from sheetsync.jobs group by state")
            #expect(try ends.map { try $0.text("state") } == ["completed"], "\(daemon.errors.suffix(3000))")
            daemon.send(SIGTERM)
        }
    }

    /// Whoever asks is told that the disk is full: `doctor` at once, the others when the worker's signs of life end.
    private func expectTheCause(from program: Program, job: Int) async throws {
        for arguments in [["doctor"], ["status"], ["why", "\(job)"]] {
            var last: Ended?
            try await wait(
                for: "\(arguments) to name the disk", within: .seconds(120), every: .milliseconds(500),
                seeing: { last?.description ?? "" }
            ) {
                let ended = try await program.run(arguments)
                last = ended
                return ended.firstLine.contains("No space left on device")
            }
            print("on a full disk, \(arguments[0]): \(last?.firstLine ?? "")")
        }
    }

    /// Enqueues jobs until the database refuses some; returns the titles of those that it took, and a refusal.
    private func enqueueUntilRefused(_ jobs: QueueClient) async throws -> (taken: [String], refusal: String) {
        var taken: [String] = []
        var refusals: [String] = []
        try await wait(for: "the database to refuse", seeing: { "\(taken.count) jobs were taken" }) {
            let title = "Taken \(taken.count + refusals.count)"
            // Random text, because Postgres would compress any other.
            let text = (0..<2000).map { _ in String(Int.random(in: 0..<Int.max), radix: 36) }.joined()
            do {
                _ = try await jobs.enqueue(kind: "export", payload: export(title, .string(text)))
                taken.append(title)
            } catch {
                refusals.append("\(error)")
            }
            return refusals.count > 3
        }
        return (taken, refusals.first ?? "")
    }
}
