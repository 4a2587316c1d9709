import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// What can happen between a daemon and its database.
///
/// The daemon recovers by itself, and each job ends once.
@Suite struct DatabaseFaultTests {
    /// The pooler hands a session's LISTEN to whoever comes next, so that no notification arrives.
    @Test(.enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed"))
    func worksBehindAPoolerInTransactionMode() async throws {
        try await Stage.with { stage in
            let users = [stage.name(.worker), stage.name(.producer), stage.name(.operator)]
            try await PgBouncer.run(before: stage.queue.server.port, users: users) { pooler in
                let daemon = stage.daemon.with([
                    "SHEETSYNC_LIST_DELAY": "0.2", "DATABASE_URL": stage.url(.worker, port: pooler.port),
                ])
                let ended = try await daemon.withDaemon { running in
                    let names = (1...8).map { "Export \($0)" }
                    let exports = try await enqueueExports(names, stage)
                    _ = try await stage.queue.psql(
                        "select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 300)")
                    try await expectAllToEnd(308, stage, running)
                    for id in exports { try await expectUndisturbed(id, stage) }
                    #expect(stage.spreadsheets.sorted() == names.sorted(), "lost 0, duplicated 0")
                    let status = try await Program(environment: [
                        "DATABASE_URL": stage.url(.operator, port: pooler.port)
                    ])("status", "--json")
                    status.expect(0)
                    #expect(status.output.contains("\"OK\""), "\(status)")
                }
                print("behind PgBouncer: 308 jobs, lost 0, duplicated 0")
                #expect(!ended.errors.contains("ERROR") && !ended.errors.contains(" error "), "\(ended)")
            }
        }
    }

    /// The connection stays open, and nothing comes through it any more: a firewall that forgot it, a host that is gone.
    @Test(.timeLimit(.minutes(10))) func aConnectionThatFallsSilentIsReplaced() async throws {
        try await withThrowingTaskGroup { group in
            for name in ["control", "claims", "completions", "listener"] {
                let label = "sheetsync \(name)"
                group.addTask { try await expectRecovery(fromSilenceOf: label) }
            }
            try await group.waitForAll()
        }
    }

    private func expectRecovery(fromSilenceOf label: String) async throws {
        try await Stage.with { stage in
            try await Relay.with(.postgres, to: stage.queue.server.port) { relay in
                let daemon = stage.daemon.with([
                    "SHEETSYNC_LIST_DELAY": "0.2", "DATABASE_URL": stage.url(.worker, port: relay.port),
                ])
                try await daemon.launch(["run"], within: .seconds(300)) { running in
                    try await running.expectToSay("worker is ready")
                    try await wait(for: "its connections") { relay.labels.count >= 3 }
                    let before = try await enqueueExports(["\(label) before"], stage)
                    try await expectAllToEnd(1, stage, running)
                    // So long that it is seen while it runs, however slow the machine is.
                    let sleeper = try await stage.enqueue("noop", ["sleep_ms": 10_000])
                    try await stage.queue.expect(sleeper, "running")
                    let begin = ContinuousClock.now
                    relay.freeze(label)
                    let after = try await enqueueExports((1...4).map { "\(label) \($0)" }, stage)
                    try await expectAllToEnd(6, stage, running)
                    print("\(label) fell silent: all jobs ended after \(ContinuousClock.now - begin)")
                    try await wait(for: "another connection", seeing: { "\(relay.labels)" }) {
                        relay.labels.sorted()
                            == ["claims", "completions", "control", "listener"].map { "sheetsync \($0)" }
                    }
                    print("\(label) fell silent: replaced after \(ContinuousClock.now - begin)")
                    for id in before + after { #expect(try await stage.job(id).state == "completed") }
                    #expect(stage.spreadsheets.count == 5, "lost 0, duplicated 0: \(stage.spreadsheets)")
                    running.send(SIGTERM)
                }
            }
        }
    }

    /// Connections are refused for longer than a lease: before jobs come, while they run and while their results wait.
    @Test func aDatabaseThatRefusesForLongerThanALeaseLosesNothing() async throws {
        try await Stage.with { stage in
            try await Relay.with(.postgres, to: stage.queue.server.port) { relay in
                let daemon = stage.daemon.with([
                    "SHEETSYNC_LIST_DELAY": "0.2", "DATABASE_URL": stage.url(.worker, port: relay.port),
                    "SHEETSYNC_LEASE_SECONDS": "5",
                ])
                try await daemon.withDaemon { running in
                    let sleeper = try await stage.enqueue("noop", ["sleep_ms": 5000])
                    let names = (1...4).map { "Export \($0)" }
                    try await stage.queue.expect(sleeper, "running")
                    relay.refuse()
                    let exports = try await enqueueExports(names, stage)
                    try await Task.sleep(for: .seconds(9))
                    #expect(running.isAlive)
                    #expect(try await stage.job(sleeper).state == "running")
                    try relay.admit()
                    try await expectAllToEnd(5, stage, running)
                    for id in exports { try await expectUndisturbed(id, stage) }
                    // It ended meanwhile, but nobody could be told before its lease was over.
                    #expect([[], ["queue.worker_lost"]].contains(try await stage.job(sleeper).errorCodes))
                    #expect(stage.spreadsheets.sorted() == names, "lost 0, duplicated 0")
                }
            }
        }
    }

    /// Nothing that jobs leave behind can be cleaned up while the transaction lasts.
    @Test func aLongTransactionHoldsNobodyUp() async throws {
        try await Stage.with { stage in
            try await stage.daemon.with(["SHEETSYNC_CONCURRENCY": "16"]).withDaemon { running in
                let holder = Connection(try stage.queue.configuration(), label: "holder")
                try await holder.script("begin isolation level repeatable read; select count(*) from sheetsync.job")
                let begin = ContinuousClock.now
                for _ in 1...4 {
                    _ = try await stage.queue.psql(
                        "select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 500)")
                }
                try await expectAllToEnd(2000, stage, running)
                let size = try await stage.queue.psql(
                    "select pg_relation_size('sheetsync.ready') + pg_relation_size('sheetsync.lease')")
                print(
                    "2000 jobs beside a long transaction: \(ContinuousClock.now - begin), \(size) bytes of ready and lease; lost 0, duplicated 0"
                )
                try await holder.script("rollback")
                #expect(
                    try await stage.queue.psql("select max(attempt), count(*) from sheetsync.jobs") == "1|2000")
            }
        }
    }

    // MARK: - Jobs

    private func enqueueExports(_ names: [String], _ stage: Stage) async throws -> [Int] {
        var ids: [Int] = []
        for name in names { ids.append(try await stage.enqueue("export", export(name))) }
        return ids
    }

    /// Waits until so many jobs have ended, all of them well.
    private func expectAllToEnd(_ count: Int, _ stage: Stage, _ daemon: RunningProgram) async throws {
        try await wait(
            for: "\(count) jobs to end", within: .seconds(240), every: .milliseconds(50), seeing: { daemon.errors }
        ) {
            try await stage.queue.inspector.count(.outcome) == count
        }
        #expect(
            try await stage.queue.psql("select state, count(*) from sheetsync.jobs group by 1")
                == "completed|\(count)")
        #expect(try await stage.queue.inspector.unfinished() == 0)
    }

    /// Expects a job to have been done in one attempt.
    private func expectUndisturbed(_ id: Int, _ stage: Stage) async throws {
        let job = try await stage.job(id)
        #expect(job.state == "completed" && job.attempt == 1 && job.errorCodes == [], "\(job.json)")
    }
}
