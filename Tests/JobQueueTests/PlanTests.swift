import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What the hot statements touch in tables with a long history: numbers of rows and buffers, no times.
@Suite struct PlanTests {
    private static let history = 20_000

    private func filledQueue(waiting: Int) async throws -> TestQueue {
        let queue = try await TestQueue.make()
        try await queue.connection.script(
            """
            set search_path = sheetsync;
            insert into job (kind, priority, max_attempts, owner, enqueued_by, payload, scheduled_at)
            select 'noop', 5, 10, 'owner ' || n % 50, 'postgres', '{}', now() from generate_series(1, \(Self.history + waiting)) n;
            insert into outcome (id, state, attempt) select id, 'completed', 1 from job where id <= \(Self.history);
            insert into failure (id, attempt, error) select id, 1, '{}' from job where id <= \(Self.history);
            insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, owner)
            select id, kind, priority, 0, 0, false, now(), owner from job where id > \(Self.history);
            reset search_path
            """)
        try await queue.connection.query("vacuum analyze")
        return queue
    }

    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let worker = WorkerStatements(schema: "sheetsync", work: queue.connection, control: queue.connection)
        try await worker.enter(name: "test", version: "0", concurrency: 500)
        return worker
    }

    /// The buffers that a statement touched, in the functions that it calls as well.
    private func buffers(_ statement: Query, on connection: Connection) async throws -> Int {
        let row = try await connection.query(statement)[0]
        let plan = try JSON(parsing: try row.text("QUERY PLAN"))[0]?["Plan"]
        return (plan?["Shared Hit Blocks"]?.int ?? .max / 2) + (plan?["Shared Read Blocks"]?.int ?? .max / 2)
    }

    @Test func claimAndFinishUseTheIndexes() async throws {
        let queue = try await filledQueue(waiting: 20_000)
        let worker = try await worker(queue)
        let epoch = worker.epoch
        try await queue.connection.transaction { db throws(PostgresError) in
            try db.query("select from sheetsync.claim(\(epoch), 100, '{\"noop\":100}')")
            try db.query(
                """
                select from sheetsync.finish(\(epoch), (select jsonb_agg(jsonb_build_object('id', id, 'lease_no', lease_no,
                    'end', (array['completed', 'discarded', 'retry', 'release'])[1 + id % 4], 'error', '{"code": "x"}'::jsonb))
                    from sheetsync.lease))
                """)
            let touched = try db.query(
                """
                select relname, seq_tup_read as read, coalesce(idx_tup_fetch, 0) as fetched from pg_stat_xact_user_tables
                where schemaname = 'sheetsync' and relname in ('job', 'ready', 'outcome', 'failure')
                """)
            #expect(touched.count == 4)
            for row in touched {
                let table = try row.text("relname")
                #expect(try row.int("read") == 0, "\(table) was scanned")
                #expect(try row.int("fetched") <= 1000, "\(table) was read by an index that does not fit")
            }
        }
        #expect(try await queue.psql("select count(*) from sheetsync.outcome") == "\(Self.history + 50)")
    }

    @Test func aClaimStaysCheapWhileDeadRowsCannotBeRemoved() async throws {
        let queue = try await filledQueue(waiting: 40_000)
        let worker = try await worker(queue)
        let watcher = Connection(try queue.configuration(), label: "watcher")
        try await watcher.script("begin isolation level repeatable read; select count(*) from sheetsync.ready")
        for _ in 0..<40 {
            let jobs = try await worker.claim(500, held: [])
            #expect(jobs.count == 500)
            let states = try await worker.finish(jobs.map { JobEnding($0, .completed) }, keepPayloads: false)
            #expect(states.count == 500)
        }
        // The second of two, since the first fills the session's caches.
        let claim: Query =
            "explain (analyze, buffers, format json) select * from sheetsync.claim(\(worker.epoch), 100, '{\"noop\":100}')"
        _ = try await buffers(claim, on: queue.connection)
        _ = try await queue.psql("delete from sheetsync.lease")
        let touched = try await buffers(claim, on: queue.connection)
        #expect(touched < 4000)
        try await watcher.script("rollback")
    }
}
