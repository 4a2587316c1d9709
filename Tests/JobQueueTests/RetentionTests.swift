import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// Old jobs go away with all that is known of them, and nothing else does.
@Suite struct RetentionTests {
    /// 1200 jobs that ended ten days ago, one that ended eight days ago, one that waits and is older than all.
    private func filledQueue() async throws -> TestQueue {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            select sheetsync.enqueue('noop', '{}', 'key ' || n) from generate_series(1, 1202) n;
            update sheetsync.job set created_at = now() - interval '100 days';
            with gone as (delete from sheetsync.ready where id <= 1201 returning id)
            insert into sheetsync.outcome (id, state, attempt, finalized_at)
            -- Job 1 is a discarded one.
            select id, (array['completed', 'discarded', 'cancelled'])[1 + id % 3], 1,
                   now() - make_interval(days => case when id = 1201 then 8 else 10 end) from gone;
            insert into sheetsync.attempt_error (job_id, attempt, error) select id, 1, '{}' from sheetsync.job;
            insert into sheetsync.progress (id, step) select id, 'x' from sheetsync.job
            """)
        return queue
    }

    private func rows(_ queue: TestQueue) async throws -> String {
        try await queue.psql(
            """
            select (select count(*) from sheetsync.job), (select count(*) from sheetsync.outcome),
                (select count(*) from sheetsync.attempt_error), (select count(*) from sheetsync.progress),
                (select count(*) from sheetsync.ready)
            """)
    }

    @Test func aWorkerRemovesWhatEndedLongAgo() async throws {
        let queue = try await filledQueue()
        #expect(try await rows(queue) == "1202|1201|1202|1202|1")
        // A kind of its own, so that the job that waits goes on waiting.
        try await queue.withWorker(
            ["make": ClosureHandler { _, _ in nil }], change: { $0.retention = .seconds(9 * 86_400) }
        ) { queue in
            try await wait(for: "the old ones to go", seeing: { try await rows(queue) }) {
                try await rows(queue) == "2|1|2|2|1"
            }
        }
        #expect(try await queue.psql("select string_agg(id::text, ' ' order by id) from sheetsync.jobs") == "1201 1202")
        // The key went with its job.
        #expect(try await queue.psql("select sheetsync.enqueue('noop', '{}', 'key 7') > 1202") == "t")
    }

    @Test func nothingIsRemovedWhereItIsKeptForEver() async throws {
        let queue = try await filledQueue()
        try await queue.withWorker(
            ["make": ClosureHandler { _, _ in nil }],
            change: {
                $0.retention = nil
                $0.maintenanceInterval = .milliseconds(20)
            }
        ) { queue in
            try await queue.expect(try await queue.jobs.enqueue(kind: "make", payload: [:]), "completed")
            try await Task.sleep(for: .milliseconds(200))
        }
        #expect(try await rows(queue) == "1203|1202|1202|1202|1")
    }

    @Test func severalRemoveBesideEachOtherAndARetryIsNotInTheWay() async throws {
        let queue = try await filledQueue()
        let retrying = Connection(try queue.configuration(), label: "producer")
        try await retrying.script("begin; select sheetsync.retry(1)")
        let removed = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<3 {
                let connection = Connection(try queue.configuration(), label: "worker")
                group.addTask {
                    let worker = WorkerStatements(on: connection)
                    var removed = 0
                    while true {
                        let batch = try await worker.removeFinished(olderThan: .seconds(9 * 86_400), most: 100)
                        removed += batch
                        if batch == 0 { return removed }
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        try await retrying.script("commit")
        let isWaiting = try await queue.inspector.count(.ready, where: "id = 1") == 1
        #expect(isWaiting && removed == 1199, "removed \(removed)")
        #expect(try await rows(queue) == "3|1|3|3|2")
    }
}
