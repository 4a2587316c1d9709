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
            select case when n <= \(ended + waiting) then 'noop' else 'export' end, 5, 10, 'owner ' || n % \(owners), 'postgres',
                   '{}', now() from generate_series(1, \(ended + waiting + closed)) n;
            insert into outcome (id, state, attempt) select id, 'completed', 1 from job where id <= \(ended);
            insert into failure (id, attempt, error) select id, 1, '{}' from job where id <= \(ended);
            insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, line, turn)
            select id, kind, 5, 0, 0, false, now(), line_of(kind, 5, owner),
                   turn_after(0, 1 + (id - \(ended)) / \(owners), id) from job where id > \(ended);
            reset search_path
            """)
        try await queue.connection.query("vacuum analyze")
        return queue
    }

    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let worker = WorkerStatements(on: queue.connection)
        try await worker.enter(name: "test", version: "0", concurrency: 500)
        return worker
    }

    /// What was read of the great tables, in transactions that the server has not reported yet too.
    private func touched(by db: isolated Connection) throws(PostgresError) -> [Row] {
        try db.query(
            """
            select relname, seq_tup_read as read, coalesce(idx_tup_fetch, 0) as fetched from pg_stat_xact_user_tables
            where schemaname = 'sheetsync' and relname in ('job', 'ready', 'outcome', 'failure') order by relname
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
                select from sheetsync.finish(\(epoch), (select jsonb_agg(jsonb_build_object('id', id, 'lease_no', lease_no,
                    'end', (array['completed', 'discarded', 'retry', 'release'])[1 + id % 4], 'error', '{"code": "x"}'::jsonb))
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
        #expect(try await queue.psql("select count(*) from sheetsync.outcome") == "20050")
    }

    /// The plans of a worker that began on an empty queue serve it also when the queue is full.
    @Test func aWorkerOfAnEmptyQueueReadsOnlyWhatItTakesOnceItIsFull() async throws {
        let queue = try await TestQueue.make()
        let epoch = try await worker(queue).epoch
        let claim: Query =
            """
            select from sheetsync.claim(\(epoch), 16, '{"export":16,"folder":16,"format":16,"noop":16}', look_back => false)
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
                select * from sheetsync.claim(\(epoch), 16, '{"noop":16}', look_back => false)
                """
            ),
            (
                "finish",
                """
                explain (analyze, buffers, format json) select * from sheetsync.finish(\(epoch), current_setting('my.endings')::jsonb)
                """
            ),
            ("beat", "explain (analyze, buffers, format json) select * from sheetsync.beat(\(epoch), 0, null)"),
            ("arm", "explain (analyze, buffers, format json) select * from sheetsync.arm()"),
            ("disarm", "explain (analyze, buffers, format json) select * from sheetsync.disarm(\(epoch))"),
            (
                "reclaim",
                "explain (analyze, buffers, format json) select * from sheetsync.reclaim(1800, look_back => false)"
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
                            jsonb_build_object('id', id, 'lease_no', lease_no, 'end', 'completed'))
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
        let large = try await hotStatements(try await filledQueue(ended: 100_000, waiting: 2000, closed: 100_000))
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

    /// An open transaction keeps the rows of a hundred thousand ended jobs in the way, of few owners or each of its own; the
    /// hot statements pass none of them, and a look back passes each once.
    @Test(arguments: [50, 200_000]) func noHotStatementReadsRowsThatCannotBeRemoved(owners: Int) async throws {
        let clean = try await hotStatements(try await filledQueue(ended: 1000, waiting: 2000, closed: 100))
        let queue = try await filledQueue(ended: 1000, waiting: 102_000, closed: 20_000, owners: owners)
        let worker = try await worker(queue)
        let watcher = try await watcher(queue)
        try await queue.connection.script(
            """
            insert into sheetsync.ready (id, kind, priority, gate, attempt, redelivered, run_at, line)
            select -n, 'noop', 5, 1, 1, true, now() - interval '1 hour', 0 from generate_series(1, 20000) n;
            delete from sheetsync.ready where id < 0
            """)
        for _ in 0..<50 {
            let ended = try await queue.connection.query(
                """
                select count(*) as n from sheetsync.finish(\(worker.epoch), (
                    select jsonb_agg(jsonb_build_object('id', c.id, 'lease_no', c.lease_no, 'end', 'completed'))
                    from sheetsync.claim(\(worker.epoch), 2000, '{"noop":2000}', look_back => false) c))
                """)[0]
            #expect(try ended.int("n") == 2000)
        }
        // Now the tables look empty to the planner, and all plans are made anew.
        try await queue.connection.query("vacuum analyze")
        let touched = try await hotStatements(queue)
        print("buffers of a clean queue: \(clean); behind 100,000 dead rows: \(touched)")
        for (name, buffers) in touched {
            #expect(buffers < (clean[name] ?? 0) * 2 + 50, "\(name): \(clean[name] ?? 0), then \(buffers)")
        }
        let back: Query =
            """
            explain (analyze, buffers, format json)
            select * from sheetsync.claim(\(worker.epoch), 16, '{"noop":16}', look_back => true)
            """
        let looking = try await queue.connection.buffers(back)
        print("looking back: \(looking)")
        #expect(looking < 10_000)
        try await watcher.script("rollback")
    }

    /// Jobs that were cancelled before their turn cost one claim, and nothing from then on.
    @Test func noHotStatementReadsJobsThatWereCancelled() async throws {
        let clean = try await hotStatements(try await filledQueue(ended: 1000, waiting: 2000, closed: 100))
        let queue = try await filledQueue(ended: 1000, waiting: 20_000)
        let watcher = try await watcher(queue)
        #expect(
            try await queue.psql("select count(*) filter (where sheetsync.cancel(id)) from sheetsync.ready") == "20000")
        #expect(try await worker(queue).claim(1).isEmpty)
        _ = try await queue.psql(
            "select count(sheetsync.enqueue('noop', '{}', owner => 'owner ' || n % 50)) from generate_series(1, 200) n")
        try await queue.connection.query("vacuum analyze")
        let touched = try await hotStatements(queue)
        print("buffers of a clean queue: \(clean); behind 20,000 cancelled jobs: \(touched)")
        for (name, buffers) in touched {
            #expect(buffers < (clean[name] ?? 0) * 2 + 50, "\(name): \(clean[name] ?? 0), then \(buffers)")
        }
        #expect(try await queue.psql("select count(*) from sheetsync.outcome where state = 'completed'") == "1096")
        try await watcher.script("rollback")
    }

    /// What one row is written for again and again: a quota's row is found at once, and the signs of life and the progress
    /// of a job pass a page for some dozens of their own rows.
    @Test func whatIsWrittenAgainAndAgainIsFoundBehindItsDeadRows() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        _ = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let job = try #require(try await worker.claim(1).first)
        let statements: [(name: String, sql: String)] = [
            ("beat", "select * from sheetsync.beat(\(worker.epoch), 1, null)"),
            (
                "report",
                "select sheetsync.report(\(worker.epoch), \(job.id), \(job.leaseNumber), 'rows', 1, 2, '{\"next\": 3}')"
            ),
            (
                "take_quota",
                "select * from sheetsync.take_quota('{user,project}', '{1000000,1000000}', 60, 1000000, 1, 0, 1, 0)"
            ),
        ]
        func touched() async throws -> [Int] {
            var buffers: [Int] = []
            for _ in 1...6 {
                buffers = []
                for statement in statements {
                    buffers.append(
                        try await queue.connection.buffers(
                            Query(stringLiteral: "explain (analyze, buffers, format json) \(statement.sql)")))
                }
            }
            return buffers
        }
        let clean = try await touched()
        let watcher = try await watcher(queue)
        _ = try await queue.psql(
            """
            do $$
            begin
                for round in 1..4000 loop
                    \(statements.map { $0.sql.replacing("select ", with: "perform ", maxReplacements: 1) }.joined(separator: "; "));
                    if round % 50 = 0 then commit; end if;
                end loop;
            end $$
            """)
        let behind = try await touched()
        print("buffers of beat, report and take_quota: \(clean), then \(behind)")
        let allowed = [4000 / 40, 4000 / 20, 50]
        for (index, statement) in statements.enumerated() {
            #expect(
                behind[index] < clean[index] * 2 + allowed[index],
                "\(statement.name): \(clean[index]), then \(behind[index])")
        }
        try await watcher.script("rollback")
    }
}
