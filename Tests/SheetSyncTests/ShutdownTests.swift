import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import Subprocess
import TestSupport
import Testing

/// How a daemon ends, and what becomes of the jobs that it ran.
@Suite struct ShutdownTests {
    @Test func aRunningJobMayEndWithinTheGrace() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_SHUTDOWN_GRACE": "20"])
            var running = 0
            var waiting = 0
            let ended = try await daemon.withDaemon { _ in
                running = try await stage.enqueue("noop", ["sleep_ms": 6000])
                try await stage.queue.expect(running, "running")
                waiting = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 second'")
            }
            #expect(ended.errors.contains("sheetsync has stopped"), "\(ended)")
            let job = try await stage.job(running)
            #expect(job.state == "completed" && job.attempt == 1, "\(job.json)")
            // Nothing is claimed after the signal.
            #expect(try await stage.job(waiting).attempt == 0)
            #expect(try await stage.queue.inspector.count(.worker) == 0)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func withoutGraceAJobIsGivenBackAndNoAttemptIsLost(_ signal: Int32) async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_SHUTDOWN_GRACE": "0"])
            var id = 0
            let ended = try await daemon.launch(["run"]) { daemon in
                try await daemon.expectToSay("worker is ready")
                id = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await stage.queue.expect(id, "running")
                daemon.send(signal)
            }
            ended.expect(0)
            let job = try await stage.job(id)
            #expect(job.state == "available" && job.attempt == 0 && job.errorCodes == [], "\(job.json)")
        }
    }

    /// The second signal ends the grace that the first one began.
    @Test(arguments: [(SIGTERM, SIGTERM), (SIGINT, SIGINT), (SIGTERM, SIGINT)])
    func aSecondSignalGivesEverythingBackAtOnce(first: Int32, second: Int32) async throws {
        try await Stage.with { stage in
            // Grace and jobs both last longer than the test waits.
            let daemon = stage.daemon.with(["SHEETSYNC_SHUTDOWN_GRACE": "3600"])
            var ids: [Int] = []
            let ended = try await daemon.launch(["run"], within: .seconds(40)) { daemon in
                try await daemon.expectToSay("worker is ready")
                for _ in 1...3 { ids.append(try await stage.enqueue("noop", ["sleep_ms": 60_000])) }
                for id in ids { try await stage.queue.expect(id, "running") }
                daemon.send(first)
                try await daemon.expectToSay("waiting for running jobs")
                #expect(daemon.isAlive)
                daemon.send(second)
            }
            ended.expect(0)
            #expect(ended.errors.contains("sheetsync has stopped"), "\(ended)")
            for id in ids {
                let job = try await stage.job(id)
                #expect(job.state == "available" && job.attempt == 0 && job.errorCodes == [], "\(job.json)")
            }
            #expect(try await stage.queue.inspector.count(.worker) == 0)
        }
    }

    /// Suspended for longer than its lease, as by a machine that is moved: it must neither write nor go on.
    @Test func aDaemonThatWasSuspendedPastItsLeaseWritesNothingAndBeginsAnew() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_LEASE_SECONDS": "5"])
            try await daemon.withDaemon { suspended in
                let brief = try await stage.enqueue("noop", ["sleep_ms": 2000])
                let long = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                for id in [brief, long] { try await stage.queue.expect(id, "running") }
                suspended.send(SIGSTOP)
                try await daemon.withDaemon { _ in
                    let before = try await stage.ended(brief)
                    #expect(before.state == "completed" && before.attempt == 1, "\(before.json)")
                    #expect(before.errorCodes == ["queue.worker_lost"], "\(before.json)")
                    try await stage.queue.expect(long, "running")
                    suspended.send(SIGCONT)
                    try await suspended.expectToSay("stopping all jobs and beginning anew")
                    try await suspended.expectToSay("lease on it is lost")
                    try await wait(for: "a new identity", seeing: { suspended.errors }) {
                        suspended.errors.components(separatedBy: "worker is ready").count == 3
                    }
                    // What the other one wrote stands, and what it runs goes on.
                    #expect(try await stage.job(brief).json == before.json)
                    let running = try await stage.job(long)
                    #expect(running.state == "running" && running.attempt == 1, "\(running.json)")
                    _ = try await stage.queue.psql("select sheetsync.cancel(\(long))")
                    #expect(try await stage.ended(long).state == "cancelled")
                }
                // The one that was suspended works again.
                #expect(try await stage.ended(try await stage.enqueue("noop", [:])).state == "completed")
            }
        }
    }

    /// Killed after the spreadsheet was made and before it was filled.
    @Test func theJobOfAKilledDaemonIsFinishedByAnotherInTheSameSpreadsheet() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["SHEETSYNC_LEASE_SECONDS": "5"])
            let hang = stage.emulator.addFault(Fault(.hang, api: .sheets, verb: "POST"))
            var id = 0
            let killed = try await daemon.launch(["run"]) { daemon in
                try await daemon.expectToSay("worker is ready")
                id = try await stage.enqueue("export", export("Once"))
                try await wait(for: "the write to hang") { stage.emulator.strikes(of: hang) == 1 }
                daemon.send(SIGKILL)
            }
            #expect(killed.status == .signaled(SIGKILL))
            #expect(stage.spreadsheets == ["Once"])
            try await daemon.withDaemon { _ in
                let job = try await stage.ended(id)
                #expect(job.state == "completed" && job.attempt == 1, "\(job.json)")
                #expect(job.errorCodes == ["queue.worker_lost"], "\(job.json)")
                #expect(stage.values(job) == [["a", "b"], [1, "x"]])
            }
            #expect(stage.spreadsheets == ["Once"], "lost 0, duplicated 0")
        }
    }

    /// The server is the test's own: it ends as in a crash, and comes back.
    @Test func aRestartOfTheServerIsSurvivedWithoutARestartOfTheDaemon() async throws {
        try await Stage.with { stage in
            try await PostgresServer.run { server in
                let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
                let jobs = QueueClient(Schema.sheetsync, on: connection)
                _ = try await Schema.sheetsync.migrate(on: connection)
                // What the daemon needs of the stage is its Google.
                let daemon = stage.daemon.with([
                    "DATABASE_URL": "\(server.url())&password=\(Stage.password)", "LOG_LEVEL": "trace",
                ])
                let ended = try await daemon.withDaemon { running in
                    let slow = try await jobs.enqueue(kind: "noop", payload: ["sleep_ms": 6000])
                    try await wait(for: "the job to run") { try await jobs.find(slow)?.state == "running" }
                    let start: Query = "select pg_postmaster_start_time()::text as start"
                    let before = try await connection.query(start)[0].text("start")
                    try await server.restart(immediate: true)
                    // The test's own connection is lost too, and opened again by its next statement.
                    try await wait(for: "the server to come back") { (try? await jobs.find(slow)) != nil }
                    #expect(try await connection.query(start)[0].text("start") != before)
                    let next = try await jobs.enqueue(kind: "export", payload: export("After"))
                    for id in [slow, next] {
                        try await wait(for: "job \(id) to end", seeing: { running.errors }) {
                            try await jobs.find(id)?.isFinal == true
                        }
                        let job = try await jobs.find(id)
                        #expect(job?.state == "completed" && job?.attempt == 1, "\(job?.json ?? nil)")
                        #expect(job?.errorCodes == [], "\(job?.json ?? nil)")
                    }
                    #expect(running.isAlive && stage.spreadsheets == ["After"])
                }
                #expect(!ended.errors.contains(Stage.password))
            }
        }
    }
}
