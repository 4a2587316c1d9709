import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// Jobs that come to a target when later ones have begun already, and claims that meet on it.
extension TargetTests {
    /// A queue whose jobs have numbers so far apart.
    private func queue(apart: Int) async throws -> TestQueue {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("alter sequence sheetsync.job_id_seq increment by \(apart)")
        return queue
    }

    /// Enqueues in a transaction that the producer leaves open.
    private func enqueue(_ producer: Connection, _ more: String = "") async throws -> Int {
        try await producer.query(
            Query(stringLiteral: "select sheetsync.enqueue('export', '{\"spreadsheet_id\":\"s\"}'\(more)) as id"))[0]
            .int("id")
    }

    @Test(arguments: [1, 1000]) func aJobThatWasCommittedLateTakesThePlaceOfItsNumber(apart: Int) async throws {
        let queue = try await queue(apart: apart)
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
        #expect(try await gate(queue, late) == 2)
        #expect(try await gate(queue, last) == 2)
        try await finish(worker, running)
        for id in [late, last] {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
    }

    /// A claim that comes upon the more urgent one finds the other one as well.
    @Test(arguments: [1, 1000]) func jobsThatWereCommittedLateTogetherKeepTheirOrder(apart: Int) async throws {
        let queue = try await queue(apart: apart)
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        try await producer.script("begin")
        let late = try await enqueue(producer)
        let urgent = try await enqueue(producer, ", priority => 0")
        _ = try await enqueue(queue)
        try await finish(worker, try await worker.claim(4))
        try await producer.script("commit")
        let jobs = try await worker.claim(1)
        #expect(jobs.map(\.id) == [late])
        #expect(try await gate(queue, urgent) == 2)
        try await finish(worker, jobs)
        #expect(try await worker.claim(1).map(\.id) == [urgent])
    }

    /// The second claim does not see the job that the first one begins, only that nothing has ever begun.
    @Test(arguments: ["commit", "rollback"]) func onlyOneBeginsOnATargetThatIsNew(end: String) async throws {
        let queue = try await TestQueue.make()
        let (one, two) = (try await worker(queue), try await worker(queue))
        let producer = Connection(try queue.configuration(), label: "producer")
        try await producer.script("begin")
        let late = try await enqueue(producer)
        let first = try await enqueue(queue)
        try await one.claims.script("begin; select * from sheetsync.claim(\(one.epoch), 1, '{\"export\":1}')")
        try await producer.script("commit")
        let claiming = Task { try await two.claim(4) }
        try await waitForLock(queue)
        try await one.claims.script(end)
        let claimed = try await claiming.value.map(\.id)
        let running = try await queue.psql("select string_agg(id::text, ' ') from sheetsync.lease")
        #expect(claimed == (end == "commit" ? [] : [late]))
        #expect(running == "\(end == "commit" ? first : late)")
        #expect(try await gate(queue, late) == (end == "commit" ? 2 : nil))
        // Whatever rows that made, they do their service, and go with the jobs.
        for _ in 1...2 {
            _ = try await queue.psql(
                """
                select sheetsync.finish(epoch, jsonb_build_array(jsonb_build_object(
                    'id', id, 'lease_no', lease_no, 'end', 'completed'))) from sheetsync.lease
                """)
            _ = try await two.claim(4)
        }
        #expect(try await queue.psql("select count(*) from sheetsync.outcome") == "2")
        #expect(try await two.removeFinished(olderThan: .seconds(-1), since: "-infinity", most: 100).removed == 2)
        #expect(try await queue.psql("select count(*) from sheetsync.head") == "0")
    }

    private func waitForLock(_ queue: TestQueue) async throws {
        try await wait(for: "one to wait for the other") {
            try await queue.psql(
                """
                select count(*) from pg_stat_activity
                where wait_event_type = 'Lock' and datname = current_database()
                """) != "0"
        }
    }

    /// The claim has let the looks begin lower, and is not committed when the head ends.
    @Test func anEndCountsAlsoWhereItWaitedForALatecomer() async throws {
        let queue = try await queue(apart: 1000)
        let (one, two) = (try await worker(queue), try await worker(queue))
        let first = try await enqueue(queue)
        try await finish(one, try await one.claim(1), .discarded)
        _ = try await enqueue(queue)
        let running = try await one.claim(1)
        let last = try await enqueue(queue)
        #expect(try await queue.jobs.retry(first))
        try await two.claims.script("begin; select * from sheetsync.claim(\(two.epoch), 4, '{\"export\":4}')")
        let ending = Task { try await finish(one, running) }
        try await waitForLock(queue)
        try await two.claims.script("commit")
        try await ending.value
        #expect(try await gate(queue, first) == 0)
        for id in [first, last] {
            let jobs = try await two.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(two, jobs)
        }
    }

    /// A cancel of the head is not committed when a claim would open a job that comes before all that wait.
    @Test(arguments: ["commit", "rollback"]) func aRetriedJobWaitsForALockedTarget(end: String) async throws {
        let queue = try await queue(apart: 1000)
        let worker = try await worker(queue)
        let producer = Connection(try queue.configuration(), label: "producer")
        let first = try await enqueue(queue)
        try await finish(worker, try await worker.claim(1), .discarded)
        let head = try await enqueue(queue)
        try await finish(worker, try await worker.claim(1), .release)
        let last = try await enqueue(queue, "s", ", priority => 0")
        try await producer.script("begin; select sheetsync.cancel(\(head))")
        #expect(try await queue.jobs.retry(first))
        #expect(try await worker.claim(4).isEmpty)
        #expect(try await gate(queue, first) == 1)
        try await producer.script(end)
        for id in (end == "commit" ? [] : [head]) + [first, last] {
            let jobs = try await worker.claim(4)
            #expect(jobs.map(\.id) == [id])
            try await finish(worker, jobs)
        }
    }
}
