import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What the hot statements touch in tables with a long history: numbers of rows and buffers, no times.
@Suite struct PlanTests {
    /// A queue with so many jobs that have ended, and so many that wait, of a kind that may run and of one that may not.
    private func filledQueue(
        ended: Int = 20_000, waiting: Int, closed: Int = 0, owners: Int = 50
    ) async throws -> TestQueue {
        let queue = try await TestQueue.make()
        try await queue.connection.script(
            """
            set search_path = sheetsync;
            insert into job (kind, priority, max_attempts, owner, enqueued_by, payload, scheduled_at)
            select case when n <= \(ended + waiting) then 'noop' else 'write' end, 5, 10, 'owner ' || n % \(owners), 'postgres',
                   '{}', now() from generate_series(1, \(ended + waiting + closed)) n;
            insert into outcome (id, state, attempt) select id, 'completed', 1 from job where id <= \(ended);
            insert into attempt_error (job_id, attempt, error) select id, 1, '{}' from job where id <= \(ended);
            insert into ready (id, kind, priority, enqueued_by, owner, state, run_at)
            select id, kind, 5, 'postgres', owner, 'available', now() from job where id > \(ended);
            reset search_path
            """)
        try await queue.connection.query("vacuum analyze")
        return queue
    }

    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 500)
        return worker
    }

    /// What was read of the great tables, in transactions that the server has not reported yet too.
    private func touched(by db: isolated Connection) throws(PostgresError) -> [Row] {
        try db.query(
            """
            select relname, seq_tup_read as read, coalesce(idx_tup_fetch, 0) as fetched from pg_stat_xact_user_tables
            where schemaname = 'sheetsync' and relname in ('job', 'ready', 'outcome', 'attempt_error') order by relname
            """)
    }

    @Test func claimAndFinishUseTheIndexes() async throws {
        let queue = try await filledQueue(waiting: 20_000)
        let worker = try await worker(queue)
        let epoch = worker.epoch
        try await queue.connection.transaction { db throws(PostgresError) in
            let before = try touched(by: db)
            try db.query("select from sheetsync.claim(\(epoch), 100, '{\"noop\":100}')")
            try db.query(
                """
                select from sheetsync.finish(\(epoch), (select jsonb_agg(jsonb_build_object('id', id, 'lease_number', number,
                    'outcome', (array['completed', 'discarded', 'retry', 'snooze'])[1 + id % 4], 'error', '{"code": "x"}'::jsonb))
                    from sheetsync.lease))
                """)
            let after = try touched(by: db)
            #expect(before.count == 4 && after.count == 4)
            for (before, after) in zip(before, after) {
                let table = try after.text("relname")
                #expect(try after.int("read") == before.int("read"), "\(table) was scanned")
                let fetched = try after.int("fetched") - before.int("fetched")
                #expect(fetched <= 1000, "\(table) was read by an index that does not fit")
            }
        }
        #expect(try await queue.inspector.count(.outcome) == 20050)
    }

    /// The plans of a worker that began on an empty queue serve it also when the queue is full.
    @Test func aWorkerOfAnEmptyQueueReadsOnlyWhatItTakesOnceItIsFull() async throws {
        let queue = try await TestQueue.make()
        let epoch = try await worker(queue).epoch
        let claim: Query =
            """
            select from sheetsync.claim(\(epoch), 16, '{"write":16,"make":16,"paint":16,"noop":16}')
            """
        for _ in 1...3 { try await queue.connection.query(claim) }
        _ = try await queue.psql("select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 3000)")
        try await queue.connection.transaction { db throws(PostgresError) in
            for _ in 1...10 { try db.query(claim) }
            let read = try db.query(
                """
                select coalesce(idx_tup_fetch, 0) + seq_tup_read as read from pg_stat_xact_user_tables
                where schemaname = 'sheetsync' and relname = 'ready'
                """)[0].int("read")
            let held = try db.query("select count(*) as held from sheetsync.lease")[0].int("held")
            #expect(held == 160)
            #expect(read <= 2000)
        }
    }

    /// A plan that a setting forbids, taken for lack of another, costs so much that the server would compile it in each call.
    @Test func noFunctionThatForbidsPlansLetsThemBeCompiled() async throws {
        let queue = try await TestQueue.make()
        let rows = try await queue.connection.query(
            """
            select proname, 'jit=off' = any (proconfig) as spared from pg_proc
            where pronamespace = 'sheetsync'::regnamespace and proconfig::text like '%enable_%=off%'
            """)
        #expect(rows.count >= 5)
        for row in rows {
            let name = try row.text("proname")
            #expect(try row.bool("spared"), "\(name) may be compiled")
        }
    }

    /// The buffers of each hot statement, for one batch of 16 jobs, when the session's caches are warm.
    private func hotStatements(_ queue: TestQueue) async throws -> [String: Int] {
        let worker = try await worker(queue)
        let epoch = worker.epoch
        let statements: [(String, Query)] = [
            (
                "claim",
                """
                explain (analyze, buffers, format json)
                select * from sheetsync.claim(\(epoch), 16, '{"noop":16}')
                """
            ),
            (
                "finish",
                """
                explain (analyze, buffers, format json) select * from sheetsync.finish(\(epoch), current_setting('my.endings')::jsonb)
                """
            ),
            (
                "heartbeat",
                """
                explain (analyze, buffers, format json)
                select * from sheetsync.heartbeat(\(epoch), 0, true, null, null, '{}', 60, null)
                """
            ),
            ("mark_idle", "explain (analyze, buffers, format json) select * from sheetsync.mark_idle()"),
            ("mark_busy", "explain (analyze, buffers, format json) select * from sheetsync.mark_busy(\(epoch))"),
            (
                "reclaim",
                "explain (analyze, buffers, format json) select * from sheetsync.reclaim(1800)"
            ),
            (
                "enqueue",
                """
                explain (analyze, buffers, format json)
                select sheetsync.enqueue('noop', '{}', gen_random_uuid()::text, owner => 'owner 1')
                """
            ),
        ]
        var touched: [String: Int] = [:]
        for _ in 1...6 {
            for (name, statement) in statements {
                if name == "finish" {
                    try await queue.connection.query(
                        """
                        select set_config('my.endings', (select jsonb_agg(
                            jsonb_build_object('id', id, 'lease_number', number, 'outcome', 'completed'))
                            from sheetsync.lease)::text, false)
                        """)
                }
                touched[name] = try await queue.connection.buffers(statement)
            }
        }
        return touched
    }

    /// History, and jobs of a kind that may not run, cost the hot statements nothing.
    @Test func noHotStatementReadsInProportionToWhatHasEndedOrMayNotRun() async throws {
        let small = try await hotStatements(try await filledQueue(ended: 1000, waiting: 2000, closed: 100))
        let large = try await hotStatements(try await filledQueue(ended: 30_000, waiting: 2000, closed: 30_000))
        #expect(small.count == 7 && small.keys == large.keys)
        for (name, touched) in large {
            // A tree that has a level more is one more buffer a look.
            #expect(touched < (small[name] ?? 0) * 2 + 50, "\(name): \(small[name] ?? 0), then \(touched)")
        }
    }

    /// Opens a transaction that keeps every row from now on from being removed.
    private func watcher(_ queue: TestQueue) async throws -> Connection {
        let watcher = Connection(try queue.configuration(), label: "watcher")
        try await watcher.script(
            """
            set idle_in_transaction_session_timeout = 0;
            begin isolation level repeatable read; select count(*) from sheetsync.ready
            """)
        return watcher
    }

    /// An open transaction keeps the rows of 24,000 ended jobs in the way, of one owner or of many.
    ///
    /// A claim passes those of the owners that it serves a few times, which takes far less than a tenth of a second.
    @Test(arguments: [1, 50, 50_000]) func rowsThatCannotBeRemovedSlowAClaimDownByAKnownAmount(owners: Int)
        async throws
    {
        let queue = try await filledQueue(ended: 1000, waiting: 26_000, closed: 5_000, owners: owners)
        let worker = try await worker(queue)
        let watcher = try await watcher(queue)
        for _ in 0..<12 {
            let ended = try await queue.connection.query(
                """
                select count(*) as n from sheetsync.finish(\(worker.epoch), (
                    select jsonb_agg(jsonb_build_object('id', c.id, 'lease_number', c.lease_number, 'outcome', 'completed'))
                    from sheetsync.claim(\(worker.epoch), 2000, '{"noop":2000}') c))
                """)[0]
            #expect(try ended.int("n") == 2000)
        }
        // Now the tables look empty to the planner, and all plans are made anew.
        try await queue.connection.query("vacuum analyze")
        let touched = try await hotStatements(queue)
        print("buffers behind 24,000 dead rows of \(owners) owners: \(touched)")
        for (name, limit) in [
            "claim": 15_000, "finish": 2_500, "heartbeat": 2_000, "reclaim": 1_000, "mark_idle": 500, "mark_busy": 100,
            "enqueue": 200,
        ] {
            let buffers = try #require(touched[name])
            #expect(buffers < limit, "\(name) of \(owners) owners")
        }
        try await watcher.script("rollback")
    }
}
