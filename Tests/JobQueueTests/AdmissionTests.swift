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
        try await statements.register(name: "test", version: "0", concurrency: 4)
        return statements
    }

    private func enqueue(_ queue: TestQueue, _ count: Int, _ arguments: String) async throws {
        _ = try await queue.psql("select sheetsync.enqueue(\(arguments)) from generate_series(1, \(count))")
    }

    @Test func aClaimKeepsTheLimitOfEachKind() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        for owner in ["a", "b", "c"] { try await enqueue(queue, 10, "'write', '{}', owner => '\(owner)'") }
        try await enqueue(queue, 10, "'noop', '{}', priority => 7")
        try await enqueue(queue, 10, "'make', '{}', priority => 0")
        func claimed(_ slots: Int, _ limits: [String: Int]) async throws -> [String: Int] {
            let jobs = try await worker.claim(slots, limits: limits)
            return jobs.reduce(into: [:]) { $0[$1.kind, default: 0] += 1 }
        }
        #expect(try await claimed(8, ["write": 2, "noop": 0]) == ["write": 2])
        // The most urgent ones first; what is left of the slots the next claim fills.
        #expect(try await claimed(8, ["write": 5, "noop": 8]) == ["write": 5])
        #expect(try await claimed(3, ["write": 0, "noop": 8]) == ["noop": 3])
        #expect(try await claimed(8, ["write": 0, "make": 0]) == [:])
        #expect(try await claimed(8, [:]) == [:])
        #expect(try await claimed(4, ["make": 9, "write": 9, "noop": 9]) == ["make": 4])
    }

    /// Whom the next claims serve, one job at a time, as by a worker whose slots are taken.
    private func served(
        _ count: Int, by worker: WorkerStatements, _ lanes: inout ServedLanes
    ) async throws -> [Job] {
        var jobs: [Job] = []
        for _ in 0..<count {
            let claimed = try await worker.claim(1, served: lanes)
            lanes.note(claimed)
            jobs += claimed
        }
        return jobs
    }

    @Test func anOwnerWithFewJobsWaitsForNobodysBacklog() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        try await enqueue(queue, 5000, "'noop', '{}', owner => 'A'")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'B'")
        try await enqueue(queue, 1, "'write', '{}', owner => 'C'")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'C', priority => 6")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'A', priority => 1")
        var lanes = ServedLanes()
        let owners = try await served(20, by: worker, &lanes).map { "\($0.owner) \($0.kind)" }
        #expect(owners[0] == "A noop", "the urgent one")
        #expect(owners.prefix(6).contains("B noop") && owners.prefix(6).contains("C write"), "\(owners)")
        #expect(owners.filter { $0 == "C noop" }.isEmpty, "a later priority")
        // Many at a time: what one owner has too few of goes to the others.
        try await enqueue(queue, 2, "'noop', '{}', owner => 'B'")
        let many = try await worker.claim(16)
        #expect(many.count { $0.owner == "B" } == 2 && many.count { $0.owner == "A" } == 8, "\(many.map(\.owner))")
    }

    @Test func whoComesLaterNeitherWaitsNorGetsAhead() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        var lanes = ServedLanes()
        try await enqueue(queue, 5000, "'noop', '{}', owner => 'A'")
        #expect(try await served(100, by: worker, &lanes).map(\.owner) == Array(repeating: "A", count: 100))
        try await enqueue(queue, 1, "'noop', '{}', owner => 'B'")
        #expect(try await served(20, by: worker, &lanes).contains { $0.owner == "B" })
        // Another backlog gets every second turn, not all until it has caught up.
        try await enqueue(queue, 1000, "'noop', '{}', owner => 'C'")
        let turns = try await served(40, by: worker, &lanes).map(\.owner)
        #expect(turns.count { $0 == "A" } == 20, "\(turns)")
        // Nor do thousands of jobs whose time comes in one moment.
        try await enqueue(queue, 2500, "'noop', '{}', owner => 'D', run_at => now() + interval '0.2 s'")
        try await Task.sleep(for: .milliseconds(300))
        _ = try await served(3, by: worker, &lanes)
        let later = try await served(60, by: worker, &lanes).map(\.owner)
        #expect(later.count { $0 == "D" } == 20, "\(later)")
    }

    /// One login fills the queue in its own way; the job of another login begins within twenty.
    @Test(arguments: [
        "'noop', '{}'", "'noop', '{}', owner => 'owner ' || n % 400", "'noop', '{}', priority => 0",
        "case n % 2 when 0 then 'noop' else 'write' end, '{}', priority => 0, owner => 'owner ' || n % 400",
    ])
    func noLoginWaitsForAnothersBacklog(arguments: String) async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        _ = try await queue.psql("select count(sheetsync.enqueue(\(arguments))) from generate_series(1, 5000) n")
        var lanes = ServedLanes()
        _ = try await served(50, by: worker, &lanes)
        let login = "late_\(queue.database)"
        _ = try await queue.psql("create role \(login) login; grant sheetsync_producer to \(login)")
        let ids = try await (0..<2).asyncMap { _ in
            Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', priority => 9)", as: login)) ?? 0
        }
        let begun = try await served(20, by: worker, &lanes).map(\.id)
        #expect(ids.allSatisfy(begun.contains), "\(ids) of \(begun)")
        // Also where nobody remembers whom it has served, and many are claimed at once.
        let last = Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', priority => 9)", as: login)) ?? 0
        #expect(try await worker.claim(4).contains { $0.id == last })
    }

    /// A job in a transaction that is open for long has a smaller number than those that were claimed meanwhile.
    @Test func findsWhatWasCommittedLate() async throws {
        let queue = try await TestQueue.make()
        let producer = Connection(try queue.configuration(), label: "producer")
        // Polling would come too late.
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in nil }], change: { $0.pollInterval = .seconds(3600) }
        ) { queue in
            try await wait(for: "the worker to be idle") { try await queue.inspector.isSomebodyIdle() }
            try await producer.script("begin")
            let late = try await producer.query("select sheetsync.enqueue('noop', '{}') as id")[0].int("id")
            var ids: [Int] = []
            for _ in 1...5 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: [:])) }
            for id in ids { try await queue.expect(id, "completed") }
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
        var lanes = ServedLanes()
        for lap in 1...3 {
            var owners: Set<String> = []
            for _ in 1...6 {
                let jobs = try await worker.claim(5, served: lanes)
                #expect(jobs.count == 5)
                lanes.note(jobs)
                owners.formUnion(jobs.map(\.owner))
            }
            #expect(owners.count == 30, "lap \(lap)")
        }
        #expect(try await worker.claim(5).isEmpty)
    }

    /// The only urgent job is locked by somebody's open transaction.
    @Test func whatSomebodyHasLockedHoldsUpNoLessUrgentJob() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let other = Connection(try queue.configuration(), label: "producer")
        let urgent = try await queue.jobs.enqueue(kind: "noop", payload: [:], priority: 0)
        let usual = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        try await other.script("begin; select sheetsync.cancel(\(urgent))")
        #expect(try await worker.claim(4).map(\.id) == [usual])
        try await other.script("rollback")
        #expect(try await worker.claim(4).map(\.id) == [urgent])
    }

    /// An owner whose only job is locked has its turn, and gives it to the next.
    @Test func anOwnerWhoseJobIsLockedHoldsUpNobody() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let other = Connection(try queue.configuration(), label: "producer")
        try await enqueue(queue, 1, "'noop', '{}', owner => 'a'")
        try await enqueue(queue, 10, "'noop', '{}', owner => 'b'")
        try await other.script("begin; select sheetsync.cancel(1)")
        for _ in 1...10 { #expect(try await worker.claim(1).map(\.owner) == ["b"]) }
        #expect(try await worker.claim(1).isEmpty)
        try await other.script("rollback")
        #expect(try await worker.claim(1).map(\.owner) == ["a"])
    }

    /// Jobs behind a cancel that is not committed can neither run nor be blocked; those of no target behind them can run.
    @Test func aTargetThatIsUndecidedHoldsUpNoOtherJob() async throws {
        let queue = try await TestQueue.make()
        let worker = try await worker(queue)
        let other = Connection(try queue.configuration(), label: "producer")
        let target = #"'write', '{"file":"s"}'"#
        try await enqueue(queue, 1, target)
        let begun = try await worker.claim(1)
        _ = try await worker.finish([JobOutcome(begun[0], .retry, delay: .seconds(3600))], keepPayloads: false)
        try await other.script("begin; select sheetsync.cancel(\(begun[0].id))")
        try await enqueue(queue, 40, target)
        try await enqueue(queue, 5, "'write', '{}'")
        let jobs = try await worker.claim(16)
        #expect(jobs.count == 5 && jobs.allSatisfy { $0.target == nil }, "\(jobs.map(\.id))")
        try await other.script("commit")
        #expect(try await worker.claim(16).map(\.id) == [2])
    }

    /// An admission that the test opens and closes.
    private final class Gate: AdmissionControl {
        private let state = Mutex((capacity: Capacity(), asked: 0))

        func capacity(for slots: Int) async -> Capacity {
            state.withLock { state in
                state.asked += 1
                return state.capacity
            }
        }

        func set(_ limits: [String: Int], checkAgainIn: Duration? = nil) {
            state.withLock { $0.capacity = Capacity(limits: limits, checkAgainIn: checkAgainIn) }
        }

        var asked: Int { state.withLock { $0.asked } }
    }

    @Test func aWorkerAsksBeforeItClaimsAndComesBackInTime() async throws {
        let queue = try await TestQueue.make()
        let gate = Gate()
        gate.set(["write": 0], checkAgainIn: .milliseconds(50))
        let handler = ClosureHandler { _, _ in nil }
        // Only the announced time can bring it back before the test's patience ends.
        try await queue.withWorker(
            ["noop": handler, "write": handler], admission: gate, change: { $0.pollInterval = .seconds(3600) }
        ) { queue in
            let closed = try await queue.jobs.enqueue(kind: "write", payload: [:], priority: 0)
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
        try await enqueue(queue, 1, "'write', '{}'")
        #expect(try await queue.jobs.pause("write"))
        #expect(try await queue.jobs.pause("write") == false)
        #expect(try await worker.claim(1).map(\.kind) == ["noop"])
        #expect(try await queue.jobs.pause(nil))
        #expect(try await worker.claim(5).isEmpty)
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        #expect(report.pauses.map(\.kind) == [nil, "write"] && report.pauses.allSatisfy { $0.by == "postgres" })
        #expect(report.pauses.allSatisfy { $0.since.hasSuffix(" UTC") && $0.since.count == 20 }, "\(report.pauses)")
        #expect(try await queue.jobs.resume("noop") == false)
        #expect(try await queue.jobs.resume("write"))
        #expect(try await worker.claim(5).isEmpty)
        #expect(try await queue.jobs.pause("noop"))
        #expect(try await queue.jobs.resume(nil))
        #expect(try await queue.jobs.resume(nil) == false)
        #expect(try await worker.claim(5).map(\.kind).sorted() == ["noop", "write"])
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
            try await wait(for: "the worker to be idle") {
                try await queue.inspector.isSomebodyIdle()
            }
            #expect(try await queue.jobs.find(id)?.state == "available")
            #expect(try await queue.jobs.resume(nil))
            try await queue.expect(id, "completed")
        }
    }
}

extension Sequence {
    /// The results of a closure for each element, one after another.
    fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
