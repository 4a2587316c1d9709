import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

@Suite struct WorkerTests {
    @Test func runsAJobOnceAndTellsWhoListens() async throws {
        let queue = try await TestQueue.make()
        let heard = Heard()
        let listening = Task { [configuration = try queue.configuration()] in
            await NotificationListener(configuration, channels: ["sheetsync_finalized"]).run { event in
                switch event {
                case .listening: heard.add("listening")
                case .notification(let notification): heard.add(notification.payload)
                case .lost(let error): heard.add("\(error)")
                }
            }
        }
        try await wait(for: "LISTEN") { heard.all == ["listening"] }
        try await queue.withWorker(["noop": ClosureHandler { job, _ in ["seen": job.payload["n"] ?? nil] }]) { queue in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: ["n": 7])
            try await queue.expect(id, "completed")
            let job = try await queue.jobs.find(id)
            #expect(job?.result == ["seen": 7])
            #expect(try await queue.jobs.text(of: id)?.contains(#""payload": null"#) == true)
            #expect(job?.json["attempt"]?.int == 1)
            try await wait(for: "NOTIFY", seeing: { "\(heard.all)" }) { heard.all.count == 2 }
            #expect(try JSON(parsing: #require(heard.all.last)) == ["id": JSON(id), "state": "completed"])
        }
        listening.cancel()
        await listening.value
        #expect(try await queue.inspector.count(.worker) == 0)
    }

    @Test func keepsTheNumberInFlightAndRunsEachJobOnce() async throws {
        let queue = try await TestQueue.make()
        let tally = Tally()
        let running = Atomic64()
        _ = try await queue.psql("select sheetsync.enqueue('noop', '{}') from generate_series(1, 300)")
        let handler = ClosureHandler { job, _ in
            running.enter()
            tally.add(job.id)
            try await Task.sleep(for: .milliseconds(5))
            running.exit()
            return nil
        }
        try await queue.withWorker(["noop": handler], change: { $0.concurrency = 7 }) { queue in
            try await wait(for: "all jobs") {
                try await queue.psql("select count(*) from sheetsync.jobs where state = 'completed'") == "300"
            }
        }
        #expect(tally.all.count == 300)
        #expect(tally.all.values.allSatisfy { $0 == 1 })
        #expect(running.most == 7)
    }

    @Test func runsTheMostUrgentFirst() async throws {
        let queue = try await TestQueue.make()
        let order = Heard()
        for priority in [9, 5, 0, 7] {
            _ = try await queue.jobs.enqueue(kind: "noop", payload: ["p": JSON(priority)], priority: priority)
        }
        let handler = ClosureHandler { job, _ in
            order.add("\(job.payload["p"]?.int ?? -1)")
            return nil
        }
        try await queue.withWorker(["noop": handler], change: { $0.concurrency = 1 }) { _ in
            try await wait(for: "all jobs") { order.all.count == 4 }
        }
        #expect(order.all == ["0", "5", "7", "9"])
    }

    @Test func retriesKeepsEveryFailureAndDiscardsInTheEnd() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { job, _ in
            if job.payload["forever"]?.bool == true {
                throw JobFailure(code: "test.never", message: "It cannot be.", retry: .never)
            }
            if job.attempt < (job.payload["succeed_at"]?.int ?? 99) {
                throw JobFailure(code: "test.again", message: "Not yet.", retry: .backoff)
            }
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let third = try await queue.jobs.enqueue(kind: "noop", payload: ["succeed_at": 3])
            let never = try await queue.jobs.enqueue(kind: "noop", payload: ["forever": true])
            let worn = Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', max_attempts => 2)")) ?? 0
            try await queue.expect(third, "completed")
            try await queue.expect(never, "discarded")
            try await queue.expect(worn, "discarded")
            let errors = try await queue.jobs.find(third)?.json["errors"]?.array
            #expect(errors?.compactMap { $0["attempt"]?.int } == [1, 2])
            #expect(errors?[0]["code"] == "test.again")
            #expect(errors?[0]["retryable"] == true)
            #expect(try await queue.jobs.find(never)?.json["errors"]?.array?.count == 1)
            #expect(try await queue.jobs.find(never)?.json["errors"]?[0]?["retryable"] == false)
            #expect(try await queue.jobs.find(worn)?.json["errors"]?.array?.count == 2)
            // Nothing of it is gone: it can be revived, with all its attempts and its history.
            #expect(try await queue.jobs.text(of: worn)?.contains(#""payload": {}"#) == true)
            #expect(try await queue.jobs.retry(worn))
            try await wait(for: "two more attempts") {
                try await queue.jobs.find(worn)?.json["errors"]?.array?.count == 4
            }
            try await queue.expect(worn, "discarded")
        }
    }

    @Test func waitingItsTurnCostsNoAttempt() async throws {
        let queue = try await TestQueue.make()
        let tally = Tally()
        let handler = ClosureHandler { job, _ in
            tally.add(job.id)
            #expect(job.attempt == 1)
            #expect(job.isRedelivered == (tally[job.id] > 1))
            if tally[job.id] < 4 {
                throw JobFailure(code: "test.quota", message: "Wait.", retry: .snooze(.milliseconds(20)))
            }
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let id = Int(try await queue.psql("select sheetsync.enqueue('noop', '{}', max_attempts => 1)")) ?? 0
            try await queue.expect(id, "completed")
            #expect(tally[id] == 4)
            #expect(try await queue.jobs.find(id)?.json["errors"]?.array?.isEmpty == true)
        }
    }

    @Test func runsScheduledJobsAtTheirTime() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { _, _ in nil }
        try await queue.withWorker(["noop": handler], change: { $0.pollInterval = .seconds(60) }) { queue in
            let id =
                Int(
                    try await queue.psql("select sheetsync.enqueue('noop', '{}', run_at => now() + interval '3 s')"))
                ?? 0
            #expect(try await queue.jobs.find(id)?.state == "scheduled")
            try await queue.expect(id, "completed")
            #expect(
                try await queue.psql(
                    "select attempted_at >= scheduled_at from sheetsync.jobs where id = \(id)") == "t")
        }
    }

    @Test func aKindThatItDoesNotKnowIsLeftToOthers() async throws {
        let queue = try await TestQueue.make()
        let newer = try await queue.jobs.enqueue(kind: "make", payload: [:], priority: 0)
        let handler = ClosureHandler { _, _ in nil }
        try await queue.withWorker(["noop": handler]) { queue in
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
        }
        #expect(try await queue.jobs.find(newer)?.state == "available")
        try await queue.withWorker(["make": handler]) { queue in try await queue.expect(newer, "completed") }
    }

    /// What a job had made by then is its result also where it was stopped or failed for good.
    @Test func whatWasMadeIsTheResultOfAJobThatDoesNotGetDone() async throws {
        let queue = try await TestQueue.make()
        let made: JSON = ["file": "s1"]
        let handler = ClosureHandler { job, progress in
            if job.payload["saves"]?.bool == true {
                try await progress.save(["result": made, "row": 7], step: "writing")
            } else {
                try await progress.save(["result": "none", "row": 7], step: "writing")
            }
            switch job.payload["then"]?.string {
            case "fails": throw JobFailure(code: "test.no", message: "No.", retry: .never)
            case "waits": throw JobFailure(code: "test.later", message: "Later.", retry: .after(.seconds(3600)))
            default: try await Task.sleep(for: .seconds(60))
            }
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let failed = try await queue.jobs.enqueue(kind: "noop", payload: ["saves": true, "then": "fails"])
            try await queue.expect(failed, "discarded")
            #expect(try await queue.jobs.find(failed)?.result == made)
            let waiting = try await queue.jobs.enqueue(kind: "noop", payload: ["saves": true, "then": "waits"])
            try await queue.expect(waiting, "retryable")
            #expect(try await queue.jobs.cancel(waiting))
            #expect(try await queue.jobs.find(waiting)?.result == made)
            for saves in [true, false] {
                let id = try await queue.jobs.enqueue(kind: "noop", payload: ["saves": .bool(saves)])
                try await wait(for: "a checkpoint") { try await queue.jobs.find(id)?.progress?.step == "writing" }
                #expect(try await queue.jobs.cancel(id))
                try await queue.expect(id, "cancelled")
                let expected: JSON? = saves ? made : Optional.none
                #expect(try await queue.jobs.find(id)?.result == expected)
            }
        }
    }

    @Test func cancelsWaitingAndRunningJobs() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { _, _ in
            try await Task.sleep(for: .seconds(60))
            return nil
        }
        let waiting =
            Int(
                try await queue.psql("select sheetsync.enqueue('noop', '{}', run_at => now() + interval '1 hour')"))
            ?? 0
        #expect(try await queue.jobs.cancel(waiting))
        #expect(try await queue.jobs.find(waiting)?.state == "cancelled")
        #expect(try await queue.jobs.cancel(waiting) == false)
        #expect(try await queue.jobs.cancel(999_999) == false)
        try await queue.withWorker(["noop": handler]) { queue in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "running")
            #expect(try await queue.jobs.cancel(id))
            try await queue.expect(id, "cancelled")
        }
        #expect(try await queue.inspector.count(.cancelRequest) == 0)
    }

    @Test func givesRunningJobsBackAtShutdownWithoutCostingAnAttempt() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let sleeper = ClosureHandler { _, _ in
            try await Task.sleep(for: .seconds(60))
            return nil
        }
        try await queue.withWorker(["noop": sleeper], change: { $0.shutdownGrace = .milliseconds(100) }) { queue in
            try await queue.expect(id, "running")
        }
        let job = try await queue.jobs.find(id)
        #expect(job?.state == "available")
        #expect(job?.json["attempt"]?.int == 0)
        #expect(try await queue.psql("select redelivered from sheetsync.ready") == "t")
    }

    @Test func letsRunningJobsEndAtShutdown() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let brief = ClosureHandler { _, _ in
            try await Task.sleep(for: .milliseconds(500))
            return nil
        }
        try await queue.withWorker(["noop": brief]) { queue in try await queue.expect(id, "running") }
        #expect(try await queue.jobs.find(id)?.state == "completed")
    }

    @Test func writesProgress() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { _, progress in
            await progress("writing", rowsDone: 3, of: 10)
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "completed")
            #expect(try await queue.jobs.find(id)?.progress == Progress(step: "writing", rowsDone: 3, rowsTotal: 10))
        }
    }

    @Test func takesJobsFromADeadWorkerAndIgnoresWhatItStillSays() async throws {
        let queue = try await TestQueue.make()
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let dead = WorkerStatements(on: queue.connection)
        try await dead.register(name: "dead", version: "0", concurrency: 1)
        let held = try await dead.claim(1)
        try #require(held.map(\.id) == [id])
        try await queue.inspector.silence()
        let handler = ClosureHandler { job, _ in ["attempt": JSON(job.attempt)] }
        try await queue.withWorker(["noop": handler], change: { $0.leaseTime = .seconds(15) }) { queue in
            try await queue.expect(id, "completed")
        }
        let job = try await queue.jobs.find(id)
        #expect(job?.result == ["attempt": 1])
        #expect(job?.lastError?.code == "queue.worker_lost")
        #expect(try await dead.beat(.init(inFlight: 1)) == nil)
        #expect(try await dead.finish([JobOutcome(held[0], .completed, result: "late")], keepPayloads: false).isEmpty)
        #expect(try await queue.jobs.find(id)?.result == ["attempt": 1])
    }

    @Test func beginsAnewWhenItWasTakenForDead() async throws {
        let queue = try await TestQueue.make()
        let tally = Tally()
        let handler = ClosureHandler { job, _ in
            tally.add(job.id)
            if tally[job.id] == 1 { try await Task.sleep(for: .seconds(60)) }
            return JSON(tally[job.id])
        }
        try await queue.withWorker(["noop": handler], change: { $0.leaseTime = .seconds(15) }) { queue in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "running")
            try await queue.inspector.forgetWorkers()
            try await queue.expect(id, "completed")
            #expect(try await queue.jobs.find(id)?.result == 2)
        }
    }

    @Test func survivesKilledConnections() async throws {
        let queue = try await TestQueue.make()
        let tally = Tally()
        let handler = ClosureHandler { job, _ in
            tally.add(job.id)
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            for round in 1...5 {
                _ = try await queue.psql("select sheetsync.enqueue('noop', '{}') from generate_series(1, 20)")
                _ = try await queue.psql(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = '\(queue.database)' and application_name like 'sheetsync %'
                    """)
                try await wait(for: "round \(round)") {
                    try await queue.inspector.count(.outcome) == round * 20
                }
            }
        }
        #expect(try await queue.psql("select count(*), count(distinct id) from sheetsync.outcome") == "100|100")
    }
}

/// Counts how many are inside at once.
final class Atomic64: Sendable {
    private let state = Mutex((inside: 0, most: 0))
    func enter() { state.withLock { $0 = ($0.inside + 1, max($0.most, $0.inside + 1)) } }
    func exit() { state.withLock { $0.inside -= 1 } }
    var most: Int { state.withLock { $0.most } }
}
