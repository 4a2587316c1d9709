import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// Random work by several workers and producers, then the promises of the queue.
@Suite struct QueueModelTests {
    private func expectInvariants(_ queue: TestQueue, _ ledger: Ledger, _ when: String) async throws {
        #expect(try await queue.inspector.contradictions() == [], "\(when)")
        let entries = ledger.all
        #expect(entries.complaints == [], "\(when)")
        var failures: [Int: Int] = [:]
        for row in try await queue.connection.query(
            "select job_id as id, count(*) as n from sheetsync.attempt_error group by 1")
        {
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
        #expect(try await queue.inspector.count(.job) == entries.ids.count, "\(when)")
    }

    /// Lets the database itself watch over targets: whoever runs has the lock, and whoever takes a lock had nobody before it.
    ///
    /// - Parameter inOrder: Whether nobody else commits between the decision and this look at it.
    private func watchTargets(_ queue: TestQueue, inOrder: Bool) async throws {
        _ = try await queue.psql(
            """
            create function sheetsync.watch_lease() returns trigger language plpgsql as $$
            begin
                if not exists (select from sheetsync.target_lock t where t.target = new.target and t.job_id = new.id) then
                    raise exception 'job % runs without the lock of %', new.id, new.target;
                end if;
                return null;
            end $$;
            create trigger watch after insert on sheetsync.lease for each row when (new.target is not null)
            execute function sheetsync.watch_lease();
            create function sheetsync.watch_lock() returns trigger language plpgsql as $$
            declare begun bigint;
            begin
                select e.id into begun from sheetsync.ready e
                where \(inOrder) and e.target = new.target and e.state <> 'scheduled' and e.id < new.job_id;
                if found then
                    raise exception 'job % begins before %', new.job_id, begun;
                end if;
                return null;
            end $$;
            create trigger watch after insert on sheetsync.target_lock for each row execute function sheetsync.watch_lock()
            """)
    }

    private func expectNothingLeft(_ queue: TestQueue) async throws {
        #expect(try await queue.inspector.locks().isEmpty)
        #expect(try await queue.inspector.count(.job, where: "target is not null") > 20)
    }

    private func drain(_ queue: TestQueue, _ actors: inout [QueueActor]) async throws {
        for round in 1...1000 {
            var isDone = true
            for index in actors.indices where !(try await actors[index].drain()) { isDone = false }
            let left = try await queue.inspector.unfinished()
            if isDone, left == 0 { return }
            if round == 1000 { Issue.record("\(left) rows are stuck") }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// With numbers far apart each job that was enqueued or retried earlier is one that the looks for its target begin
    /// above.
    @Test(arguments: [1, 2, 3] as [UInt64], [1, 1000]) func oneAfterAnother(seed: UInt64, apart: Int) async throws {
        let queue = try await TestQueue.make()
        try await queue.inspector.spaceNumbers(by: apart)
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
