import JSON
import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// What becomes of a job when an answer is lost, an ending is refused or a cancel comes late.
@Suite struct LeaseTests {
    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let connection = Connection(try queue.configuration(), label: "worker")
        let statements = WorkerStatements(on: connection)
        try await statements.enter(name: "test", version: "0", concurrency: 4)
        return statements
    }

    @Test func handsOutAgainWhatALostAnswerTook() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{}') from generate_series(1, 3)")
        let known = try await worker.claim(1, held: [])
        let lost = try #require(try await worker.claim(1, held: known.map(\.leaseNumber)).first)
        let again = try await worker.claim(5, held: known.map(\.leaseNumber))
        #expect(again.count == 2)
        #expect(again.contains { $0.leaseNumber == lost.leaseNumber && $0.attempt == 1 })
        #expect(Set((known + again).map(\.id)).count == 3)
        #expect(try await worker.claim(5, held: (known + again).map(\.leaseNumber)).isEmpty)
    }

    @Test func signingInAgainIsNoError() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await worker.enter(name: "test", version: "0", concurrency: 4)
        #expect(try await queue.psql("select count(*) from sheetsync.worker") == "1")
    }

    @Test func leavingGivesBackWithoutCost() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', max_attempts => 1)")) ?? 0
        _ = try await worker.claim(1, held: [])
        try await worker.leave()
        #expect(try await queue.jobs.find(id)?.state == "available")
        #expect(try await queue.jobs.find(id)?.json["attempt"] == 0)
    }

    @Test func aWorkerTakenForDeadClaimsNothing() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        _ = try await queue.psql("delete from sheetsync.worker")
        let error = await #expect(throws: PostgresError.self) { try await worker.claim(1, held: []) }
        #expect(error?.sqlState == "55000")
        #expect(try await queue.jobs.find(id)?.json["attempt"] == 0)
    }

    @Test func aPayloadThatCannotBeReadHarmsOnlyItsJob() async throws {
        let queue = try await TestQueue.make()
        let deep = Int(
            try await queue.psql(
                "select sheetsync.enqueue('noop', ('{\"a\":' || repeat('[', 1000) || repeat(']', 1000) || '}')::jsonb)")
        )
        let good = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        try await queue.withWorker(["noop": ClosureHandler { _, _ in nil }]) { queue in
            try await queue.expect(good, "completed")
            try await wait(for: "the deep one") {
                try await queue.psql("select state from sheetsync.outcome where id = \(deep ?? 0)") == "discarded"
            }
        }
        #expect(
            try await queue.psql("select error ->> 'code' from sheetsync.failure") == "queue.payload_unreadable")
    }

    @Test func anEndingThatTheDatabaseRefusesHoldsUpNobody() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { job, _ in
            switch job.payload["how"]?.string {
            case "nul result": return ["text": "a\0b"]
            case "nul error": throw JobFailure(code: "test.nul", message: "a\0b", retry: .never)
            case "for ever": throw JobFailure(code: "test.long", message: "Wait.", retry: .after(.seconds(Int.max)))
            default: return "fine"
            }
        }
        try await queue.withWorker(["noop": handler]) { queue in
            var ids: [Int] = []
            for how in ["nul result", "nul error", "for ever", "well"] {
                ids.append(try await queue.jobs.enqueue(kind: "noop", payload: ["how": .string(how)]))
            }
            try await queue.expect(ids[3], "completed")
            try await queue.expect(ids[0], "completed")
            #expect(try await queue.jobs.find(ids[0])?.lastError?.code == "queue.details_refused")
            try await queue.expect(ids[1], "discarded")
            try await queue.expect(ids[2], "retryable")
        }
    }

    /// Nothing that an ending could leave out makes the database take it.
    @Test func anEndingThatIsRefusedForGoodHoldsUpNobodyAndIsNotLost() async throws {
        let queue = try await TestQueue.make()
        let refused = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        _ = try await queue.psql("alter table sheetsync.outcome add constraint test_only check (id <> \(refused))")
        try await queue.withWorker(["noop": ClosureHandler { _, _ in nil }]) { queue in
            try await wait(
                for: "the refusals", within: .seconds(30),
                seeing: { try await queue.psql("select * from sheetsync.worker") }
            ) {
                try await queue.psql("select count(*) from sheetsync.worker where last_error like '%test_only%'") == "1"
            }
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            _ = try await queue.psql("alter table sheetsync.outcome drop constraint test_only")
            try await queue.expect(refused, "completed")
        }
    }

    @Test func refusesAnEndWithoutAName() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let number = try #require(try await worker.claim(1, held: []).first).leaseNumber
        for end in ["null", "\"completet\""] {
            let endings = #"[{"id":\#(id),"lease_no":\#(number),"end":\#(end)}]"#
            await #expect(throws: PostgresError.self) {
                try await worker.claims.query("select * from sheetsync.finish(\(worker.epoch), \(endings)::jsonb)")
            }
        }
        #expect(try await queue.jobs.find(id)?.state == "running")
    }

    @Test func aCancelThatComesWhileTheJobIsPutBackCancelsIt() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let other = Connection(try queue.configuration(), label: "producer")
        let back = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let ended = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let held = try await worker.claim(2, held: [])
        try await other.script("begin; select sheetsync.cancel(\(back)); select sheetsync.cancel(\(ended))")
        _ = try await worker.finish(
            held.map { JobEnding($0, $0.id == back ? .retry : .discarded, error: ["code": "x"]) }, keepPayloads: false)
        try await other.script("commit")
        #expect(try await queue.psql("select count(*) from sheetsync.cancel_request") == "2")
        #expect(try await worker.claim(2, held: []).isEmpty)
        #expect(try await queue.jobs.find(back)?.state == "cancelled")
        #expect(try await queue.jobs.find(ended)?.state == "discarded")
        #expect(try await queue.psql("select count(*) from sheetsync.cancel_request") == "0")
        #expect(try await queue.jobs.retry(ended))
        #expect(try await worker.claim(2, held: []).map(\.id) == [ended])
        #expect(try await worker.beat(inFlight: 1, lastError: nil)?.cancelled == [])
    }

    @Test func anOpenCancelOfADueJobHoldsUpNoClaim() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let other = Connection(try queue.configuration(), label: "producer")
        let id =
            Int(
                try await queue.psql("select sheetsync.enqueue('noop', '{}', run_at => now() + interval '20 ms')")) ?? 0
        try await other.script("begin; select sheetsync.cancel(\(id))")
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await worker.claim(1, held: []).isEmpty)
        #expect(try await worker.arm().untilDue == .zero)
        try await other.script("rollback")
        #expect(try await worker.claim(1, held: []).map(\.id) == [id])
    }
}
