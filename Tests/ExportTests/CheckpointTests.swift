import Export
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// What is left of an attempt that ended in the middle, and what the next one makes of it.
@Suite struct CheckpointTests {
    private static let rows = (0..<600).map { JSON.array([JSON($0), .string(String(repeating: "é", count: 40))]) }
    private static let large: JSON = [
        "title": "Large", "folder": "F",
        "sheets": [
            ["name": "A", "columns": ["n", "t"], "rows": .array(rows)], ["name": "B", "rows": .array(rows.reversed())],
        ],
    ]

    private func expectWhole(_ job: JobRecord, _ stage: ExportStage) throws {
        #expect(job.state == "completed", "\(job.json)")
        let sheets = try #require(stage.spreadsheet(job)?["sheets"]?.array)
        try #require(sheets.count == 2 && stage.files("spreadsheet").count == 1)
        #expect(sheets[0]["values"]?.array?.dropFirst().map { $0 } == Self.rows)
        #expect(sheets[1]["values"]?.array == Self.rows.reversed())
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .error(status: 503)], [1, 3])
    func goesOnWithTheBatchThatFailed(action: Fault.Action, batch: Int) async throws {
        try await ExportStage.with(batchBytes: 20_000) { stage in
            try await stage.work { _ in
                let whole = try await stage.export(Self.large)
                let values = "sheets.spreadsheets.values.batchUpdateByDataFilter"
                let batches = try #require(stage.emulator.journal.counts[values])
                #expect(batches > 5)
                try await stage.delete(try #require(whole.result?["spreadsheet_id"]?.string))
                // The first strikes change nothing, so that the fault comes to the batch that is meant.
                stage.emulator.clearJournal()
                if batch > 1 {
                    stage.emulator.addFault(
                        Fault(
                            .delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate"), count: batch - 1
                        ))
                }
                stage.emulator.addFault(
                    Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                let job = try await stage.export(Self.large)
                try expectWhole(job, stage)
                #expect(job.json["attempt"] == 2)
                // One batch was sent twice; only where it was the first, the sheets are looked at. No list.
                var counts = stage.emulator.journal.counts
                #expect(counts.removeValue(forKey: "sheets.spreadsheets.get") == (batch == 1 ? 1 : nil))
                #expect(
                    counts == [
                        "drive.files.create": 1, "sheets.spreadsheets.batchUpdate": batch == 1 ? 2 : 1,
                        values: batch == 1 ? batches : batches + 1,
                    ])
            }
        }
    }

    @Test func whatIsTooMuchAtOnceIsSentInHalves() async throws {
        try await ExportStage.with(batchBytes: 40_000) { stage in
            try await stage.work { _ in
                // Each of the first attempts ends at the second batch.
                for attempt in 0..<4 {
                    if attempt == 0 {
                        stage.emulator.addFault(Fault(.delay(.zero), api: .sheets, path: .contains(":batchUpdate")))
                    }
                    stage.emulator.addFault(
                        Fault(.error(status: 504), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                }
                let job = try await stage.export(Self.large)
                try expectWhole(job, stage)
                #expect(job.json["attempt"] == 5, "\(job.json)")
                let sizes = stage.emulator.journal.entries.filter(\.isFault).dropFirst().map(\.bodyBytes)
                try #require(sizes.count == 4 && abs(sizes[0] - sizes[1]) < 200, "\(sizes)")
                #expect(sizes[2] < sizes[1] * 2 / 3 && sizes[3] < sizes[2] * 2 / 3, "\(sizes)")
            }
        }
    }

    @Test func aOneBatchExportSavesOneCheckpoint() async throws {
        try await ExportStage.with { stage in
            _ = try await stage.queue.psql(
                """
                create table public.seen (id bigint);
                create function public.note() returns trigger language plpgsql security definer as
                    $$ begin insert into public.seen values (new.id); return new; end $$;
                create trigger note after insert or update on sheetsync.progress for each row execute function public.note();
                """)
            try await stage.work { queue in
                let job = try await stage.export(["title": "One", "rows": [[1]]])
                #expect(job.result?["api_calls"] == 2)
                #expect(try await queue.psql("select count(*) from public.seen") == "1")
                let result = try await queue.psql("select checkpoint -> 'result' from sheetsync.progress")
                let kept = try JSON(parsing: result)
                #expect(kept["spreadsheet_id"] == job.result?["spreadsheet_id"])
                #expect(kept["spreadsheet_url"] == job.result?["spreadsheet_url"])
            }
        }
    }

    @Test func aSpreadsheetThatSomebodyDeletedMeanwhileIsMadeAgain() async throws {
        try await ExportStage.with { stage in
            stage.emulator.addFault(Fault(.error(status: 500), api: .sheets, verb: "POST", count: nil))
            try await stage.work { queue in
                let id = try await queue.jobs.enqueue(kind: "export", payload: ["title": "Gone", "rows": [[1]]])
                try await wait(for: "the write to fail") { try await queue.jobs.find(id)?.lastError != nil }
                for file in stage.files("spreadsheet") { try await stage.delete(try #require(file["id"]?.string)) }
                stage.emulator.removeFaults()
                let job = try await stage.ended(id)
                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"] == [[1]])
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func aJobThatEndsBadlyAndIsRetriedGoesOnInItsSpreadsheet() async throws {
        try await ExportStage.with { stage in
            stage.emulator.addFault(
                Fault(.error(status: 403, reason: "forbidden"), api: .sheets, verb: "POST"))
            try await stage.work { queue in
                let first = try await stage.export(["title": "Again", "rows": [[1]]])
                #expect(first.state == "discarded", "\(first.json)")
                _ = try await queue.psql("select sheetsync.retry(\(first.id))")
                let job = try await stage.ended(first.id)
                #expect(job.state == "completed", "\(job.json)")
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func aDryRunCountsTheCallsThatTheRealOneMakes() async throws {
        try await ExportStage.with(batchBytes: 20_000) { stage in
            try await stage.work { queue in
                var payload = try #require(Self.large.object)
                payload["folder"] = "New/Path"
                payload["share"] = [["type": "user", "email": "ada@example.com", "role": "reader"]]
                for _ in 0..<2 {
                    payload["dry_run"] = true
                    stage.emulator.clearJournal()
                    let dry = try await stage.export(.object(payload))
                    #expect(dry.state == "completed", "\(dry.json)")
                    #expect(stage.emulator.journal.total == 0)
                    payload["dry_run"] = false
                    let real = try await stage.export(.object(payload))
                    var counts = stage.emulator.journal.counts
                    counts["oauth.token"] = nil
                    let planned = (dry.result?["planned_calls"]?.object ?? JSONObject()).map { ($0.name, $0.value.int) }
                    #expect(Dictionary(planned, uniquingKeysWith: { one, _ in one }) == counts.mapValues(Optional.init))
                    for name in ["sheets", "cells", "warnings"] { #expect(dry.result?[name] == real.result?[name]) }
                    #expect(dry.result?["api_calls"] == 0 && dry.result?["dry_run"] == true)
                }
                let original = JSON.string(try await stage.makeSpreadsheet("Original"))
                let copy = try await stage.export(["title": "x", "copy_of": original, "rows": [], "dry_run": true])
                #expect(
                    copy.result?["planned_calls"] == [
                        "drive.files.get": 1, "drive.files.copy": 1, "sheets.spreadsheets.get": 1,
                        "sheets.spreadsheets.getByDataFilter": 1, "sheets.spreadsheets.batchUpdate": 1,
                    ])
            }
        }
    }
}
