import Export
import GoogleEmulator
import JSON
import TestSupport
import Testing

@testable import JobQueue

/// Jobs that ended when nobody had saved what they made: their results name it all the same, or say that there is nothing.
@Suite struct OrphanedSpreadsheetTests {
    private static let payload: JSON = ["title": "Lost", "rows": [[1]]]

    private func work(_ stage: ExportStage, _ body: (TestQueue) async throws -> Void) async throws {
        try await stage.work(
            change: {
                $0.leaseTime = .seconds(10)
                $0.reconcileInterval = .milliseconds(300)
            }, body)
    }

    private func cancel(_ id: Int, _ stage: ExportStage) async throws -> JobRecord {
        #expect(try await stage.queue.psql("select sheetsync.cancel(\(id))") == "t")
        return try #require(try await stage.queue.jobs.find(id))
    }

    private func why(_ job: JobRecord, _ stage: ExportStage) async throws -> String {
        let waitState = try #require(try await stage.queue.jobs.waitState(of: job.id))
        let words = Explanation(job, in: waitState, silenceLimit: 60)
        return ([words.headline] + words.details).joined(separator: "; ")
    }

    private func warning(_ job: JobRecord) -> String { job.result?["warnings"]?[0]?.string ?? "" }

    /// Where the spreadsheet lies.
    enum Place: CaseIterable {
        case root, folderID, path
        /// In a folder that was forgotten since.
        case forgotten
    }

    @Test(arguments: Place.allCases) func itIsFoundByItsMark(place: Place) async throws {
        try await ExportStage.with { stage in
            var payload = JSONObject([.init(name: "title", value: "Lost"), .init(name: "rows", value: [[1]])])
            var folder: String?
            if place != .root {
                try await stage.work { _ in
                    let made = try await stage.run("folder", ["path": "A/B"])
                    folder = made.result?["folder_id"]?.string
                }
                let id = try #require(folder)
                payload[place == .folderID ? "folder_id" : "folder"] = .string(place == .folderID ? id : "A/B")
            }
            let lost = try await stage.loseSpreadsheet(.object(payload), in: folder)
            if place == .forgotten { _ = try await stage.queue.psql("delete from sheetsync.folder") }
            var job = try await cancel(lost.job, stage)
            #expect(job.state == "cancelled" && warning(job).contains("not known yet"), "\(job.json)")
            var words = try await why(job, stage)
            #expect(words.contains("is being looked up") && words.contains("what it may have made: "), "\(words)")
            try await work(stage) { _ in job = try await stage.reconciled(lost.job) }
            #expect(job.state == "cancelled", "\(job.json)")
            #expect(job.result?["spreadsheet_id"]?.string == lost.spreadsheet, "\(job.json)")
            #expect(job.result?["spreadsheet_url"]?.string?.hasPrefix("http") == true, "\(job.json)")
            words = try await why(job, stage)
            #expect(words.contains("what it has made: http") && !words.contains("looked up"), "\(words)")
            // A look changes nothing.
            #expect(stage.files("spreadsheet").count == 1 && stage.files("folder").count == (place == .root ? 0 : 2))
        }
    }

    @Test func itIsLookedForUntilNoListCanBeSoLate() async throws {
        try await ExportStage.with(patience: .seconds(8)) { stage in
            stage.emulator.delayLists(seconds: 4)
            let lost = try await stage.loseSpreadsheet(Self.payload)
            _ = try await cancel(lost.job, stage)
            try await work(stage) { _ in
                let job = try await stage.reconciled(lost.job)
                #expect(job.result?["spreadsheet_id"]?.string == lost.spreadsheet, "\(job.json)")
            }
            #expect((stage.emulator.journal.counts["drive.files.list"] ?? 0) > 1, "the first list was too early")
        }
    }

    @Test(arguments: [false, true]) func whatIsNotThereIsSaidNotToBe(hasFolder: Bool) async throws {
        try await ExportStage.with { stage in
            var payload = Self.payload
            if hasFolder {
                let folder = try await stage.makeFolder("Gone")
                try await stage.delete(folder)
                payload = ["title": "Lost", "rows": [[1]], "folder_id": .string(folder)]
            }
            let lost = try await stage.loseSpreadsheet(payload, notMade: true)
            _ = try await cancel(lost.job, stage)
            try await work(stage) { _ in
                let job = try await stage.reconciled(lost.job)
                #expect(warning(job).contains("none was made") && job.result?["spreadsheet_id"] == nil, "\(job.json)")
                let words = try await why(job, stage)
                #expect(words.contains("what is known: No spreadsheet"), "\(words)")
            }
        }
    }

