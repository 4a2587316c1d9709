import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Of which ended jobs somebody asks what they have made, and what becomes of the answers.
@Suite struct ReconcilerTests {
    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let connection = Connection(try queue.configuration(), label: "worker")
        let statements = WorkerStatements(on: connection)
        try await statements.register(name: "test", version: "0", concurrency: 4)
        return statements
    }

    /// Enqueues a job and takes it.
    private func begin(
        _ queue: TestQueue, _ worker: WorkerStatements, kind: String = "write", payload: JSON = [:],
        maxAttempts: Int = 10
    ) async throws -> Job {
        let id = try await queue.jobs.enqueue(kind: kind, payload: payload, maxAttempts: maxAttempts)
        let claimed = try await worker.claim(1)
        #expect(claimed.map(\.id) == [id])
        return try #require(claimed.first)
    }

    private func end(_ job: Job, _ kind: JobOutcome.Kind, _ worker: WorkerStatements) async throws {
        let failure = JobFailure(code: "x", message: "x", retry: .backoff)
        let states = try await worker.finish([JobOutcome(job, kind, error: failure.json)], keepPayloads: false)
        #expect(states.count == 1)
    }

    private func take(_ worker: WorkerStatements, pause: Duration = .seconds(60)) async throws -> UnreconciledJob? {
        try await worker.claimUnreconciled(kinds: ["write", "noop"], pause: pause)
    }

    /// A job that was given back and then cancelled.
    private func unreconciled(_ queue: TestQueue, _ worker: WorkerStatements) async throws -> Int {
        let job = try await begin(queue, worker)
        try await end(job, .snooze, worker)
        #expect(try await queue.jobs.cancel(job.id))
        return job.id
    }

    @Test func onlyWhoseWorkIsInDoubtIsLookedAt() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        var expected: [Int] = []

        // Those of which nobody need ask.
        try await end(try await begin(queue, worker), .completed, worker)
        try await end(try await begin(queue, worker), .discarded, worker)
        try await end(try await begin(queue, worker, kind: "noop"), .cancelled, worker)
        try await end(try await begin(queue, worker, payload: ["file": "s"]), .cancelled, worker)
        #expect(try await queue.jobs.cancel(try await queue.jobs.enqueue(kind: "write", payload: [:])))
        #expect(try await worker.beat(.init(inFlight: 0))?.hasUnreconciled == false)

        // Those that a worker stopped, or had before.
        let stopped = try await begin(queue, worker)
        try await end(stopped, .cancelled, worker)
        expected.append(stopped.id)
        expected.append(try await unreconciled(queue, worker))
        // Its attempts are used up.
        let last = try await begin(queue, worker, maxAttempts: 1)
        try await end(last, .retry, worker)
        expected.append(last.id)
        // It fails for good in a later attempt.
        let later = try await begin(queue, worker)
        try await end(later, .snooze, worker)
        try await end(try #require(try await worker.claim(1).first), .discarded, worker)
        expected.append(later.id)
        // Put back while somebody cancels it.
        let asked = try await begin(queue, worker)
        let other = Connection(try queue.configuration(), label: "other")
        try await other.script("begin; select sheetsync.cancel(\(asked.id))")
        try await end(asked, .snooze, worker)
        try await other.script("commit")
        #expect(try await worker.claim(1).isEmpty)
        expected.append(asked.id)
        // Taken from a dead worker, cancelled before that.
        let dead = try await self.worker(queue)
        let lost = try await begin(queue, dead)
        #expect(try await queue.jobs.cancel(lost.id))
        try await queue.inspector.silence(epoch: dead.epoch)
        #expect(try await worker.reclaim(silentFor: .seconds(60)) == [lost.id: "cancelled"])
        expected.append(lost.id)

        #expect(try await worker.beat(.init(inFlight: 0))?.hasUnreconciled == true)
        var taken: [Int] = []
        while let next = try await take(worker) { taken.append(next.job.id) }
        #expect(taken == expected)
        // Each once, until its pause is over.
        #expect(try await worker.beat(.init(inFlight: 0))?.hasUnreconciled == false)
        #expect(try await worker.claimUnreconciled(kinds: ["noop"], pause: .zero) == nil)
    }

    @Test func whoReconcilesFirstReconciles() async throws {
        let queue = try await TestQueue.make()
        let (one, other) = (try await worker(queue), try await worker(queue))
        let id = try await unreconciled(queue, one)
        #expect(try await queue.jobs.find(id)?.result?["warnings"]?[0]?.string?.contains("not known yet") == true)
        let first = try #require(try await take(one, pause: .zero))
        // The pause is a quarter of the time since the end at least.
        var again: UnreconciledJob?
        try await wait(for: "another look to be due") {
            again = try await take(other, pause: .zero)
            return again != nil
        }
        let second = try #require(again)
        #expect(first.job.id == id && second.job.id == id && first.job.kind == "write")
        let heard = Heard()
        let listening = try await listen(queue, heard)
        #expect(try await one.reconcile(first, result: ["file": "1"]))
        #expect(try await other.reconcile(second, result: ["file": "2"]) == false)
        #expect(try await queue.jobs.find(id)?.result == ["file": "1"])
        #expect(try await take(other, pause: .zero) == nil)
        try await wait(for: "NOTIFY", seeing: { "\(heard.all)" }) { heard.all.count == 2 }
        #expect(try JSON(parsing: #require(heard.all.last)) == ["id": JSON(id), "state": "cancelled"])
        listening.cancel()
        await listening.value
    }

    private func listen(_ queue: TestQueue, _ heard: Heard) async throws -> Task<Void, Never> {
        let configuration = try queue.configuration()
        let listening = Task {
            await NotificationListener(configuration, channels: ["sheetsync_finalized"]).run { event in
                switch event {
                case .listening: heard.add("listening")
                case .notification(let notification): heard.add(notification.payload)
                case .lost(let error): heard.add("\(error)")
                }
            }
        }
        try await wait(for: "LISTEN") { heard.all == ["listening"] }
        return listening
    }

    @Test func anAnswerAboutAnEarlierEndIsDropped() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await unreconciled(queue, worker)
        let before = try #require(try await take(worker))
        #expect(try await queue.jobs.retry(id))
        #expect(try await worker.reconcile(before, result: "late") == false)
        #expect(try await queue.jobs.find(id)?.state == "available")
        #expect(try await queue.jobs.cancel(id))
        #expect(try await worker.reconcile(before, result: "late") == false)
        let now = try #require(try await take(worker))
        // What is saved says it all, and that is nothing.
        #expect(try await worker.reconcile(now, result: nil))
        #expect(try await queue.jobs.find(id)?.result == nil)
    }

    @Test func aRetryThatIsStillOpenIsNotWaitedFor() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let id = try await unreconciled(queue, worker)
        let taken = try #require(try await take(worker, pause: .zero))
        let other = Connection(try queue.configuration(), label: "other")
        try await other.script("begin; select sheetsync.retry(\(id))")
        #expect(try await worker.reconcile(taken, result: "late") == false)
        #expect(try await take(worker) == nil)
        try await other.script("rollback")
        #expect(try await worker.reconcile(taken, result: "found"))
    }

    /// Throws at the first look, is uncertain at the second and knows at the third.
    private final class LookingHandler: JobHandler {
        let ages = Mutex<[Duration]>([])

        func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON { nil }

        func reconcile(_ job: Job, endedAgo age: Duration) async throws -> Reconciliation {
            let count = ages.withLock { ages in
                ages.append(age)
                return ages.count
            }
            if count == 1 { throw JobFailure(code: "x", message: "x", retry: .backoff) }
            return count == 2 ? .notYetKnown : .found(["look": JSON(count)])
        }
    }

    @Test func aWorkerLooksUntilItIsCertain() async throws {
        let queue = try await TestQueue.make()
        let id = try await unreconciled(queue, try await worker(queue))
        let handler = LookingHandler()
        try await queue.withWorker(
            ["write": handler],
            change: {
                $0.leaseTime = .seconds(10)
                $0.reconcileInterval = .milliseconds(100)
            }
        ) { queue in
            try await wait(for: "the job to be reconciled") { try await queue.jobs.find(id)?.result == ["look": 3] }
        }
        let ages = handler.ages.withLock(\.self)
        #expect(ages.count == 3 && ages == ages.sorted() && ages[0] < ages[2], "\(ages)")
        #expect(try await queue.inspector.count(.outcome, where: "reconcile_at is not null") == 0)
    }
}
