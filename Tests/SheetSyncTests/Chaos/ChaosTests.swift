import Foundation
import GoogleEmulator
import JSON
import Postgres
import TestSupport
import Testing

/// Everything that can go wrong goes wrong at once, and nothing may be lost or done twice.
@Suite(.serialized) struct ChaosTests {
    @Test func nothingIsLostAndNothingIsDoneTwice() async throws {
        let plan = ChaosPlan()
        try await ChaosStage.with(plan) { stage in
            let report = try await run(stage)
            if plan.isLong { print(report) }
            #expect(report.isClean, "\(report)")
            #expect(report.faults > 0)
        }
    }

    private func run(_ stage: ChaosStage) async throws -> ChaosReport {
        let isOver = Flag()
        let isCalm = Flag()
        var endings: [ChaosReport.Ending] = []
        var spreadsheets = ChaosSpreadsheets()
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer {
                isCalm.set()
                isOver.set()
            }
            group.addTask { try await stage.runWorkers(until: isCalm, thenStayUntil: isOver) }
            group.addTask { try await stage.hurry(until: isOver) }
            spreadsheets = try await stage.makeSpreadsheets()
            group.addTask { try await stage.troubleDatabase(until: isCalm) }
            group.addTask { try await stage.troubleGoogle(until: isCalm) }
            let jobs = try await enqueue(stage, spreadsheets)
            // The trouble goes on until nine of ten have ended in it.
            try await stage.waitForEnds(of: stage.plan.jobs * 9 / 10)
            isCalm.set()
            try await stage.waitForEnds(of: stage.plan.jobs)
            try await stage.waitForReconciliation()
            endings = try await stage.endings(of: jobs)
            isOver.set()
            try await group.waitForAll()
        }
        return ChaosReport(endings, stage.emulator.state(), spreadsheets, strikes: stage.strikes.all)
    }

    /// Enqueues all jobs in small groups and cancels some; returns them by their ids.
    private func enqueue(_ stage: ChaosStage, _ spreadsheets: ChaosSpreadsheets) async throws -> [Int: ChaosJob] {
        var random = stage.plan.generator(1)
        var jobs: [Int: ChaosJob] = [:]
        var cancelling: [Task<Void, any Error>] = []
        for number in 0..<stage.plan.jobs {
            let job = ChaosJob(number, stage.plan, &random)
            let id = try await stage.enqueue(job.kind, job.payload(spreadsheets), key: "job \(number)")
            jobs[id] = job
            if job.isCancelled {
                let pause = Duration.milliseconds(Int.random(in: 0...100, using: &random))
                cancelling.append(
                    Task { [isEarly = random.chance(30)] in try await stage.cancel(id, after: pause, isEarly: isEarly) }
                )
            }
            if number % 10 == 9 { try await Task.sleep(for: .milliseconds(stage.plan.isLong ? 250 : 500)) }
        }
        for task in cancelling { try await task.value }
        return jobs
    }
}
