import JSON
import Logging
import TestSupport
import Testing

@testable import JobQueue

/// What a worker says about what went wrong: its last error.
@Suite struct WorkerProblemsTests {
    private struct Failure: Error, CustomStringConvertible { let description: String }

    @Test func aProblemGoesWithTheNextSuccessOfTheSameThing() async {
        let problems = WorkerProblems(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in }
        #expect(problems.current == nil)
        problems.note(JobFailure(code: "test.failed", message: "No.", retry: .never))
        problems.note(Failure(description: "two"), while: .reclaim)
        problems.note(Failure(description: "zero"), while: .maintain)
        #expect(problems.current == "cannot do the upkeep of the queue: zero", "the newest")
        problems.note(Failure(description: "one"), while: .claim)
        problems.note(Failure(description: "two"), while: .reclaim)
        // What keeps jobs from beginning or ending is to be mended first.
        #expect(problems.current == "cannot claim jobs: one")
        problems.note(Failure(description: "no"), while: .beat)
        #expect(problems.current == "cannot show a sign of life: no")
        #expect(problems.toldWithBeat == "cannot claim jobs: one", "whose arrival disproves the other")
        problems.end(.beat)
        #expect(problems.current == "cannot claim jobs: one")
        #expect(await problems.attempt(.reclaim) {})
        problems.end(.maintain)
        #expect(await !problems.attempt(.claim) { throw Failure(description: "three") })
        #expect(problems.current == "cannot claim jobs: three")
        problems.end(.claim)
        // A job that failed is no problem of the worker's.
        #expect(problems.current == nil && problems.lastFailure == "test.failed: No.")
    }

    /// Each operation is known again by its words, which are all that comes out of the database.
    @Test func operationsAreKnownByTheirWords() {
        let problems = WorkerProblems(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) { _ in }
        for operation in WorkerProblems.Operation.allCases {
            problems.note(Failure(description: "no"), while: operation)
            #expect(problems.current.flatMap { WorkerProblems.Operation.of($0) } == operation)
            problems.end(operation)
        }
        #expect(WorkerProblems.Operation.of("something else") == nil)
    }

    /// A function that is missing for a while fails as any statement may.
    @Test(arguments: [
        ("claim", "cannot claim jobs: "), ("reclaim", "cannot take back the jobs of dead workers: "),
        ("unblock_orphans", "cannot do the upkeep of the queue: "), ("finish", "cannot write how jobs ended: "),
    ])
    func anErrorOfTheDatabaseIsForgottenWhenItIsOver(function: String, words: String) async throws {
        let queue = try await TestQueue.make()
        // So that the jobs of others are looked for often enough.
        let change = { (configuration: inout WorkerConfiguration) in
            configuration.leaseTime = .seconds(1)
            configuration.maintenanceInterval = .milliseconds(100)
        }
        try await queue.withWorker(["noop": ClosureHandler { _, _ in nil }], change: change) { queue in
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            let limit = WorkerConfiguration().silenceLimit / .seconds(1)
            let arguments = try await queue.psql("select oid::regprocedure from pg_proc where proname = '\(function)'")
            let rest = arguments.drop { $0 != "(" }
            _ = try await queue.psql("alter function sheetsync.\(function)\(rest) rename to missing")
            _ = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await wait(for: "the worker to say so", seeing: { try await queue.inspector.problems() }) {
                try await queue.inspector.problems().hasPrefix(words)
            }
            let report = try await QueueReport.read(queue.schema, on: queue.connection)
            #expect(report.shouldDiagnose(silenceLimit: limit))
            let verdict = Verdict(report, silenceLimit: limit)
            #expect(verdict.level == .degraded && verdict.reason.contains(words), "\(verdict)")
            _ = try await queue.psql("alter function sheetsync.missing\(rest) rename to \(function)")
            try await wait(for: "the worker to forget it", seeing: { try await queue.inspector.problems() }) {
                try await queue.inspector.problems() == "none"
            }
            #expect(try await !QueueReport.read(queue.schema, on: queue.connection).shouldDiagnose(silenceLimit: limit))
        }
    }
}
