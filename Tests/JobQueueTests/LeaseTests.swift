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
        try await statements.register(name: "test", version: "0", concurrency: 4)
        return statements
    }

    @Test func givesBackWhatALostAnswerTook() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{}') from generate_series(1, 3)")
        let known = try await worker.claim(1)
        let lost = try #require(try await worker.claim(1).first)
        func beat() async throws { _ = try await worker.beat(.init(known: known.map(\.leaseNumber))) }
        // The answer may be under way yet.
        try await beat()
        #expect(try await queue.jobs.find(lost.id)?.state == "running")
        try await queue.inspector.ageLeases(bySeconds: 61)
        try await beat()
        #expect(try await queue.jobs.find(lost.id)?.state == "available")
        #expect(try await queue.jobs.find(lost.id)?.json["attempt"] == 0)
        #expect(try await queue.jobs.find(known[0].id)?.state == "running")
        let again = try await worker.claim(5)
        #expect(again.count == 2 && again.contains { $0.id == lost.id && $0.attempt == 1 && $0.isRedelivered })
    }

    @Test func aJobWhoseKindIsGoneEndsAllTheSame() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for _ in 1...2 { _ = try await queue.jobs.enqueue(kind: "noop", payload: [:]) }
        let claimed = try await worker.claim(1)
        _ = try await queue.psql("delete from sheetsync.kind where name = 'noop'")
        #expect(try await worker.finish([JobOutcome(claimed[0], .cancelled)], keepPayloads: false).count == 1)
        #expect(try await queue.jobs.find(1)?.state == "cancelled")
        #expect(try await queue.jobs.cancel(2))
        #expect(try await queue.jobs.find(2)?.state == "cancelled")
    }

    @Test func signingInAgainIsNoError() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await worker.register(name: "test", version: "0", concurrency: 4)
        #expect(try await queue.inspector.count(.worker) == 1)
    }

    @Test func leavingGivesBackWithoutCost() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', max_attempts => 1)")) ?? 0
        _ = try await worker.claim(1)
        try await worker.deregister()
        #expect(try await queue.jobs.find(id)?.state == "available")
        #expect(try await queue.jobs.find(id)?.json["attempt"] == 0)
    }

    @Test func aWorkerTakenForDeadClaimsNothing() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        try await queue.inspector.forgetWorkers()
        let error = await #expect(throws: PostgresError.self) { try await worker.claim(1) }
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
            try await queue.psql("select error ->> 'code' from sheetsync.attempt_error") == "queue.payload_unreadable")
    }

    @Test func anEndingThatTheDatabaseRefusesHoldsUpNobody() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { job, _ in
            switch job.payload["how"]?.string {
            case "refused result": return ["refuse": "this"]
            case "refused error": throw JobFailure(code: "test.refused", message: "This.", retry: .never)
            case "for ever": throw JobFailure(code: "test.long", message: "Wait.", retry: .after(.seconds(Int.max)))
            default: return "fine"
            }
        }
        // As a type or a size that the server does not take.
        _ = try await queue.psql(
            """
            alter table sheetsync.outcome add constraint test_result check (not coalesce(result ? 'refuse', false));
            alter table sheetsync.attempt_error add constraint test_error check (error ->> 'code' <> 'test.refused')
            """)
        try await queue.withWorker(["noop": handler]) { queue in
            var ids: [Int] = []
            for how in ["refused result", "refused error", "for ever", "well"] {
                ids.append(try await queue.jobs.enqueue(kind: "noop", payload: ["how": .string(how)]))
            }
            try await queue.expect(ids[3], "completed")
            try await queue.expect(ids[0], "completed")
            #expect(try await queue.jobs.find(ids[0])?.lastError?.code == "queue.details_refused")
            try await queue.expect(ids[1], "discarded")
            try await queue.expect(ids[2], "retryable")
        }
    }

    /// What handlers and Google said arrives in any database, with question marks for what that does not keep.
    @Test(arguments: [nil, "LATIN1"]) func whateverIsSaidOfAJobIsKept(encoding: String?) async throws {
        let queue = try await TestQueue.make(encoding: encoding)
        let handler = ClosureHandler { job, progress in
            try await progress.save(["title": "“\0”"], step: "writing “é” \0 😀")
            if job.payload["fails"] == true {
                throw JobFailure(code: "test.failed", message: "“é” \0 😀", retry: .never)
            }
            return ["text": "“é” \0 😀"]
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let fails = try await queue.jobs.enqueue(kind: "noop", payload: ["fails": true])
            let works = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(fails, "discarded")
            try await queue.expect(works, "completed")
            let words = encoding == nil ? "“é” ? 😀" : "'é' ? ?"
            let failed = try #require(try await queue.jobs.find(fails))
            #expect(failed.lastError?.message == words && failed.lastError?.code == "test.failed", "\(failed.json)")
            let done = try #require(try await queue.jobs.find(works))
            #expect(done.result?["text"]?.string == words, "\(done.json)")
            #expect(done.progress?.step == "writing \(words)", "\(done.json)")
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
                seeing: { try await queue.inspector.problems() }
            ) {
                try await queue.inspector.problems().contains("test_only")
            }
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            _ = try await queue.psql("alter table sheetsync.outcome drop constraint test_only")
            try await queue.expect(refused, "completed")
        }
    }

    /// A worker that is told to stop ends, although the database goes on refusing; the job runs again.
    @Test func aWorkerThatIsToldToStopDoesNotWaitForRefusedEndingsForEver() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
            create trigger refuse before insert on sheetsync.outcome for each row execute function public.refuse()
            """)
        let job = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let ending = Task {
            try await queue.withWorker(["noop": ClosureHandler { _, _ in nil }]) { queue in
                try await wait(for: "a refusal", seeing: { try await queue.inspector.problems() }) {
                    try await queue.psql("select count(*) from sheetsync.lease") == "1"
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
        try await wait(for: "the worker to sign off", within: .seconds(60)) {
            try await queue.psql(
                "select state from sheetsync.ready where id = \(job) and not exists (select from sheetsync.worker)")
                == "available"
        }
        try await ending.value
        #expect(try await queue.jobs.find(job)?.json["attempt"] == 0, "it costs no attempt")
    }

    @Test func refusesAnEndWithoutAName() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let number = try #require(try await worker.claim(1).first).leaseNumber
        for end in ["null", "\"completet\""] {
            let endings = #"[{"id":\#(id),"lease_number":\#(number),"end":\#(end)}]"#
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
        let held = try await worker.claim(2)
        try await other.script("begin; select sheetsync.cancel(\(back)); select sheetsync.cancel(\(ended))")
        _ = try await worker.finish(
            held.map { JobOutcome($0, $0.id == back ? .retry : .discarded, error: ["code": "x"]) }, keepPayloads: false)
        try await other.script("commit")
        #expect(try await queue.inspector.count(.cancelRequest) == 2)
        #expect(try await worker.claim(2).isEmpty)
        #expect(try await queue.jobs.find(back)?.state == "cancelled")
        #expect(try await queue.jobs.find(ended)?.state == "discarded")
        #expect(try await queue.inspector.count(.cancelRequest) == 0)
        #expect(try await queue.jobs.retry(ended))
        #expect(try await worker.claim(2).map(\.id) == [ended])
        #expect(try await worker.beat(.init(inFlight: 1))?.cancelled == [])
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
        #expect(try await worker.claim(1).isEmpty)
        #expect(try await worker.markIdle().untilDue == .zero)
        try await other.script("rollback")
        #expect(try await worker.claim(1).map(\.id) == [id])
    }
}
