import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Jobs of one target run one after another, in the order of their numbers.
@Suite struct TargetTests {
    func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let connection = Connection(try queue.configuration(), label: "worker")
        let statements = WorkerStatements(on: connection)
        try await statements.register(name: "test", version: "0", concurrency: 4)
        return statements
    }

    func enqueue(_ queue: TestQueue, _ target: String = "s", _ more: String = "") async throws -> Int {
        let id = try await queue.psql(
            "select sheetsync.enqueue('write', '{\"file\":\"\(target)\"}'\(more))")
        return try #require(Int(id))
    }

    func finish(_ worker: WorkerStatements, _ jobs: [Job], _ kind: JobOutcome.Kind = .completed) async throws {
        let states = try await worker.finish(jobs.map { JobOutcome($0, kind) }, keepPayloads: false)
        #expect(states.count == jobs.count)
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
            let target = job.payload["file"]?.string ?? ""
            log.withLock { $0[target, default: []].append((job.id, true)) }
            try await Task.sleep(for: .milliseconds(2))
            log.withLock { $0[target, default: []].append((job.id, false)) }
            if job.id % 3 == 0, job.attempt < 3 {
                throw JobFailure(code: "test.again", message: "Not yet.", retry: .backoff)
            }
            if job.id % 3 == 1, !job.isRedelivered {
                throw JobFailure(code: "test.quota", message: "Wait.", retry: .snooze(.milliseconds(10)))
            }
            return nil
        }
        func run(_ left: Int) async throws {
            guard left > 0 else {
                try await wait(for: "all jobs", seeing: { try await queue.psql("select * from sheetsync.ready") }) {
                    try await queue.inspector.count(.outcome) == 45
                }
                return
            }
            try await queue.withWorker(["write": handler]) { _ in try await run(left - 1) }
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
        #expect(try await queue.inspector.locks().isEmpty)
        #expect(try await queue.inspector.count(.outcome, where: "state = 'completed'") == 45)
    }

    @Test func aJobWithoutATargetWaitsForNobody() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for id in ["''", "null", "7", "'[]'::jsonb"] {
            _ = try await queue.psql(
                """
                select sheetsync.enqueue('write', jsonb_build_object('file', \(id)))
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
            select sheetsync.enqueue('write', '{"file":"s"}') from generate_series(1, 3000);
            select sheetsync.enqueue('noop', '{}')
            """)
        #expect(try await worker.claim(4).map(\.kind).sorted() == ["noop", "write"])
        // A claim blocks a thousand at most.
        for _ in 1...3 { #expect(try await worker.claim(4).isEmpty) }
        #expect(try await queue.inspector.waiting() == ["blocked": 2999])
    }

    /// The claim has blocked the second job and is not committed when the first one ends.
    @Test func noWakeUpIsLostBetweenAClaimAndAnEnd() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        _ = try await enqueue(queue)
        let first = try await one.claim(1)
        let second = try await enqueue(queue)
        try await two.claims.script(
            "begin; select * from sheetsync.claim(\(two.epoch), 1, '{\"write\":1}')")
        let ending = Task { try await finish(one, first) }
        try await wait(for: "the end to wait for the claim") {
            try await queue.psql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") != "0"
        }
        try await two.claims.script("commit")
        try await ending.value
        #expect(try await queue.inspector.waiting(second) == "available")
        #expect(try await two.claim(1).map(\.id) == [second])
    }

    /// The first job's end is not committed when a claim meets the second one.
    @Test func aClaimBlocksNothingBehindWhatIsEnding() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        _ = try await enqueue(queue)
        let first = try #require(try await one.claim(1).first)
        let second = try await enqueue(queue)
        try await one.claims.script(
            """
            begin; select * from sheetsync.finish(\(one.epoch),
                '[{"id":\(first.id),"lease_number":\(first.leaseNumber),"outcome":"completed"}]')
            """)
        #expect(try await two.claim(1).isEmpty)
        #expect(try await queue.inspector.waiting(second) == "available")
        try await one.claims.script("commit")
        #expect(try await two.claim(1).map(\.id) == [second])
    }

    /// A claim that is rolled back must not have let a later job pass.
    @Test func nobodyPassesAJobThatIsBeingClaimed() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        let first = try await enqueue(queue)
        let second = try await enqueue(queue)
        try await one.claims.script("begin; select * from sheetsync.claim(\(one.epoch), 1, '{\"write\":1}')")
        #expect(try await two.claim(4).isEmpty)
        try await one.claims.script("rollback")
        #expect(try await two.claim(4).map(\.id) == [first])
        #expect(try await one.claim(4).isEmpty)
        #expect(try await queue.inspector.waiting(second) == "blocked")
    }

    /// The end finds the only blocked job locked by a cancel, which is then rolled back.
    @Test(arguments: [1, 2]) func aRolledBackCancelLeavesNobodyBehind(blocked: Int) async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        _ = try await enqueue(queue)
        let first = try await worker.claim(1)
        var others: [Int] = []
        for _ in 0..<blocked { others.append(try await enqueue(queue)) }
        #expect(try await worker.claim(4).isEmpty)
        try await producer.script("begin; select sheetsync.cancel(\(others[0]))")
        try await finish(worker, first)
        #expect(try await worker.claim(4).isEmpty)
        try await producer.script("rollback")
        #expect(try await worker.claim(4).isEmpty)
        // A claim that comes upon a later one has made the first one available.
        #expect(try await worker.unblockOrphans() == (blocked == 1 ? 1 : 0))
        for id in others {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
        #expect(try await queue.inspector.locks().isEmpty)
    }

    @Test func theWorkerUnblocksWhatWasForgotten() async throws {
        let queue = try await TestQueue.make()
        let id = try await enqueue(queue)
        _ = try await queue.psql("update sheetsync.ready set state = 'blocked'")
        try await queue.withWorker(["write": ClosureHandler { _, _ in nil }]) { queue in
            try await queue.expect(id, "completed")
        }
    }

    /// Whatever becomes of the job that has begun, the next one follows, and only when it has ended.
    @Test func theNextFollowsHoweverTheFirstEnds() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        var ids: [Int] = []
        for _ in 0..<6 { ids.append(try await enqueue(queue, "s", ", max_attempts => 2")) }

        // Given back and retried: it keeps its lock.
        var begun = try await worker.claim(4)
        try await finish(worker, begun, .snooze)
        begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [ids[0]])
        try await finish(worker, begun, .retry)
        begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [ids[0]])
        // Its last attempt: discarded by the database.
        try await finish(worker, begun, .retry)

        // Cancelled while it waits for its next attempt.
        begun = try await worker.claim(4)
        try #require(begun.map(\.id) == [ids[1]])
        _ = try await worker.finish([JobOutcome(begun[0], .retry, delay: .seconds(3600))], keepPayloads: false)
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.jobs.cancel(ids[1]))

        // Cancelled while it runs, and put back just then.
        begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [ids[2]])
        #expect(try await queue.jobs.cancel(ids[2]))
        try await finish(worker, begun, .retry)

        // Its workers die until its two attempts are used up.
        for _ in 1...4 {
            let dying = try await self.worker(queue)
            #expect(try await dying.claim(4).map(\.id) == [ids[3]])
            try await queue.inspector.silence(epoch: dying.epoch)
            #expect(try await worker.reclaim(silentFor: .seconds(1800)).count == 1)
        }

        // Cancelled while it is blocked: nobody is unblocked.
        begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [ids[4]])
        let last = try await enqueue(queue)
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.jobs.cancel(ids[5]))
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.inspector.waiting(last) == "blocked")
        try await finish(worker, begun)
        begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [last])
        try await finish(worker, begun)

        #expect(
            try await queue.psql("select string_agg(left(state, 2), ' ' order by id) from sheetsync.outcome")
                == "di ca ca di co ca co")
        #expect(try await queue.inspector.locks().isEmpty)
    }

    @Test(arguments: [1, 1000]) func aJobRetriedByHandTakesThePlaceOfItsNumber(apart: Int) async throws {
        let queue = try await TestQueue.make()
        try await queue.inspector.spaceNumbers(by: apart)
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
        // The job that has begun comes back to the queue and must not be blocked behind the retried one.
        try await finish(worker, running, .snooze)
        for id in [ids[1], ids[0], ids[2], ids[3]] {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
    }

    /// A scheduled job does not stop those behind it, and takes its place when its time has come.
    @Test(arguments: [1, 1000]) func aScheduledJobHoldsUpNobody(apart: Int) async throws {
        let queue = try await TestQueue.make()
        try await queue.inspector.spaceNumbers(by: apart)
        let worker = try await worker(queue)
        let later = try await enqueue(queue, "s", ", run_at => now() + interval '1 hour'")
        let now = try await enqueue(queue)
        let jobs = try await worker.claim(4)
        #expect(jobs.map(\.id) == [now])
        try await queue.inspector.makeDue(later)
        #expect(try await worker.claim(4).isEmpty)
        try await finish(worker, jobs)
        #expect(try await worker.claim(4).map(\.id) == [later])
    }

    /// A cancel in a transaction with an old snapshot does not see what was blocked since.
    @Test func producersMayUseAnyIsolation() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            "alter database \(queue.database) set default_transaction_isolation = 'repeatable read'")
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        let first = try await enqueue(queue)
        let begun = try await worker.claim(1)
        try await finish(worker, begun, .snooze)
        try await producer.script("begin isolation level repeatable read; select count(*) from sheetsync.ready")
        let second = try await enqueue(queue)
        // Blocks the second one behind the first one, which is available.
        try await queue.connection.script(
            """
            begin; set local role sheetsync_owner; set local search_path = sheetsync;
            select lock_targets(array[\(second)]); commit
            """)
        #expect(try await queue.inspector.waiting(second) == "blocked")
        try await producer.script("select sheetsync.cancel(\(first)); commit")
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await worker.unblockOrphans() == 1)
        #expect(try await worker.claim(4).map(\.id) == [second])
    }

    /// Enqueues in a transaction that the producer leaves open.
    private func enqueue(_ producer: Connection, _ more: String = "") async throws -> Int {
        try await producer.query(
            Query(stringLiteral: "select sheetsync.enqueue('write', '{\"file\":\"s\"}'\(more)) as id"))[0]
            .int("id")
    }

    @Test(arguments: [1, 1000]) func aJobThatWasCommittedLateTakesThePlaceOfItsNumber(apart: Int) async throws {
        let queue = try await TestQueue.make()
        try await queue.inspector.spaceNumbers(by: apart)
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        try await producer.script("begin")
        let late = try await enqueue(producer)
        let first = try await enqueue(queue)
        let running = try await worker.claim(4)
        #expect(running.map(\.id) == [first])
        try await producer.script("commit")
        let last = try await enqueue(queue, "s", ", priority => 6")
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.inspector.waiting(late) == "blocked")
        #expect(try await queue.inspector.waiting(last) == "blocked")
        try await finish(worker, running)
        for id in [late, last] {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
    }

    /// A job with a smaller number is committed while the one that has begun waits for its retry: neither may wait for the
    /// other for ever.
    @Test func aJobThatWasCommittedLateAndAWaitingRetryDoNotWaitForEachOther() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        try await producer.script("begin")
        let late = try await enqueue(producer)
        let first = try await enqueue(queue)
        let begun = try await worker.claim(4)
        #expect(begun.map(\.id) == [first])
        _ = try await worker.finish([JobOutcome(begun[0], .retry, delay: .seconds(3600))], keepPayloads: false)
        try await producer.script("commit")
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await queue.inspector.waiting(late) == "blocked")
        try await queue.inspector.makeDue(first)
        let again = try await worker.claim(4)
        #expect(again.map(\.id) == [first])
        try await finish(worker, again)
        #expect(try await worker.claim(4).map(\.id) == [late])
    }

    /// Two claims have locked jobs of the same two targets, each in the other's way, and neither may wait for the other.
    @Test func twoClaimsThatBlockEachOthersJobsDoNotWaitForEachOther() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        // The first claim locks the urgent jobs, the second one the others; each has the first job of one target.
        let first = [try await enqueue(queue, "a", ", priority => 0"), try await enqueue(queue, "b")]
        let second = [try await enqueue(queue, "a"), try await enqueue(queue, "b", ", priority => 0")]
        try await one.claims.script("begin; select * from sheetsync.claim(\(one.epoch), 2, '{\"write\":2}')")
        #expect(try await two.claim(4).isEmpty)
        try await one.claims.script("commit")
        #expect(try await two.claim(4).map(\.id) == [first[1]])
        #expect(try await queue.inspector.locks() == ["file:a": first[0], "file:b": first[1]])
        for id in second { #expect(try await queue.inspector.waiting(id) == "blocked") }
    }

    /// The first blocked job is locked by a cancel just when it should be unblocked; the cancel is committed.
    @Test func aCancelOfTheNextJobLetsTheOneAfterItFollow() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        _ = try await enqueue(queue)
        let begun = try await worker.claim(1)
        let (second, third) = (try await enqueue(queue), try await enqueue(queue))
        #expect(try await worker.claim(4).isEmpty)
        try await producer.script("begin; select sheetsync.cancel(\(second))")
        try await finish(worker, begun)
        try await producer.script("commit")
        #expect(try await worker.claim(4).map(\.id) == [third])
    }

    /// A worker is taken for dead while its claim is under way; neither waits for the other.
    @Test func aReclaimOfAClaimingWorkersJobsDoesNotWaitForItsClaim() async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        _ = try await enqueue(queue, "s", ", max_attempts => 1")
        #expect(try await one.claim(1).count == 1)
        _ = try await enqueue(queue)
        try await one.claims.script("begin; select * from sheetsync.claim(\(one.epoch), 1, '{\"write\":1}')")
        try await queue.inspector.silence(epoch: one.epoch)
        #expect(
            try await two.reclaim(silentFor: .seconds(1800)).isEmpty, "its claim keeps it from being taken for dead")
        try await one.claims.script("commit")
        #expect(try await two.reclaim(silentFor: .seconds(1800)).count == 1)
        #expect(try await two.claim(1).count == 1)
    }
}