    /// An attempt whose create had an unclear end, and a cancel, or no attempts left, before the next one.
    @Test(arguments: [Fault.Action.resetAfter, .resetBefore], [true, false])
    func whatWasUnclearIsMadeClear(action: Fault.Action, isCancelled: Bool) async throws {
        try await ExportStage.with { stage in
            let folder = try await stage.makeFolder("F")
            stage.emulator.addFault(Fault(action, api: .drive, verb: "POST", path: .prefix("/drive/v3/files")))
            let id = try await stage.queue.jobs.enqueue(
                kind: "export", payload: ["title": "Perhaps", "rows": [[1]], "folder_id": .string(folder)],
                maxAttempts: isCancelled ? 10 : 1)
            try await stage.work(change: {
                $0.retryPolicy = RetryPolicy(base: .seconds(9_000), longest: .seconds(9_000))
            }) {
                queue in
                try await queue.expect(id, isCancelled ? "retryable" : "discarded")
            }
            if isCancelled { _ = try await cancel(id, stage) }
            let unclear = try #require(try await stage.queue.jobs.find(id))
            #expect(warning(unclear).contains("not certain") && warning(unclear).contains(folder), "\(unclear.json)")
            try await work(stage) { _ in
                let job = try await stage.reconciled(id)
                #expect(job.state == (isCancelled ? "cancelled" : "discarded"), "\(job.json)")
                let made = stage.files("spreadsheet").first { $0["name"] == "Perhaps" }
                #expect((made != nil) == (action == .resetAfter))
                #expect(job.result?["spreadsheet_id"] == made?["id"], "\(job.json)")
                #expect(warning(job).contains(made == nil ? "none was made" : "is made"), "\(job.json)")
            }
        }
    }

    @Test func anOutageOnlyPutsTheLookOff() async throws {
        try await ExportStage.with { stage in
            let fault = stage.emulator.addFault(Fault(.error(status: 503), api: .drive, verb: "GET", count: 3))
            let lost = try await stage.loseSpreadsheet(Self.payload)
            _ = try await cancel(lost.job, stage)
            try await work(stage) { _ in
                let job = try await stage.reconciled(lost.job)
                #expect(job.result?["spreadsheet_id"]?.string == lost.spreadsheet, "\(job.json)")
                #expect(stage.emulator.strikes(of: fault) == 3)
            }
        }
    }

    @Test func aRetryBeforeTheLookGoesOnInIt() async throws {
        try await ExportStage.with { stage in
            let lost = try await stage.loseSpreadsheet(Self.payload)
            _ = try await cancel(lost.job, stage)
            #expect(try await stage.queue.psql("select sheetsync.retry(\(lost.job))") == "t")
            try await work(stage) { _ in
                let job = try await stage.ended(lost.job)
                #expect(job.state == "completed" && job.result?["warnings"] == [], "\(job.json)")
                #expect(job.result?["spreadsheet_id"]?.string == lost.spreadsheet)
                #expect(try await stage.reconciled(lost.job).result == job.result)
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func twoWorkersMayLookAtOnce() async throws {
        try await ExportStage.with { stage in
            var lost: [(job: Int, spreadsheet: String?)] = []
            for number in 0..<24 {
                lost.append(try await stage.loseSpreadsheet(Self.payload, notMade: number % 4 == 0))
            }
            for one in lost { _ = try await cancel(one.job, stage) }
            let other = stage.sibling()
            try await work(stage) { _ in
                try await work(other) { _ in
                    for one in lost {
                        let job = try await stage.reconciled(one.job)
                        #expect(job.result?["spreadsheet_id"]?.string == one.spreadsheet, "\(job.json)")
                        #expect(
                            warning(job).contains(one.spreadsheet == nil ? "none was made" : "is made"), "\(job.json)")
                    }
                }
            }
            #expect(stage.files("spreadsheet").count == 18)
        }
    }
}
