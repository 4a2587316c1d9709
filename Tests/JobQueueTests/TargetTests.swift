import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Jobs for one spreadsheet run one after another, in the order of their numbers.
@Suite struct TargetTests {
    func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let connection = Connection(try queue.configuration(), label: "worker")
        let statements = WorkerStatements(on: connection)
        try await statements.enter(name: "test", version: "0", concurrency: 4)
        return statements
    }

    func enqueue(_ queue: TestQueue, _ target: String = "s", _ more: String = "") async throws -> Int {
        let id = try await queue.psql(
            "select sheetsync.enqueue('export', '{\"spreadsheet_id\":\"\(target)\"}'\(more))")
        return try #require(Int(id))
    }

    func finish(_ worker: WorkerStatements, _ jobs: [Job], _ kind: JobEnding.Kind = .completed) async throws {
        let states = try await worker.finish(jobs.map { JobEnding($0, kind) }, keepPayloads: false)
        #expect(states.count == jobs.count)
    }

    /// Where a job waits: 0 open, 1 until its time, 2 behind its target; nil where it does not wait.
    func gate(_ queue: TestQueue, _ id: Int) async throws -> Int? {
        Int(try await queue.psql("select gate from sheetsync.ready where id = \(id)"))
    }

    @Test(arguments: [1, 3]) func workersKeepTheOrderAlsoThroughRetries(workers: Int) async throws {
        let queue = try await TestQueue.make()
        let log = Mutex<[String: [(id: Int, isBegin: Bool)]]>([:])
        var ids: [String: [Int]] = [:]
        for number in 0..<45 {
            let target = "s\(number % 4)"
            // The urgent one waits for those before it as well.
            ids[target, default: []].append(try await enqueue(queue, target, ", priority => \(9 - number % 3)"))
        }
        let handler = ClosureHandler { job, _ in
            let target = job.payload["spreadsheet_id"]?.string ?? ""
            log.withLock { $0[target, default: []].append((job.id, true)) }
            try await Task.sleep(for: .milliseconds(2))
            log.withLock { $0[target, default: []].append((job.id, false)) }
            if job.id % 3 == 0, job.attempt < 3 {
                throw JobFailure(code: "test.again", message: "Not yet.", retry: .backoff)
            }
            if job.id % 3 == 1, !job.isRedelivered {
                throw JobFailure(code: "test.quota", message: "Wait.", retry: .deferred(.milliseconds(10)))
            }
            return nil
        }
        func run(_ left: Int) async throws {
            guard left > 0 else {
                try await wait(for: "all jobs", seeing: { try await queue.psql("select * from sheetsync.ready") }) {
                    try await queue.psql("select count(*) from sheetsync.outcome") == "45"
                }
                return
            }
            try await queue.withWorker(["export": handler]) { _ in try await run(left - 1) }
        }
        try await run(workers)
        for (target, steps) in log.withLock({ $0 }) {
            // Each begin is followed by its own end, and a job's attempts come one after another.
            let begins = steps.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            #expect(begins.allSatisfy(\.isBegin) && steps.count == begins.count * 2, "\(target): \(steps)")
            var order: [Int] = []
            for begin in begins where order.last != begin.id { order.append(begin.id) }
            #expect(order == ids[target], "\(target)")
        }
        #expect(try await queue.psql("select count(id) from sheetsync.head") == "0")
        #expect(try await queue.psql("select count(*) from sheetsync.outcome where state = 'completed'") == "45")
    }

    @Test func whoeverNamesNoSpreadsheetWaitsForNobody() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for id in ["''", "null", "7", "'[]'::jsonb"] {
            _ = try await queue.psql(
                """
                select sheetsync.enqueue('export', jsonb_build_object('spreadsheet_id', \(id)))
                from generate_series(1, 2)
                """)
        }
        #expect(try await worker.claim(20).map(\.target) == Array(repeating: nil, count: 8))
        // An index takes no text of any length.
        let long = String(repeating: "ä", count: 9000)
        let ids = [try await enqueue(queue, long), try await enqueue(queue, long)]
        #expect(try await worker.claim(20).map(\.id) == [ids[0]])
    }

    @Test func theOthersOfABusyTargetAreLookedAtOnce() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        _ = try await queue.psql(
            """
            select sheetsync.enqueue('export', '{"spreadsheet_id":"s"}') from generate_series(1, 3000);
            select sheetsync.enqueue('noop', '{}')
            """)
        #expect(try await worker.claim(4).map(\.kind) == ["export", "noop"])
        #expect(try await queue.psql("select gate, count(*) from sheetsync.ready group by gate") == "2|2999")
        #expect(try await worker.claim(4).isEmpty)
    }

    /// The claim has parked the second job and is not committed when the first one ends.
    @Test func noWakeUpIsLostBetweenAClaimAndAnEnd() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        _ = try await enqueue(queue)
        let first = try await one.claim(1)
        let second = try await enqueue(queue)
        try await two.claims.script(
            "begin; select * from sheetsync.claim(\(two.epoch), 1, '{\"export\":1}')")
        let ending = Task { try await finish(one, first) }
        try await wait(for: "the end to wait for the claim") {
            try await queue.psql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") != "0"
        }
        try await two.claims.script("commit")
        try await ending.value
        #expect(try await gate(queue, second) == 0)
        #expect(try await two.claim(1).map(\.id) == [second])
    }

    /// The first job's end is not committed when a claim meets the second one.
    @Test func aClaimParksNothingBehindWhatIsEnding() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        _ = try await enqueue(queue)
        let first = try #require(try await one.claim(1).first)
        let second = try await enqueue(queue)
        try await one.claims.script(
            """
            begin; select * from sheetsync.finish(\(one.epoch),
                '[{"id":\(first.id),"lease_no":\(first.leaseNumber),"end":"completed"}]')
            """)
        #expect(try await two.claim(1).isEmpty)
        #expect(try await gate(queue, second) == 0)
        try await one.claims.script("commit")
        #expect(try await two.claim(1).map(\.id) == [second])
    }

    /// A claim that is rolled back must not have let a later job pass.
    @Test func nobodyPassesAJobThatIsBeingClaimed() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        let first = try await enqueue(queue)
        let second = try await enqueue(queue)
        try await one.claims.script("begin; select * from sheetsync.claim(\(one.epoch), 1, '{\"export\":1}')")
        #expect(try await two.claim(4).isEmpty)
        try await one.claims.script("rollback")
        #expect(try await two.claim(4).map(\.id) == [first])
        #expect(try await one.claim(4).isEmpty)
        #expect(try await gate(queue, second) == 2)
    }

    /// The end finds the only parked job locked by a cancel, which is then rolled back.
    @Test(arguments: [1, 2]) func aRolledBackCancelLeavesNobodyBehind(parked: Int) async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        _ = try await enqueue(queue)
        let first = try await worker.claim(1)
        var others: [Int] = []
        for _ in 0..<parked { others.append(try await enqueue(queue)) }
        #expect(try await worker.claim(4).isEmpty)
        try await producer.script("begin; select sheetsync.cancel(\(others[0]))")
        try await finish(worker, first)
        #expect(try await worker.claim(4).isEmpty)
        try await producer.script("rollback")
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await worker.openForgotten() == 1)
        #expect(try await worker.openForgotten() == 0)
        for id in others {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
        #expect(try await queue.psql("select count(id) from sheetsync.head") == "0")
    }

    @Test func theWorkerOpensWhatWasForgotten() async throws {
        let queue = try await TestQueue.make()
        let id = try await enqueue(queue)
        _ = try await queue.psql("update sheetsync.ready set gate = 2")
        try await queue.withWorker(["export": ClosureHandler { _, _ in nil }]) { queue in
            try await queue.expect(id, "completed")
        }
    }

    /// Whatever becomes of the head, the next one follows, and only when the head has ended.
    @Test func theNextFollowsHoweverTheHeadEnds() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        var ids: [Int] = []
        for _ in 0..<6 { ids.append(try await enqueue(queue, "s", ", max_attempts => 2")) }

        // Given back and retried: still the head.
        var head = try await worker.claim(4)
        try await finish(worker, head, .release)
        head = try await worker.claim(4)
        #expect(head.map(\.id) == [ids[0]])
        try await finish(worker, head, .retry)
        head = try await worker.claim(4)
        #expect(head.map(\.id) == [ids[0]])
        // Its last attempt: discarded by the database.
        try await finish(worker, head, .retry)

        // Cancelled while it waits for its next attempt.
        head = try await worker.claim(4)
        try #require(head.map(\.id) == [ids[1]])
        _ = try await worker.finish([JobEnding(head[0], .retry, delay: .seconds(3600))], keepPayloads: false)
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.jobs.cancel(ids[1]))

        // Cancelled while it runs, and put back just then.
        head = try await worker.claim(4)
        #expect(head.map(\.id) == [ids[2]])
        #expect(try await queue.jobs.cancel(ids[2]))
        try await finish(worker, head, .retry)

        // Its worker dies twice.
        for _ in 1...2 {
            let dying = try await self.worker(queue)
            #expect(try await dying.claim(4).map(\.id) == [ids[3]])
            _ = try await queue.psql(
                "update sheetsync.worker set beat_at = beat_at - interval '1 hour' where epoch = \(dying.epoch)")
            #expect(try await worker.reclaim(silentFor: .seconds(1800)).count == 1)
        }

        // Cancelled while it is parked: nobody is opened.
        head = try await worker.claim(4)
        #expect(head.map(\.id) == [ids[4]])
        let last = try await enqueue(queue)
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.jobs.cancel(ids[5]))
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await gate(queue, last) == 2)
        try await finish(worker, head)
        head = try await worker.claim(4)
        #expect(head.map(\.id) == [last])
        try await finish(worker, head)

        #expect(
            try await queue.psql("select string_agg(left(state, 2), ' ' order by id) from sheetsync.outcome")
                == "di ca ca di co ca co")
        #expect(try await queue.psql("select count(id) from sheetsync.head") == "0")
    }

    @Test(arguments: [1, 1000]) func aJobRetriedByHandTakesThePlaceOfItsNumber(apart: Int) async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("alter sequence sheetsync.job_id_seq increment by \(apart)")
        let worker = try await worker(queue)
        var ids: [Int] = []
        for _ in 0..<4 { ids.append(try await enqueue(queue)) }
        try await finish(worker, try await worker.claim(1), .discarded)
        let running = try await worker.claim(4)
        #expect(running.map(\.id) == [ids[1]])
        #expect(try await queue.jobs.cancel(ids[3]))
        #expect(try await queue.jobs.retry(ids[3]))
        #expect(try await queue.jobs.retry(ids[0]))
        #expect(try await worker.claim(4).isEmpty)
        // The head comes back to the queue and must not be parked behind the retried one.
        try await finish(worker, running, .release)
        for id in [ids[1], ids[0], ids[2], ids[3]] {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
    }

    /// A scheduled job does not stop those behind it, and takes its place when its time has come.
    @Test(arguments: [1, 1000]) func aScheduledJobHoldsUpNobody(apart: Int) async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("alter sequence sheetsync.job_id_seq increment by \(apart)")
        let worker = try await worker(queue)
        let later = try await enqueue(queue, "s", ", run_at => now() + interval '1 hour'")
        let now = try await enqueue(queue)
        let jobs = try await worker.claim(4)
        #expect(jobs.map(\.id) == [now])
        _ = try await queue.psql("update sheetsync.ready set run_at = now() where id = \(later)")
        #expect(try await worker.claim(4).isEmpty)
        try await finish(worker, jobs)
        #expect(try await worker.claim(4).map(\.id) == [later])
    }

    /// A cancel in a transaction with an old snapshot does not see what was parked since.
    @Test func producersMayUseAnyIsolation() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            "alter database \(queue.database) set default_transaction_isolation = 'repeatable read'")
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        let first = try await enqueue(queue)
        let head = try await worker.claim(1)
        try await finish(worker, head, .release)
        try await producer.script("begin isolation level repeatable read; select count(*) from sheetsync.ready")
        let second = try await enqueue(queue)
        // Parks the second one behind the first one, which is open.
        try await queue.connection.script(
            """
            begin; set local role sheetsync_owner; set local search_path = sheetsync;
            select admit(array[\(second)]); commit
            """)
        #expect(try await gate(queue, second) == 2)
        try await producer.script("select sheetsync.cancel(\(first)); commit")
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await worker.openForgotten() == 1)
        #expect(try await worker.claim(4).map(\.id) == [second])
    }
}
