import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What is known of a job that waits, and who may know it.
@Suite struct SituationTests {
    private let needs = Explanation.Needs(services: ["drive"], quotas: ["sheets_writes"])

    private func why(_ id: Int, _ queue: TestQueue) async throws -> Explanation {
        let job = try #require(try await queue.jobs.find(id))
        let situation = try #require(try await queue.jobs.situation(of: id))
        return Explanation(job, in: situation, needs: needs, silenceLimit: 45)
    }

    @Test func aJobThatWasGivenBackKeepsItsReasonUntilItIsClaimed() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.enter(name: "test", version: "0", concurrency: 4, kinds: ["noop", "export"])
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let claimed = try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false)
        let failure = JobFailure(
            code: "google.waiting", message: "The quota is used up.", retry: .deferred(.seconds(9)))
        var random = SystemRandomNumberGenerator()
        let ending = RetryPolicy().ending(of: try #require(claimed.first), failure: failure, using: &random)
        _ = try await worker.finish([ending], keepPayloads: false)

        let given = try #require(try await queue.jobs.find(id))
        #expect(given.waitsFor?.code == "google.waiting" && given.lastError == nil, "\(given.json)")
        #expect(given.json["attempt"] == 0)
        let why = try await why(id, queue)
        #expect(why.causes.first?.name == "deferred", "\(why)")
        #expect(why.headline.contains("is tried again in"), "\(why.headline)")
        #expect(why.headline.hasSuffix("google.waiting: The quota is used up."), "\(why.headline)")
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.deferred == 1 && report.kinds.first { $0.kind == "noop" }?.deferred == 1)

        _ = try await queue.psql("update sheetsync.ready set run_at = now()")
        #expect(try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false).count == 1)
        #expect(try await queue.jobs.find(id)?.waitsFor == nil)
        #expect(try await queue.psql("select count(*) from sheetsync.failure") == "0")
    }

    /// Whoever gives a job back says whether somebody has to mend something; no code's name tells it.
    @Test func onlyWhatNeedsMendingIsCalledSo() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.enter(name: "test", version: "0", concurrency: 4, kinds: ["noop"])
        func give(back failure: JobFailure) async throws {
            _ = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            let claimed = try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false)
            var random = SystemRandomNumberGenerator()
            let ending = RetryPolicy().ending(of: try #require(claimed.first), failure: failure, using: &random)
            _ = try await worker.finish([ending], keepPayloads: false)
        }
        func verdict() async throws -> Verdict {
            Verdict(try await QueueReport.read(queue.schema, on: queue.connection), silenceLimit: 45)
        }
        try await give(
            back: JobFailure(code: "export.unclear_create", message: "Looked for.", retry: .deferred(.seconds(99))))
        let calm = try await verdict()
        #expect(calm.level == .ok, "\(calm)")
        // Also where jobs with the same code need none.
        try await give(
            back: JobFailure(
                code: "export.unclear_create", message: "Broken.", retry: .deferred(.seconds(99)), needsMending: true))
        let broken = try await verdict().reason
        #expect(broken.hasPrefix("1 job waits until somebody mends it, such as job "), "\(broken)")
        #expect(broken.hasSuffix("Broken."), "\(broken)")
    }

    @Test func eachCauseIsNamed() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "export", payload: [:])
        #expect(try await why(id, queue).causes.map(\.name) == ["no_worker"])
        _ = try await queue.psql("select sheetsync.enter(7, 'w', '1', 5, '{noop}')")
        #expect(try await why(id, queue).causes.map(\.name) == ["unknown_kind"])
        _ = try await queue.psql("update sheetsync.worker set kinds = null")
        #expect(try await why(id, queue).causes.map(\.name) == ["turn"])
        #expect(try await why(id, queue).headline.contains("is next"))
        for _ in 1...3 { _ = try await queue.jobs.enqueue(kind: "export", payload: [:], priority: 1) }
        #expect(try await why(id, queue).headline.contains("about 3 jobs before it, 0 of 5 slots are busy"))
        _ = try await queue.psql(
            """
            insert into sheetsync.breaker (name, reason, until) values
                ('drive/a', 'The API is off.', now() + interval '20 s'), ('identity/a', 'not needed', now());
            insert into sheetsync.quota (name, configured, span, closed_until)
            values ('sheets_writes/user/a', 60, '60 s', now() + interval '30 s')
            """)
        _ = try await queue.jobs.pause("export")
        let all = try await why(id, queue)
        try #require(all.causes.map(\.name) == ["paused", "breaker", "quota"], "\(all.causes)")
        #expect(all.headline.contains("is paused by") || all.headline.contains("are paused by"), "\(all.headline)")
        #expect(all.headline.hasSuffix(": resume with `sheetsync queue resume export`"), "\(all.headline)")
        #expect(
            all.causes[1].words.contains("Google Drive fails for a") && all.causes[1].words.hasSuffix("The API is off.")
        )
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.quotas.map(\.holder) == ["a"] && report.quotas.allSatisfy(\.isUsedUp), "\(report.quotas)")
    }

    /// Whoever works at Google is shown with the end of its token, what is left of its quotas and what fails for it.
    @Test func identitiesAreShownWithTokenQuotaAndBreaker() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            select sheetsync.note_token('a', 3000), sheetsync.note_token('b', 0.001);
            select sheetsync.note_token('a', 3600);
            insert into sheetsync.quota (name, configured, span, begins, number, used)
            select x.name, x.configured, '60 s', w.begins, floor((w.now - w.begins) / 60), x.used
            from (select e as now, mod(e::numeric + 30, 60) as begins from extract(epoch from now()) e) w,
                (values ('sheets_writes/user/a', 60, 7), ('sheets_writes/project', 300, 0)) x (name, configured, used);
            insert into sheetsync.breaker (name, reason, until) values ('drive/c', 'It is off.', now() + interval '20 s')
            """)
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        let identities = report.identities
        try #require(identities.map(\.account) == ["a", "b", "c"], "\(identities)")
        #expect((3500...3600).contains(identities[0].tokenLeft ?? 0), "\(identities)")
        #expect((identities[1].tokenLeft ?? 1) <= 0 && identities[2].tokenLeft == nil, "\(identities)")
        #expect(identities[0].quotas.map(\.left) == [53] && identities[1].quotas.isEmpty, "\(identities)")
        #expect(identities[2].breakers.map(\.service) == ["drive"] && identities[0].breakers.isEmpty, "\(identities)")
    }

    /// Only the next claim opens a job that was retried for its spreadsheet, or whose time has come.
    @Test func aJobThatIsDueIsAvailable() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "export", payload: ["spreadsheet_id": "s"])
        _ = try await queue.psql("select sheetsync.enqueue('export', '{}', run_at => now() + interval '1 hour')")
        #expect(try await queue.jobs.cancel(id))
        #expect(try await queue.jobs.retry(id))
        #expect(try await queue.jobs.find(id)?.state == "available")
        #expect(try await why(id, queue).causes.map(\.name) == ["no_worker"])
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.available == 1 && report.scheduled == 1, "\(report.kinds)")
    }

    @Test func aProducerLearnsOfItsOwnJobsAlone() async throws {
        let queue = try await TestQueue.make()
        for name in ["mine", "other"] {
            _ = try await queue.psql(
                "create role \(name)_\(queue.database) login; grant sheetsync_producer to \(name)_\(queue.database)")
        }
        let id = try await queue.psql("select sheetsync.enqueue('noop', '{}')", as: "mine_\(queue.database)")
        let ask = "select sheetsync.situation(\(id)) ->> 'gate'"
        #expect(try await queue.psql(ask, as: "mine_\(queue.database)") == "0")
        #expect(try await queue.psql(ask, as: "other_\(queue.database)") == "")
        #expect(try await queue.psql(ask) == "0")
    }

    /// The report and the situation read as much of a long queue with a long history as of a short one.
    @Test func theReportReadsNoMoreOfALongQueue() async throws {
        let small = try await touched(ended: 20_000, waiting: 44_000)
        let large = try await touched(ended: 60_000, waiting: 120_000)
        #expect(small.count > 6 && small.keys == large.keys)
        for (name, seen) in large {
            #expect(seen.rows < 25_000, "\(name) touched \(seen.rows) rows")
            let before = small[name]?.buffers ?? 0
            #expect(seen.buffers < before * 2 + 500, "\(name): \(before), then \(seen.buffers)")
        }
    }

    /// The most rows that any step of a plan returned or looked at.
    private func mostRows(_ plan: JSON?) -> Int {
        let rows = Int(((plan?["Actual Rows"]?.double ?? 0) * (plan?["Actual Loops"]?.double ?? 0)).rounded())
        let removed = plan?["Rows Removed by Filter"]?.int ?? 0
        return (plan?["Plans"]?.array ?? []).map(mostRows).reduce(max(rows, removed), max)
    }

    private func touched(ended: Int, waiting: Int) async throws -> [String: (buffers: Int, rows: Int)] {
        let queue = try await TestQueue.make()
        try await queue.connection.script(
            """
            set search_path = sheetsync;
            insert into job (kind, priority, max_attempts, owner, enqueued_by, payload, scheduled_at)
            select case n % 2 when 0 then 'noop' else 'export' end, 5, 10, 'owner ' || n % 50, 'postgres', '{}', now()
            from generate_series(1, \(ended + 2 * waiting)) n;
            insert into outcome (id, state, attempt) select id, case id % 3 when 0 then 'discarded' else 'completed' end, 1
            from job where id <= \(ended);
            insert into failure (id, attempt, error) select id, 1, '{"code": "x"}' from job where id <= \(ended);
            insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, line)
            select id, kind, 5, (id > \(ended + waiting))::int, (id % 100 = 0)::int, false, now() + interval '1 hour', id % 50
            from job where id > \(ended);
            reset search_path
            """)
        try await queue.connection.query("vacuum analyze")
        var statements = QueueReport.Statements(schema: "sheetsync").all
        statements.append(("situation", "select sheetsync.situation(\(ended + waiting / 2))"))
        var touched: [String: (buffers: Int, rows: Int)] = [:]
        for (name, query) in statements {
            let explained: Query = "explain (analyze, buffers, format json) \(query)"
            for _ in 1...2 {
                let plan = try JSON(
                    parsing: try await queue.connection.query(explained)[0].text("QUERY PLAN"))[0]?["Plan"]
                let buffers =
                    (plan?["Shared Hit Blocks"]?.int ?? .max / 4) + (plan?["Shared Read Blocks"]?.int ?? .max / 4)
                touched[name] = (buffers, mostRows(plan))
            }
        }
        return touched
    }
}

extension Query.StringInterpolation {
    /// Adds a whole statement with its parameters, where nothing stands before that has any.
    fileprivate mutating func appendInterpolation(_ query: Query) {
        var rest = query.sql[...]
        for (index, parameter) in query.parameters.enumerated() {
            guard let place = rest.firstRange(of: "$\(index + 1)") else { continue }
            appendLiteral(String(rest[..<place.lowerBound]))
            appendInterpolation(parameter)
            rest = rest[place.upperBound...]
        }
        appendLiteral(String(rest))
    }
}
