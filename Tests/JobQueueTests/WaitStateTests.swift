import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What is known of a job that waits, and who may know it.
@Suite struct WaitStateTests {
    private func why(
        _ id: Int, _ queue: TestQueue, external: ExternalCauses = ExternalCauses()
    ) async throws -> Explanation {
        let job = try #require(try await queue.jobs.find(id))
        let waitState = try #require(try await queue.jobs.waitState(of: id))
        return Explanation(job, in: waitState, external: external, silenceLimit: 45)
    }

    @Test func aJobThatWasGivenBackKeepsItsReasonUntilItIsClaimed() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 4, kinds: ["noop", "write"])
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let claimed = try await worker.claim(1, limits: ["noop": 1])
        let failure = JobFailure(
            code: "google.waiting", message: "The quota is used up.", retry: .snooze(.seconds(9)))
        var random = SystemRandomNumberGenerator()
        let outcome = RetryPolicy().outcome(of: try #require(claimed.first), failure: failure, using: &random)
        _ = try await worker.finish([outcome], keepPayloads: false)

        let given = try #require(try await queue.jobs.find(id))
        #expect(given.waitsFor?.code == "google.waiting" && given.lastError == nil, "\(given.json)")
        #expect(given.json["attempt"] == 0)
        let why = try await why(id, queue)
        #expect(why.causes.first?.name == "deferred", "\(why)")
        #expect(why.headline.contains("is tried again in"), "\(why.headline)")
        #expect(why.headline.hasSuffix("google.waiting: The quota is used up."), "\(why.headline)")
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.snoozed == 1 && report.kinds.first { $0.kind == "noop" }?.snoozed == 1)

        try await queue.inspector.makeDue()
        #expect(try await worker.claim(1, limits: ["noop": 1]).count == 1)
        #expect(try await queue.jobs.find(id)?.waitsFor == nil)
        #expect(try await queue.inspector.count(.attemptError) == 0)
    }

    /// Whoever gives a job back says whether somebody has to mend something; no code's name tells it.
    @Test func onlyWhatNeedsMendingIsCalledSo() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 4, kinds: ["noop"])
        func give(back failure: JobFailure) async throws {
            _ = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            let claimed = try await worker.claim(1, limits: ["noop": 1])
            var random = SystemRandomNumberGenerator()
            let outcome = RetryPolicy().outcome(of: try #require(claimed.first), failure: failure, using: &random)
            _ = try await worker.finish([outcome], keepPayloads: false)
        }
        func verdict() async throws -> Verdict {
            Verdict(try await QueueReport.read(queue.schema, on: queue.connection), silenceLimit: 45)
        }
        try await give(
            back: JobFailure(code: "export.unclear_create", message: "Looked for.", retry: .snooze(.seconds(99))))
        let calm = try await verdict()
        #expect(calm.level == .ok, "\(calm)")
        // Also where jobs with the same code need none.
        try await give(
            back: JobFailure(
                code: "export.unclear_create", message: "Broken.", retry: .snooze(.seconds(99)), needsMending: true))
        let broken = try await verdict().reason
        #expect(broken.hasPrefix("1 job waits until somebody mends it, such as job "), "\(broken)")
        #expect(broken.hasSuffix("Broken."), "\(broken)")
    }

    @Test func eachCauseIsNamed() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "write", payload: [:])
        #expect(try await why(id, queue).causes.map(\.name) == ["no_worker"])
        _ = try await queue.psql("select sheetsync.register_worker(7, 'w', '1', 5, '{noop}')")
        #expect(try await why(id, queue).causes.map(\.name) == ["unknown_kind"])
        _ = try await queue.psql("update sheetsync.worker set kinds = null")
        #expect(try await why(id, queue).causes.map(\.name) == ["turn"])
        #expect(try await why(id, queue).headline.contains("is next"))
        for _ in 1...3 { _ = try await queue.jobs.enqueue(kind: "write", payload: [:], priority: 1) }
        #expect(
            try await why(id, queue).headline.contains("about 3 jobs of its login before it, 0 of 5 slots are busy"))
        _ = try await queue.jobs.pause("write")
        let external = ExternalCauses(
            failures: [.init("breaker", "the printer fails: It is off.")],
            limits: [.init("quota", "the paper is used up for 9 s")])
        let all = try await why(id, queue, external: external)
        try #require(all.causes.map(\.name) == ["paused", "breaker", "quota"], "\(all.causes)")
        #expect(all.headline.contains("is paused by") || all.headline.contains("are paused by"), "\(all.headline)")
        #expect(all.headline.hasSuffix(": resume with `sheetsync queue resume write`"), "\(all.headline)")
        #expect(all.causes[1].words == "waits because the printer fails: It is off.")
        #expect(all.causes[2].words == "waits because the paper is used up for 9 s")
    }

    /// A job that was retried, or whose time has come, is available before a claim has looked at it.
    @Test func aJobThatIsDueIsAvailable() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "write", payload: ["file": "s"])
        _ = try await queue.psql("select sheetsync.enqueue('write', '{}', run_at => now() + interval '1 hour')")
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
        let ask = "select sheetsync.wait_state(\(id)) ->> 'state'"
        #expect(try await queue.psql(ask, as: "mine_\(queue.database)") == "available")
        #expect(try await queue.psql(ask, as: "other_\(queue.database)") == "")
        #expect(try await queue.psql(ask) == "available")
    }

    /// The report and the wait state read as much of a long queue with a long history as of a short one.
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
            select case n % 2 when 0 then 'noop' else 'write' end, 5, 10, 'owner ' || n % 50, 'postgres', '{}', now()
            from generate_series(1, \(ended + 2 * waiting)) n;
            insert into outcome (id, state, attempt) select id, case id % 3 when 0 then 'discarded' else 'completed' end, 1
            from job where id <= \(ended);
            insert into attempt_error (job_id, attempt, error)
            select id, 1, '{"code": "x"}' from job where id <= \(ended);
            insert into ready (id, kind, priority, enqueued_by, owner, state, attempt, run_at)
            select id, kind, 5, 'postgres', owner, case when id > \(ended + waiting) then 'scheduled' else 'available' end,
                   (id % 100 = 0)::int, now() + interval '1 hour'
            from job where id > \(ended);
            reset search_path
            """)
        try await queue.connection.query("vacuum analyze")
        var statements = QueueReport.views.filter { $0 != "report_database" }
            .map { (name: $0, sql: "select * from sheetsync.\($0)") }
        statements.append(("wait_state", "select sheetsync.wait_state(\(ended + waiting / 2))"))
        var touched: [String: (buffers: Int, rows: Int)] = [:]
        for (name, sql) in statements {
            let explained = Query(stringLiteral: "explain (analyze, buffers, format json) \(sql)")
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
