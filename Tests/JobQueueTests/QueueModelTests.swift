import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// Random work by several workers and producers, then the promises of the queue.
@Suite struct QueueModelTests {
    private func expectInvariants(_ queue: TestQueue, _ ledger: Ledger, _ when: String) async throws {
        let broken = try await queue.connection.query(
            """
            select 'job ' || id || ' is in ' || places || ' places' as what from (
                select j.id, (select count(*) from sheetsync.ready r where r.id = j.id)
                    + (select count(*) from sheetsync.lease l where l.id = j.id)
                    + (select count(*) from sheetsync.outcome o where o.id = j.id) as places from sheetsync.job j) p
            where places <> 1
            union all
            select 'a place without a job: ' || p.id from (select id from sheetsync.ready union all
                select id from sheetsync.lease union all select id from sheetsync.outcome) p
            where not exists (select from sheetsync.job j where j.id = p.id)
            union all
            select 'job ' || id || ' has made ' || attempt || ' of ' || max_attempts || ' attempts' from sheetsync.job
            join (select id, attempt + 1 as attempt from sheetsync.ready union all
                select id, attempt from sheetsync.lease union all select id, attempt from sheetsync.outcome) p using (id)
            where attempt > max_attempts or attempt < 0
            union all
            select 'job ' || l.id || ' runs and is not the head of its target' from sheetsync.lease l
            where l.target is not null and not exists (
                select from sheetsync.head h where h.target = l.target and h.id = l.id)
            union all
            select 'job ' || h.id || ' is the head and has ended' from sheetsync.head h join sheetsync.outcome using (id)
            union all
            select 'job ' || h.id || ' is a head below another row' from sheetsync.head h
            where h.id is not null and exists (select from sheetsync.head x where x.target = h.target and x.no > h.no)
            """)
        #expect(try broken.map { try $0.text("what") } == [], "\(when)")
        let entries = ledger.all
        #expect(entries.complaints == [], "\(when)")
        var failures: [Int: Int] = [:]
        for row in try await queue.connection.query("select id, count(*) as n from sheetsync.failure group by id") {
            failures[try row.int("id")] = try row.int("n")
        }
        #expect(failures == entries.failures, "\(when)")
        var results: [Int: JSON] = [:]
        for row in try await queue.connection.query(
            "select id, result::text as result from sheetsync.outcome where state = 'completed'")
        {
            results[try row.int("id")] = try JSON(parsing: try row.text("result"))
        }
        #expect(results == entries.results, "\(when)")
        #expect(try await queue.psql("select count(*) from sheetsync.job") == "\(entries.ids.count)", "\(when)")
    }

    /// Lets the database itself watch over targets: one job at most of each runs, it is the head, and when it became that
    /// nobody waited before it.
    ///
    /// - Parameter inOrder: Whether nobody else commits between the decision and this look at it.
    private func watchTargets(_ queue: TestQueue, inOrder: Bool) async throws {
        _ = try await queue.psql(
            """
            create unique index on sheetsync.lease (target);
            create unique index on sheetsync.head (target) where id is not null;
            create function sheetsync.watch_lease() returns trigger language plpgsql as $$
            begin
                if not exists (select from sheetsync.head h where h.target = new.target and h.id = new.id) then
                    raise exception 'job % runs and is not the head of %', new.id, new.target;
                end if;
                return null;
            end $$;
            create trigger watch after insert on sheetsync.lease for each row when (new.target is not null)
            execute function sheetsync.watch_lease();
            create function sheetsync.watch_head() returns trigger language plpgsql as $$
            declare begun bigint;
            begin
                select e.id into begun from sheetsync.ready e
                where \(inOrder) and e.target = new.target and e.gate <> 1 and e.id < new.id;
                if found then
                    raise exception 'job % begins before %', new.id, begun;
                end if;
                return null;
            end $$;
            create trigger watch after update on sheetsync.head for each row when (old.id is null and new.id is not null)
            execute function sheetsync.watch_head()
            """)
    }

    private func expectNothingLeft(_ queue: TestQueue) async throws {
        #expect(try await queue.psql("select count(id) from sheetsync.head") == "0")
        let targeted = "select count(*) > 20 from sheetsync.job where target is not null"
        #expect(try await queue.psql(targeted) == "t")
    }

    private func drain(_ queue: TestQueue, _ actors: inout [QueueActor]) async throws {
        for round in 1...1000 {
            var isDone = true
            for index in actors.indices where !(try await actors[index].drain()) { isDone = false }
            let left = try await queue.connection.query(
                """
                select (select count(*) from sheetsync.ready) + (select count(*) from sheetsync.lease)
                    + (select count(*) from sheetsync.cancel_request) as n
                """)[0].int("n")
            if isDone, left == 0 { return }
            if round == 1000 { Issue.record("\(left) rows are stuck") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// With numbers far apart each job that was enqueued or retried earlier is one that the looks for its target begin
    /// above.
    @Test(arguments: [1, 2, 3] as [UInt64], [1, 1000]) func oneAfterAnother(seed: UInt64, apart: Int) async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("alter sequence sheetsync.job_id_seq increment by \(apart)")
        let ledger = Ledger()
        try await watchTargets(queue, inOrder: true)
        var random = SeededGenerator(seed: seed)
        var actors: [QueueActor] = []
        for number in 0..<4 as Range<UInt64> {
            actors.append(try await QueueActor(queue, ledger, seed: seed * 100 + number))
        }
        for phase in 1...6 {
            for _ in 0..<125 {
                let index = actors.indices.randomElement(using: &random) ?? 0
                try await actors[index].step()
            }
            try await expectInvariants(queue, ledger, "seed \(seed), phase \(phase)")
        }
        try await drain(queue, &actors)
        try await expectInvariants(queue, ledger, "seed \(seed), drained")
        try await expectNothingLeft(queue)
        #expect(ledger.all.ids.count > 100)
    }

    @Test func allAtOnce() async throws {
        let queue = try await TestQueue.make()
        let ledger = Ledger()
        try await watchTargets(queue, inOrder: false)
        var actors = try await withThrowingTaskGroup(of: QueueActor.self) { group in
            for number in 0..<6 as Range<UInt64> {
                group.addTask {
                    var actor = try await QueueActor(queue, ledger, seed: 7000 + number)
                    for _ in 0..<150 { try await actor.step() }
                    return actor
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await expectInvariants(queue, ledger, "all at once")
        try await drain(queue, &actors)
        try await expectInvariants(queue, ledger, "drained")
        try await expectNothingLeft(queue)
    }
}
