import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// How many of each kind begin, and whose turn it is.
@Suite struct AdmissionTests {
    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let connection = Connection(try queue.configuration(), label: "worker")
        let statements = WorkerStatements(on: connection)
        try await statements.enter(name: "test", version: "0", concurrency: 4)
        return statements
    }

    private func enqueue(_ queue: TestQueue, _ count: Int, _ arguments: String) async throws {
        _ = try await queue.psql("select sheetsync.enqueue(\(arguments)) from generate_series(1, \(count))")
    }

    @Test func aClaimKeepsTheLimitOfEachKind() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for owner in ["a", "b", "c"] { try await enqueue(queue, 10, "'export', '{}', owner => '\(owner)'") }
        try await enqueue(queue, 10, "'noop', '{}', priority => 7")
        try await enqueue(queue, 10, "'folder', '{}', priority => 0")
        func claimed(_ slots: Int, _ rooms: [String: Int]) async throws -> [String: Int] {
            let jobs = try await worker.claim(slots, rooms: rooms, after: nil, held: nil, lookingBack: false)
            return jobs.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 }
        }
        #expect(try await claimed(8, ["export": 2, "noop": 0]) == ["export": 2])
        #expect(try await claimed(8, ["export": 5, "noop": 8]) == ["export": 5, "noop": 3])
        #expect(try await claimed(8, ["export": 0, "folder": 0]) == [:])
        #expect(try await claimed(8, [:]) == [:])
        #expect(try await claimed(4, ["folder": 9, "export": 9, "noop": 9]) == ["folder": 4])
    }

    @Test func anOwnerWithFewJobsWaitsForNobodysBacklog() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await enqueue(queue, 5000, "'noop', '{}', owner => 'A'")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'B'")
        try await enqueue(queue, 1, "'export', '{}', owner => 'C'")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'C', priority => 6")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'A', priority => 1")
        // One at a time, as by a worker whose slots are taken: the urgent one, then the owners by turns.
        var last: String?
        var owners: [String] = []
        for _ in 1...20 {
            let jobs = try await worker.claim(
                1, rooms: ["noop": 1, "export": 1], after: last, held: nil, lookingBack: false)
            last = jobs.last?.kind
            owners.append(jobs.first.map { "\($0.owner) \($0.kind)" } ?? "none")
        }
        #expect(owners[0] == "A noop", "the urgent one")
        #expect(owners.prefix(6).contains("B noop") && owners.prefix(6).contains("C export"), "\(owners)")
        #expect(owners.filter { $0 == "C noop" }.isEmpty, "a later priority")
        // Many at a time: what one owner has too few of goes to the others, in one claim.
        try await enqueue(queue, 2, "'noop', '{}', owner => 'B'")
        let many = try await worker.claim(16, rooms: ["noop": 16], after: nil, held: nil, lookingBack: false)
        #expect(many.count == 16 && many.filter { $0.owner == "B" }.count == 2, "\(many.map(\.owner))")
    }

    /// Whom the next claims serve, one job at a time.
    private func served(_ count: Int, by worker: WorkerStatements) async throws -> [String] {
        var owners: [String] = []
        for _ in 0..<count {
            owners += try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false)
                .map(\.owner)
        }
        return owners
    }

    @Test func whoComesLaterNeitherWaitsNorGetsAhead() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await enqueue(queue, 5000, "'noop', '{}', owner => 'A'")
        #expect(try await served(100, by: worker) == Array(repeating: "A", count: 100))
        try await enqueue(queue, 1, "'noop', '{}', owner => 'B'")
        #expect(try await served(20, by: worker).contains("B"))
        // Another backlog gets every second turn, not all until it has caught up.
        try await enqueue(queue, 1000, "'noop', '{}', owner => 'C'")
        let turns = try await served(40, by: worker)
        #expect((18...22).contains(turns.filter { $0 == "A" }.count), "\(turns)")
        // Nor do thousands of jobs whose time comes in one moment.
        let due = "now() + interval '0.2 s'"
        try await enqueue(queue, 2500, "'noop', '{}', owner => 'D', run_at => \(due)")
        try await Task.sleep(for: .milliseconds(300))
        for _ in 1...3 { _ = try await served(1, by: worker) }
        let later = try await served(60, by: worker)
        #expect((18...22).contains(later.filter { $0 == "D" }.count), "\(later)")
        // A job that has begun comes before those that have not.
        let jobs = try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false)
        _ = try await worker.finish([JobEnding(try #require(jobs.first), .release)], keepPayloads: false)
        let next = try await worker.claim(1, rooms: ["noop": 1], after: nil, held: nil, lookingBack: false)
        #expect(next.map(\.id) == jobs.map(\.id))
    }

    /// A job in a transaction that is open for long lies behind those that were claimed meanwhile.
    @Test func findsWhatWasCommittedLate() async throws {
        let queue = try await TestQueue.make()
        let producer = Connection(try queue.configuration(), label: "producer")
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in nil }], change: { $0.pollInterval = .seconds(3600) }
        ) { queue in
            try await wait(for: "the worker to sleep") {
                try await queue.psql("select last_value from sheetsync.wake") == "1"
            }
            try await producer.script("begin")
            let late = try await producer.query("select sheetsync.enqueue('noop', '{}') as id")[0].int("id")
            var ids: [Int] = []
            for _ in 1...5 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: [:])) }
            for id in ids { try await queue.expect(id, "completed") }
            #expect(Int(try await queue.psql("select last_value >> 28 from sheetsync.turn_noop_5")) ?? 0 >= 5)
            try await producer.script("commit")
            try await queue.expect(late, "completed")
        }
        await producer.close()
    }

    @Test func allOwnersHaveTheirTurnInOneLap() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for _ in 1...3 {
            _ = try await queue.psql(
                "select sheetsync.enqueue('noop', '{}', owner => 'o' || n) from generate_series(1, 30) n")
        }
        var last: String?
        for lap in 1...3 {
            var owners: Set<String> = []
            for _ in 1...6 {
                let jobs = try await worker.claim(5, rooms: ["noop": 5], after: last, held: nil, lookingBack: false)
                #expect(jobs.count == 5)
                last = jobs.last?.kind
                owners.formUnion(jobs.map(\.owner))
            }
            #expect(owners.count == 30, "lap \(lap)")
        }
        #expect(try await worker.claim(5).isEmpty)
    }

    /// An admission that the test opens and closes.
    private final class Gate: Admission {
        private let state = Mutex((openings: Openings(), asked: 0))

        func openings(slots: Int) async -> Openings {
            state.withLock { state in
                state.asked += 1
                return state.openings
            }
        }

        func set(_ limits: [String: Int], reopensIn: Duration? = nil) {
            state.withLock { $0.openings = Openings(limits: limits, reopensIn: reopensIn) }
        }

        var asked: Int { state.withLock { $0.asked } }
    }

    @Test func aWorkerAsksBeforeItClaimsAndComesBackInTime() async throws {
        let queue = try await TestQueue.make()
        let gate = Gate()
        gate.set(["export": 0], reopensIn: .milliseconds(50))
        let handler = ClosureHandler { _, _ in nil }
        // Only the announced time can bring it back before the test's patience ends.
        try await queue.withWorker(
            ["noop": handler, "export": handler], admission: gate, change: { $0.pollInterval = .seconds(3600) }
        ) { queue in
            let closed = try await queue.jobs.enqueue(kind: "export", payload: [:], priority: 0)
            let open = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(open, "completed")
            let before = gate.asked
            try await wait(for: "some more claims") { gate.asked > before + 3 }
            let job = try await queue.jobs.find(closed)
            #expect(job?.state == "available" && job?.json["attempt"] == 0)
            gate.set([:])
            try await queue.expect(closed, "completed")
        }
    }

    @Test func pausedKindsAreLeftAlone() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await enqueue(queue, 2, "'noop', '{}'")
        try await enqueue(queue, 1, "'export', '{}'")
        #expect(try await queue.jobs.pause("export"))
        #expect(try await queue.jobs.pause("export") == false)
        #expect(try await worker.claim(1).map(\.kind) == ["noop"])
        #expect(try await queue.jobs.pause(nil))
        #expect(try await worker.claim(5).isEmpty)
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.pauses.map(\.kind) == [nil, "export"] && report.pauses.allSatisfy { $0.by == "postgres" })
        #expect(report.pauses.allSatisfy { $0.since.hasSuffix(" UTC") && $0.since.count == 20 }, "\(report.pauses)")
        #expect(try await queue.jobs.resume("noop") == false)
        #expect(try await queue.jobs.resume("export"))
        #expect(try await worker.claim(5).isEmpty)
        #expect(try await queue.jobs.pause("noop"))
        #expect(try await queue.jobs.resume(nil))
        #expect(try await queue.jobs.resume(nil) == false)
        #expect(try await worker.claim(5).map(\.kind).sorted() == ["export", "noop"])
        let error = await #expect(throws: PostgresError.self) { try await queue.jobs.pause("nope") }
        #expect(error?.sqlState == "22023" && error?.message == "unknown kind of job: 'nope'")
    }

    @Test func resumingWakesASleepingWorker() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.jobs.pause(nil)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in nil }], change: { $0.pollInterval = .seconds(3600) }
        ) { queue in
            try await wait(for: "the worker to sleep") {
                try await queue.psql("select last_value from sheetsync.wake") == "1"
            }
            #expect(try await queue.jobs.find(id)?.state == "available")
            #expect(try await queue.jobs.resume(nil))
            try await queue.expect(id, "completed")
        }
    }
}
