import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What the statements touch for one spreadsheet that very many jobs have written to, while an open transaction keeps the
/// rows of all those jobs in the way: numbers of buffers, no times.
@Suite struct TargetPlanTests {
    /// What each statement touched, in the order of a few jobs' lives.
    private struct Touched: CustomStringConvertible {
        var steps: [(name: String, buffers: Int)] = []
        var description: String { steps.map { "\($0.name) \($0.buffers)" }.joined(separator: ", ") }
    }

    private let enqueue: Query =
        """
        explain (analyze, buffers, format json) select sheetsync.enqueue('export', '{"spreadsheet_id":"s"}')
        """

    private func claim(_ epoch: Int) -> Query {
        """
        explain (analyze, buffers, format json)
        select * from sheetsync.claim(\(epoch), 4, '{"export":4}', look_back => false)
        """
    }

    /// Ends what runs.
    private func finish(_ how: String, _ epoch: Int, _ queue: TestQueue) async throws -> Int {
        let endings = try await queue.connection.query(
            """
            select jsonb_agg(jsonb_build_object('id', id, 'lease_no', lease_no, 'end', \(how)::text))::text as endings
            from sheetsync.lease
            """)[0].text("endings")
        return try await queue.connection.buffers(
            "explain (analyze, buffers, format json) select * from sheetsync.finish(\(epoch), \(endings)::jsonb)")
    }

    private func steer(_ how: String, _ id: Int, _ queue: TestQueue) async throws -> Int {
        how == "cancel"
            ? try await queue.connection.buffers(
                "explain (analyze, buffers, format json) select sheetsync.cancel(\(id))")
            : try await queue.connection.buffers(
                "explain (analyze, buffers, format json) select sheetsync.retry(\(id))")
    }

    private func last(of table: String, _ queue: TestQueue) async throws -> Int {
        try await queue.connection.query("select max(id) as id from sheetsync.\(identifier: table)")[0].int("id")
    }

    /// Takes five jobs through all that can happen to them, and leaves none behind.
    private func live(_ queue: TestQueue, _ epoch: Int) async throws -> Touched {
        var touched = Touched()
        func step(_ name: String, _ buffers: Int) { touched.steps.append((name, buffers)) }
        let db = queue.connection
        for _ in 1...4 { step("enqueue", try await db.buffers(enqueue)) }
        step("claim", try await db.buffers(claim(epoch)))
        #expect(try await queue.psql("select gate, count(*) from sheetsync.ready group by gate") == "2|3")
        step("finish", try await finish("completed", epoch, queue))
        step("claim of the next", try await db.buffers(claim(epoch)))
        step("attempt again", try await finish("retry", epoch, queue))
        step("claim again", try await db.buffers(claim(epoch)))
        step("cancel behind it", try await steer("cancel", last(of: "ready", queue), queue))
        step("enqueue behind it", try await db.buffers(enqueue))
        step("parking claim", try await db.buffers(claim(epoch)))
        step("discard", try await finish("discarded", epoch, queue))
        // That opened the next one, which is cancelled and opens the last one.
        let opened = try #require(try await db.query("select id from sheetsync.ready where gate = 0").first).int("id")
        step("cancel in front", try await steer("cancel", opened, queue))
        #expect(try await queue.psql("select gate, count(*) from sheetsync.ready group by gate") == "0|1")
        step("retry", try await steer("retry", opened, queue))
        step("claim of the retried", try await db.buffers(claim(epoch)))
        #expect(try await queue.psql("select id from sheetsync.lease") == "\(opened)")
        step("finish of the retried", try await finish("completed", epoch, queue))
        step("claim of the last", try await db.buffers(claim(epoch)))
        step("finish of the last", try await finish("completed", epoch, queue))
        #expect(try await queue.psql("select count(*) from sheetsync.ready") == "0")
        return touched
    }

