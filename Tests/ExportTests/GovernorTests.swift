import Foundation
import Google
import GoogleEmulator
import JSON
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

@testable import Export

@Suite(.serialized) struct GovernorTests {
    private let payload: JSON = ["title": "T", "rows": [[1]]]

    private func governor(
        _ stage: ExportStage, _ settings: QuotaSettings, threshold: Int = 3, pause: Duration = .milliseconds(50)
    ) -> Governor {
        var breaker = Breaker.Policy()
        (breaker.threshold, breaker.pause, breaker.longestPause) = (threshold, pause, pause * 4)
        let connection = stage.queue.connection
        return Governor(
            ledger: QuotaLedger(on: connection, schema: "sheetsync", account: "test", settings: settings),
            settings: settings, patience: .milliseconds(200), breaker: breaker,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func settings(writes: Int, window: Int) -> QuotaSettings {
        var settings = QuotaSettings()
        (settings.sheetsWritesPerUser, settings.window) = (writes, .seconds(window))
        return settings
    }

    /// Runs two workers with a governor each until so many exports have ended, and returns them.
    private func run(_ count: Int, on stage: ExportStage, _ settings: QuotaSettings) async throws -> [JobRecord] {
        let (one, other) = (governor(stage, settings), governor(stage, settings))
        var ids: [Int] = []
        for _ in 0..<count { ids.append(try await stage.queue.jobs.enqueue(kind: "export", payload: payload)) }
        var jobs: [JobRecord] = []
        try await stage.sibling(through: one).work(admission: one) { _ in
            try await stage.sibling(through: other).work(admission: other) { _ in
                for id in ids { jobs.append(try await stage.ended(id)) }
            }
        }
        return jobs
    }

    /// How many calls of Sheets Google answered with a status.
    private func answers(_ status: Int, on stage: ExportStage) -> Int {
        stage.emulator.journal.entries.filter { $0.path.hasPrefix("/v4/") && $0.status == status }.count
    }

    @Test func twoWorkersShareAQuotaAndNeverOverrunIt() async throws {
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.sheetsWritesPerUser) = (2, 8)
        try await ExportStage.with(.init(quotas: quotas)) { stage in
            let jobs = try await run(30, on: stage, settings(writes: 8, window: 2))
            for job in jobs {
                #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
                #expect(job.json["errors"] == [])
            }
            #expect(answers(429, on: stage) == 0)
            #expect(stage.files("spreadsheet").count == 30)
        }
    }

    @Test func learnsALowerQuotaFromTheRefusal() async throws {
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.sheetsWritesPerUser) = (2, 4)
        try await ExportStage.with(.init(quotas: quotas)) { stage in
            let jobs = try await run(20, on: stage, settings(writes: 16, window: 2))
            for job in jobs { #expect(job.state == "completed" && job.json["errors"] == [], "\(job.json)") }
            let refused = answers(429, on: stage)
            #expect((1...16).contains(refused), "\(refused) calls were refused")
            let learned = try await stage.queue.psql(
                "select learned from sheetsync.quota where name = 'sheets_writes/user/test'")
            #expect(learned.trimmingCharacters(in: .whitespacesAndNewlines) == "4")
        }
    }

    @Test func grantsNeverExceedTheLimitInAnyWindow() async throws {
        let queue = try await TestQueue.make()
        var settings = QuotaSettings()
        (settings.sheetsWritesPerUser, settings.sheetsWritesPerProject, settings.window) = (20, 45, .seconds(1))
        let end = ContinuousClock.now + .seconds(4)
        // The times of the grants by user, as the database noted them.
        let grants = try await withThrowingTaskGroup(of: [(user: Int, at: Double, amount: Int)].self) { group in
            for taker in 0..<6 {
                group.addTask { [settings] in
                    let connection = Connection(try queue.configuration(), label: "taker")
                    let ledger = QuotaLedger(
                        on: connection, schema: "sheetsync", account: "user\(taker % 3)", settings: settings)
                    var grants: [(user: Int, at: Double, amount: Int)] = []
                    while ContinuousClock.now < end {
                        let grant = try await ledger.take(1 + taker % 4, of: .sheetsWrite, returning: nil)
                        guard let number = grant.number else {
                            try await Task.sleep(for: min(max(grant.wait, .milliseconds(5)), .milliseconds(50)))
                            continue
                        }
                        let row = try await connection.query(
                            """
                            select extract(epoch from at)::float8 as at from sheetsync.quota_use
                            where grant_no = \(number) limit 1
                            """)
                        grants.append((taker % 3, try #require(try row.first?.optionalDouble("at")), grant.amount))
                    }
                    await connection.close()
                    return grants
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        for grant in grants {
            let inside = grants.filter { $0.at >= grant.at && $0.at < grant.at + 1 }
            #expect(Self.total(inside) <= 45)
            let own = inside.filter { $0.user == grant.user }
            #expect(Self.total(own) <= 20)
        }
        #expect(Self.total(grants) >= 90, "the quota was hardly used")
    }

    private static func total(_ grants: [(user: Int, at: Double, amount: Int)]) -> Int {
        var total = 0
        for grant in grants { total += grant.amount }
        return total
    }

    @Test func whatIsNotUsedComesBack() async throws {
        let queue = try await TestQueue.make()
        let settings = settings(writes: 5, window: 60)
        let ledger = QuotaLedger(on: queue.connection, schema: "sheetsync", account: "a", settings: settings)
        let first = try await ledger.take(5, of: .sheetsWrite, returning: nil)
        #expect(first.amount == 5)
        let none = try await ledger.take(1, of: .sheetsWrite, returning: nil)
        #expect(none.amount == 0 && none.wait > .seconds(50))
        try await ledger.giveBack(2, of: try #require(first.number))
        let second = try await ledger.take(9, of: .sheetsWrite, returning: nil)
        #expect(second.amount == 2)
        let third = try await ledger.take(9, of: .sheetsWrite, returning: (try #require(second.number), 1))
        #expect(third.amount == 1)
    }

    @Test func aServiceThatIsDownCostsNoMoreAttemptsThanItTakesToSeeIt() async throws {
        try await ExportStage.with { stage in
            let governor = governor(stage, QuotaSettings())
            let number = stage.emulator.addFault(Fault(.error(status: 503), api: .sheets, count: 12))
            try await stage.sibling(through: governor).work(admission: governor) { _ in
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                let attempts = job.json["attempt"]?.int ?? 0
                #expect((2...4).contains(attempts), "\(job.json)")
            }
            #expect(stage.emulator.strikes(of: number) == 12)
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func aRevokedKeyCostsNoAttemptAndSaysWhy() async throws {
        try await ExportStage.with { stage in
            let governor = governor(stage, QuotaSettings())
            _ = stage.emulator.addFault(Fault(OAuthFailure.invalidSignature.action, api: .oauth, count: nil))
            try await stage.sibling(through: governor).work(admission: governor) { queue in
                let id = try await queue.jobs.enqueue(kind: "export", payload: payload)
                try await wait(for: "a reason", seeing: { try await queue.jobs.find(id)?.json.description ?? "" }) {
                    try await queue.psql("select reason from sheetsync.breaker").contains("key")
                }
                try await Task.sleep(for: .milliseconds(300))
                stage.emulator.removeFaults()
                let job = try await stage.ended(id)
                #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
                let left = try await queue.psql("select count(*) from sheetsync.breaker")
                #expect(left.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
            }
        }
    }
}
