import Export
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// What a cancelled job says of what it has done at Google.
@Suite struct CancelTests {
    private static let rows = (0..<120).map { JSON.array([JSON($0), .string("row \($0)")]) }

    /// The jobs that a worker was told to stop.
    private let stopped = Tally()

    /// When Google carries out the call during which a job is cancelled.
    private enum Moment { case whileTheJobIsStopped, afterTheJob, never }

    /// Cancels a job while one of its calls is on its way, and returns it when it has ended.
    private func cancelled(
        _ stage: ExportStage, _ payload: JSON, carriedOut moment: Moment, _ path: Fault.PathRule, call: Int = 1
    ) async throws -> JobRecord {
        if call > 1 { stage.emulator.addFault(Fault(.delay(.zero), verb: "POST", path: path, count: call - 1)) }
        let fault = stage.emulator.addFault(
            Fault(moment == .never ? .hang : .delay(.seconds(600)), verb: "POST", path: path))
        let id = try await stage.queue.jobs.enqueue(kind: "export", payload: payload)
        try await wait(for: "the call", seeing: { try await stage.queue.jobs.find(id)?.json.description ?? "" }) {
            stage.emulator.strikes(of: fault) == 1
        }
        #expect(try await stage.queue.psql("select sheetsync.cancel(\(id))") == "t")
        try await wait(for: "the worker to stop the job") { stopped[id] == 1 }
        if moment == .whileTheJobIsStopped { stage.emulator.removeFault(fault) }
        let job = try await stage.ended(id)
        if moment == .afterTheJob { stage.emulator.removeFault(fault) }
        #expect(job.state == "cancelled", "\(job.json)")
        return job
    }

    private func why(_ job: JobRecord, _ stage: ExportStage) async throws -> String {
        let waitState = try #require(try await stage.queue.jobs.waitState(of: job.id))
        return Explanation(job, in: waitState, silenceLimit: 60).details.joined(separator: "; ")
    }

    @Test(arguments: [false, true]) func theSpreadsheetThatIsJustBeingMadeIsNamed(isCopy: Bool) async throws {
        try await ExportStage.with { stage in
            let original = isCopy ? try await stage.makeTable([["a"]]) : nil
            try await stage.work(whenStopped: stopped.add) { _ in
                var payload = JSONObject([.init(name: "title", value: "Made"), .init(name: "rows", value: [[1]])])
                payload["copy_of"] = original.map(JSON.string)
                let job = try await cancelled(
                    stage, .object(payload), carriedOut: .whileTheJobIsStopped,
                    isCopy ? .contains("/copy") : .prefix("/drive/v3/files"))
                let made = try #require(stage.files("spreadsheet").first { $0["name"] == "Made" })
                #expect(job.result?["spreadsheet_id"] == made["id"], "\(job.json)")
                #expect(job.result?["warnings"]?[0]?.string?.contains("not certain") == true, "\(job.json)")
                let words = try await why(job, stage)
                #expect(words.contains("what it has made: http"), "\(words)")
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == (isCopy ? 1 : nil))
            }
        }
    }

    @Test func whereGoogleDoesNotAnswerTheFolderIsNamed() async throws {
        try await ExportStage.with { stage in
            let folder = try await stage.makeFolder("F")
            try await stage.work(whenStopped: stopped.add) { _ in
                let job = try await cancelled(
                    stage, ["title": "Perhaps", "rows": [[1]], "folder_id": .string(folder)],
                    carriedOut: .never, .prefix("/drive/v3/files"))
                #expect(
                    job.result?["folder_id"]?.string == folder && job.result?["spreadsheet_id"] == nil, "\(job.json)")
                let words = try await why(job, stage)
                #expect(words.contains("what it may have made: ") && words.contains(folder), "\(words)")
            }
        }
    }

    @Test(arguments: ["append", "upsert"]) func theRowsOfASheetThatKeepsItsOwnAreTold(mode: String) async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"]] + Self.rows.prefix(60).map { [$0[0] ?? nil, "old"] })
            try await stage.work(whenStopped: stopped.add) { queue in
                let payload = stage.payload(
                    id, mode, key: mode == "upsert" ? ["n"] : nil, columns: ["n", "text"], .array(Self.rows))
                let job = try await cancelled(
                    stage, payload, carriedOut: .afterTheJob, .contains(":batchUpdate"), call: 2)
                #expect(job.result?["spreadsheet_id"]?.string == id, "\(job.json)")
                let words = try await why(job, stage)
                #expect(
                    words.contains(mode == "append" ? "rows are appended for certain" : "may be changed"), "\(words)")
                // The write is done late; then the job is revived and goes on.
                try await wait(for: "the late write") { stage.emulator.journal.entries.count(where: \.isFault) == 2 }
                _ = try await queue.psql("select sheetsync.retry(\(job.id))")
                let again = try await stage.ended(job.id)
                #expect(again.state == "completed", "\(again.json)")
                let found = stage.values(id)?.array ?? []
                #expect(found.filter { $0[1]?.string?.hasPrefix("row") == true } == Self.rows)
            }
        }
    }

    /// By one batch, and by several: in a hidden sheet, and when that is brought over.
    ///
    /// The first call looks where the columns are, and so does the last but one of several.
    @Test(arguments: [(8_000_000, 2), (3_000, 3), (3_000, 7)])
    func theSpreadsheetInWhichRowsAreReplacedIsNamed(batchBytes: Int, call: Int) async throws {
        try await ExportStage.with(batchBytes: batchBytes) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            try await stage.work(whenStopped: stopped.add) { _ in
                let payload = stage.payload(id, "replace", columns: ["n", "text"], .array(Self.rows))
                let job = try await cancelled(
                    stage, payload, carriedOut: .afterTheJob, .contains(id), call: call)
                #expect(job.result?["spreadsheet_id"]?.string == id, "\(job.json)")
                let words = job.result?["warnings"]?[0]?.string ?? ""
                #expect(words.contains(call == 3 ? "Nothing is replaced yet" : "all of them were, or none"), "\(words)")
            }
        }
    }
}