    /// The least that each step touched in three rounds: a plan that is made anew reads the catalogue.
    private func leastOfThree(_ queue: TestQueue, _ epoch: Int) async throws -> Touched {
        var least = try await live(queue, epoch)
        for _ in 1...2 {
            let touched = try await live(queue, epoch)
            for index in least.steps.indices {
                least.steps[index].buffers = min(least.steps[index].buffers, touched.steps[index].buffers)
            }
        }
        return least
    }

    /// Ends so many jobs one after another, a hundred of them waiting at a time; the first one is discarded.
    private func fill(_ queue: TestQueue, _ epoch: Int, ended: Int) async throws {
        _ = try await queue.psql(
            """
            do $$
            begin
                for number in 0..\(ended - 1) loop
                    if number % 100 = 0 then
                        perform sheetsync.enqueue('export', '{"spreadsheet_id":"s"}') from generate_series(1, 100);
                    end if;
                    perform sheetsync.finish(\(epoch), (
                        select jsonb_agg(jsonb_build_object('id', c.id, 'lease_no', c.lease_no,
                            'end', case number when 0 then 'discarded' else 'completed' end))
                        from sheetsync.claim(\(epoch), 4, '{"export":4}', look_back => false) c));
                    if number % 50 = 0 then commit; end if;
                end loop;
            end $$
            """)
        #expect(
            try await queue.psql(
                "select (select count(*) >= \(ended) from sheetsync.outcome), (select count(*) from sheetsync.ready)")
                == "t|0")
    }

    @Test func noStatementReadsInProportionToWhatHasEndedOnItsTarget() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.enter(name: "test", version: "0", concurrency: 4)
        // The plans are made for an empty queue, and used to the end.
        for _ in 1...3 { _ = try await live(queue, worker.epoch) }
        let clean = try await leastOfThree(queue, worker.epoch)
        let watcher = Connection(try queue.configuration(), label: "watcher")
        try await watcher.script(
            """
            set idle_in_transaction_session_timeout = 0;
            begin isolation level repeatable read; select count(*) from sheetsync.ready
            """)
        try await fill(queue, worker.epoch, ended: 20_000)
        let first = try await queue.connection.query(
            "select min(id) as id from sheetsync.outcome where state = 'discarded' and attempt = 1")[0].int("id")
        // Now the tables look empty to the planner, and all plans are made anew.
        try await queue.connection.query("vacuum analyze")
        let behind = try await leastOfThree(queue, worker.epoch)
        print("buffers of a clean target: \(clean)\nbehind 20,000 ended jobs: \(behind)")
        expect(behind, near: clean)

        // The one that comes from below all of them lets some looks pass them, until the next one has begun.
        _ = try await steer("retry", first, queue)
        var lonely = Touched()
        lonely.steps.append(("claim of the first", try await queue.connection.buffers(claim(worker.epoch))))
        #expect(try await queue.psql("select id from sheetsync.lease") == "\(first)")
        lonely.steps.append(("its finish", try await finish("completed", worker.epoch, queue)))
        _ = try await queue.connection.buffers(enqueue)
        lonely.steps.append(("claim of the next", try await queue.connection.buffers(claim(worker.epoch))))
        lonely.steps.append(("its finish", try await finish("completed", worker.epoch, queue)))
        print("around the first, retried by hand: \(lonely)")
        expect(try await leastOfThree(queue, worker.epoch), near: clean)
        #expect(try await queue.psql("select max(age(backend_xmin)) > 300 from pg_stat_activity") == "t")
        try await watcher.script("rollback")
    }

    /// A look passes what has ended among the last hundred jobs, in two indexes at most and as often as it is begun.
    private func expect(_ touched: Touched, near clean: Touched) {
        #expect(touched.steps.count == clean.steps.count)
        for (now, before) in zip(touched.steps, clean.steps) {
            #expect(now.buffers < before.buffers * 2 + 1000, "\(now.name): \(before.buffers), then \(now.buffers)")
        }
    }
}
