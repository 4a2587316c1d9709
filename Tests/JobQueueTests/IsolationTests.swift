import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Jobs that were running when a worker was lost, and the one among them that may be the reason.
@Suite struct IsolationTests {
    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 8, kinds: ["noop"])
        return worker
    }

    private func lose(_ worker: WorkerStatements, _ queue: TestQueue) async throws {
        try await queue.inspector.silence(epoch: worker.epoch)
        _ = try await self.worker(queue).reclaim(silentFor: .seconds(1800))
    }

    @Test func aJobThatEndsItsWorkersEndsAloneAndItsNeighboursLoseNoAttempt() async throws {
        let queue = try await TestQueue.make()
        var ids: [Int] = []
        for _ in 1...6 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: [:])) }
        let poison = ids[2]
        var deaths = 0
        // A worker runs what it gets, until it gets the poison: then it is lost with all that it holds.
        while try await queue.inspector.unfinished() > 0, deaths < 20 {
            let worker = try await worker(queue)
            while true {
                let claimed = try await worker.claim(8)
                if claimed.isEmpty { break }
                if claimed.contains(where: { $0.id == poison }) {
                    deaths += 1
                    #expect(claimed.count == (deaths <= 2 ? 6 : 1), "\(deaths): \(claimed.map(\.id))")
                    #expect(try await worker.claim(8).isEmpty)
                    try await lose(worker, queue)
                    break
                }
                _ = try await worker.finish(claimed.map { JobOutcome($0, .completed) }, keepPayloads: false)
            }
        }
        #expect(deaths == 5)
        for id in ids where id != poison {
            let job = try #require(try await queue.jobs.find(id))
            #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
            #expect(job.json["errors"]?.array?.count == 2, "\(job.json)")
        }
        let job = try #require(try await queue.jobs.find(poison))
        #expect(job.state == "discarded" && job.json["attempt"] == 3, "\(job.json)")
        #expect(job.lastError?.code == "queue.worker_lost", "\(job.json)")
        #expect(job.lastError?.message.hasPrefix("Five workers stopped") == true, "\(job.json)")
        #expect(job.json["errors"]?[4]?["retryable"] == false)
        #expect(try await queue.inspector.contradictions() == [])
    }

    @Test func aJobWhoseRowIsHiddenIsNeitherBegunNorEnded() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let worker = try await worker(queue)
        func hide() async throws {
            _ = try await queue.psql("alter table sheetsync.job enable row level security, force row level security")
        }
        func show() async throws {
            _ = try await queue.psql(
                "alter table sheetsync.job disable row level security, no force row level security")
        }
        try await hide()
        await #expect(throws: PostgresError.self) { _ = try await worker.claim(8) }
        try await show()
        let claimed = try await worker.claim(8)
        #expect(claimed.map(\.id) == [id])
        try await hide()
        await #expect(throws: PostgresError.self) {
            _ = try await worker.finish(claimed.map { JobOutcome($0, .completed) }, keepPayloads: false)
        }
        try await show()
        #expect(
            try await worker.finish(claimed.map { JobOutcome($0, .completed) }, keepPayloads: false)[id] == "completed")
        #expect(try await queue.inspector.contradictions() == [])
    }

    @Test func anIsolatedJobWaitsForAWorkerThatRunsNothingElse() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let busy = try await worker(queue)
        for _ in 1...2 {
            let dying = try await worker(queue)
            #expect(try await dying.claim(1).map(\.id) == [id])
            try await lose(dying, queue)
        }
        #expect(try await queue.inspector.waiting(id) == "isolated")
        // Something else begins on another worker meanwhile.
        let earlier = try await queue.jobs.enqueue(kind: "write", payload: ["file": "a"])
        let held = try await busy.claim(1, limits: ["write": 1])
        #expect(held.map(\.id) == [earlier])
        let next = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let beside = try await busy.claim(8)
        #expect(beside.map(\.id) == [next], "another worker may be idle soon")
        _ = try await busy.finish(beside.map { JobOutcome($0, .completed) }, keepPayloads: false)
        let later = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        _ = try await queue.psql(
            "update sheetsync.ready set run_at = run_at - interval '1 minute' where state = 'isolated'")
        #expect(try await busy.claim(8).isEmpty, "it has waited for long, so this one becomes idle")
        let why = try await why(id, queue)
        #expect(why.causes[0].name == "isolated" && why.headline.contains("runs nothing else"), "\(why)")
        // An attempt that was snoozed is still to run alone.
        let report = try await QueueReport.read(queue.schema, on: queue.connection)
        let noop = try #require(report.kinds.first { $0.kind == "noop" })
        #expect(noop.available == 2 && (noop.oldestAvailable ?? 0) >= 60)
        _ = try await busy.finish(held.map { JobOutcome($0, .completed) }, keepPayloads: false)
        let alone = try await busy.claim(8)
        #expect(alone.map(\.id) == [id])
        #expect(alone[0].isIsolated)
        #expect(try await busy.claim(8).isEmpty, "nothing runs beside it")
        let behind = try await self.why(later, queue)
        #expect(behind.headline.contains("waits for job \(id), beside which its worker begins nothing"), "\(behind)")
        let other = try await worker(queue)
        #expect(try await other.claim(8).map(\.id) == [later], "other workers go on")
        _ = try await busy.finish([JobOutcome(alone[0], .snooze, delay: .seconds(60))], keepPayloads: false)
        try await queue.inspector.makeDue()
        #expect(try await busy.claim(8).map(\.id) == [id])
        #expect(try await queue.jobs.find(id)?.json["attempt"] == 1)
        // Nor does it hold up anybody where its kind may not begin.
        _ = try await busy.finish([JobOutcome(alone[0], .snooze)], keepPayloads: false)
        try await lose(busy, queue)
        #expect(try await queue.jobs.pause("noop"))
        let last = try await queue.jobs.enqueue(kind: "write", payload: ["file": "b"])
        #expect(try await other.claim(8).map(\.id) == [last])
    }

    /// It may have been ended by such a job, and the next one would end it again.
    @Test func aWorkerThatHasJustBegunTakesOthersFirst() async throws {
        let queue = try await TestQueue.make()
        var ids: [Int] = []
        for _ in 1...2 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: [:])) }
        for _ in 1...2 {
            let dying = try await worker(queue)
            #expect(try await dying.claim(2).map(\.id) == ids)
            try await lose(dying, queue)
        }
        for _ in 1...3 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: [:])) }
        let order = Heard()
        let handler = ClosureHandler { job, _ in
            order.add("\(job.id)")
            return nil
        }
        try await queue.withWorker(["noop": handler], change: { $0.concurrency = 1 }) { queue in
            for id in ids { try await queue.expect(id, "completed") }
        }
        #expect(order.all.first == String(ids[2]) && order.all.count == ids.count, "\(order.all)")
    }

    /// Its jobs were stopped because the database was away, which says nothing of them.
    @Test func aWorkerThatLostItsIdentityGivesItsJobsBackItself() async throws {
        let queue = try await TestQueue.make()
        let tally = Tally()
        let handler = ClosureHandler { job, _ in
            tally.add(job.id)
            if tally[job.id] <= 3 { try await Task.sleep(for: .seconds(60)) }
            return nil
        }
        try await queue.withWorker(["noop": handler], change: { $0.leaseTime = .seconds(15) }) { queue in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:], maxAttempts: 1)
            for round in 1...3 {
                try await wait(for: "run \(round)") { tally[id] == round }
                try await queue.inspector.forgetWorkers()
            }
            try await queue.expect(id, "completed")
            let job = try #require(try await queue.jobs.find(id))
            #expect(job.json["attempt"] == 1 && job.json["errors"]?.array?.isEmpty == true, "\(job.json)")
        }
    }

    @Test func payloadsShareTheRoomThatAWorkerHas() async throws {
        let queue = try await TestQueue.make()
        func enqueue(_ bytes: Int) async throws -> Int {
            try await queue.jobs.enqueue(
                kind: "noop", payload: ["x": .string(String(repeating: "x", count: bytes - 9))])
        }
        let worker = try await worker(queue)
        var ids: [Int] = []
        for bytes in [1000, 1000, 5000, 1000] { ids.append(try await enqueue(bytes)) }
        let limits = ["noop": 8]
        let first = try await worker.claim(8, limits: limits, room: 2 * 524_288 + 2500)
        #expect(first.map(\.id) == Array(ids[...1]) && first.map(\.payloadBytes) == [1000, 1000])
        #expect(
            try await worker.claim(8, limits: limits, room: 524_288 + 4999).isEmpty,
            "nothing passes by what is too large")
        _ = try await worker.beat(.init(inFlight: 2, room: 524_288))
        let why = try await why(ids[2], queue)
        #expect(why.causes[0].name == "memory" && why.headline.contains("its payload has 5000 bytes"), "\(why)")
        _ = try await worker.finish(first.map { JobOutcome($0, .completed) }, keepPayloads: false)
        let second = try await worker.claim(8, limits: limits, room: 1000)
        #expect(second.map(\.id) == [ids[2]], "it runs alone")
        #expect(try await worker.claim(8, limits: limits, room: 524_288 + 1000).map(\.id) == [ids[3]])
    }

    @Test func theBudgetReckonsJobsAndTheirPayloads() {
        let budget = MemoryBudget(limit: 64 << 20)
        #expect(budget.room(beside: 0, payloadBytes: 0) == 8 << 20)
        #expect(budget.room(beside: 2, payloadBytes: 1 << 20) == 6 << 20)
        #expect(budget.room(beside: 1, payloadBytes: 200 << 20) == 0)
    }

    @Test func jobsBeginAsMemoryAllows() async throws {
        let queue = try await TestQueue.make()
        let running = Mutex((now: 0, most: 0))
        let handler = ClosureHandler { _, _ in
            running.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
            try await Task.sleep(for: .milliseconds(30))
            running.withLock { $0.now -= 1 }
            return nil
        }
        let text = String(repeating: "x", count: 2 << 20)
        var ids: [Int] = []
        for _ in 1...9 { ids.append(try await queue.jobs.enqueue(kind: "noop", payload: ["x": .string(text)])) }
        let change: (inout WorkerConfiguration) -> Void = {
            $0.concurrency = 8
            // Three of them fit.
            $0.memory = 64 << 20
            $0.pollInterval = .seconds(60)
        }
        try await queue.withWorker(["noop": handler], change: change) { queue in
            for id in ids { try await queue.expect(id, "completed") }
        }
        let most = running.withLock(\.most)
        #expect((2...3).contains(most), "\(most)")
    }

    private func why(_ id: Int, _ queue: TestQueue) async throws -> Explanation {
        let job = try #require(try await queue.jobs.find(id))
        return Explanation(
            job, in: try #require(try await queue.jobs.waitState(of: id)), silenceLimit: 45)
    }
}
