import Google
import GoogleEmulator
import JSON
import JobQueue
import SheetModel
import TestSupport
import Testing

@testable import Export

/// What jobs in flight have saved, also by the version before this one.
@Suite struct ExportCheckpointTests {
    /// What earlier programs saved in each stage.
    private static let saved: [(text: String, checkpoint: ExportCheckpoint)] = [
        (#"{"stage": "begun"}"#, ExportCheckpoint()),
        (#"{"stage": "not_made"}"#, ExportCheckpoint(stage: .notMade)),
        (
            #"""
            {"stage": "unclear", "since": 1764500000, "looks": 2, "folder_id": "F", "identity": "a@example.com",
             "result": {"folder_id": "F", "warnings": ["Whether …"]}}
            """#,
            ExportCheckpoint(
                stage: .unclear(UncertainCreate(since: .init(seconds: 1_764_500_000), looks: 2, folder: "F")),
                identity: "a@example.com", result: ["folder_id": "F", "warnings": ["Whether …"]])
        ),
        (
            #"""
            {"stage": "made", "spreadsheet_id": "S", "spreadsheet_url": "https://u", "folder_id": "F", "warnings": ["w"],
             "sheet_ids": [0, 7], "next_sheet": 1, "next_row": 40, "result": {"spreadsheet_id": "S"}}
            """#,
            ExportCheckpoint(
                stage: .made(
                    ExportedSpreadsheet(id: "S", url: "https://u", folder: "F", warnings: ["w"]),
                    written: .init(sheetIDs: [0, 7], next: PlanPosition(sheet: 1, row: 40))),
                result: ["spreadsheet_id": "S"])
        ),
        (
            #"""
            {"stage": "staged", "sheet_ids": [9], "next_sheet": 1, "next_row": 0, "layout": "L", "warnings": [],
             "sheets": [{"name": "A", "sheet_id": 3, "rows": 2, "columns": 4, "cells": 8}], "result": {"warnings": []}}
            """#,
            ExportCheckpoint(
                stage: .staged(
                    .init(
                        written: .init(sheetIDs: [9], next: PlanPosition(sheet: 1, row: 0)),
                        outcome: .init(
                            sheets: [SheetSummary(name: "A", id: 3, rows: 2, columns: 4, cells: 8)], warnings: []),
                        layout: "L")),
                result: ["warnings": []])
        ),
        (
            #"""
            {"stage": "begun", "result": {"spreadsheet_id": "S"},
             "kept": {"0": {"sheet_id": 5, "rows": 30, "digest": "d", "sent": 60, "others": 11}, "2": {"upsert": true}}}
            """#,
            ExportCheckpoint(
                sheets: [
                    0: .append(AppendProgress(sheetID: 5, rows: 30, digest: "d", sent: 60, others: 11)), 2: .upsert,
                ],
                result: ["spreadsheet_id": "S"])
        ),
    ]

    @Test(arguments: saved.indices) func readsAndWritesWhatTheVersionBeforeSaved(index: Int) throws {
        let (text, expected) = Self.saved[index]
        let json = try JSON(parsing: text)
        #expect(ExportCheckpoint(json) == expected)
        #expect(expected.json.sortedMembers == json.sortedMembers)
    }

    @Test(arguments: [
        #"{"stage": "later", "result": {"warnings": ["w"]}}"#, #"{"stage": "made"}"#, "{}",
        #"{"stage": "begun", "kept": {"1": {"mirrored": 3}}}"#,
    ]) func keepsWhatItCannotReadAndTakesNothingForUntouched(text: String) throws {
        let json = try JSON(parsing: text)
        let checkpoint = ExportCheckpoint(json)
        #expect(checkpoint.json.sortedMembers == json.sortedMembers)
        #expect(!checkpoint.sheets.isEmpty || checkpoint.stage == .unknown(json))
    }

    @Test(arguments: [true, false]) func aJobInFlightGoesOnInItsSpreadsheetAfterAnUpgrade(isMade: Bool) async throws {
        try await ExportStage.with { stage in
            let (job, spreadsheet) = try await stage.loseSpreadsheet(["title": "In flight", "rows": [[1], [2]]])
            let id = try #require(spreadsheet)
            let text =
                isMade
                ? #"{"stage": "made", "spreadsheet_id": "\#(id)", "spreadsheet_url": "https://u", "result": {}}"#
                : #"{"stage": "unclear", "since": 1764500000, "looks": 1, "folder_id": null, "result": {}}"#
            _ = try await stage.queue.psql(
                "insert into sheetsync.progress (id, step, checkpoint) values (\(job), 'writing', '\(text)')")
            try await stage.work { _ in
                let job = try await stage.ended(job)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.result?["spreadsheet_id"]?.string == id, "\(job.json)")
                #expect(stage.values(id) == [[1], [2]])
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func whatIsAppendedIsKnownWhereTheFirstAttemptSawNothing() async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            let rows = (0..<120).map { JSON.array([JSON($0), .string("row \($0)")]) }
            // The first attempt sees nothing of the spreadsheet, the second hangs in its second write.
            stage.emulator.addFault(Fault(.error(status: 503), api: .drive, verb: "GET"))
            stage.emulator.addFault(Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
            let hanging = stage.emulator.addFault(
                Fault(.delay(.seconds(600)), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
            try await stage.work { queue in
                let job = try await queue.jobs.enqueue(
                    kind: "export", payload: stage.payload(id, "append", columns: ["n", "text"], .array(rows)))
                try await wait(
                    for: "the second write", seeing: { try await queue.jobs.find(job)?.json.description ?? "" }
                ) { stage.emulator.strikes(of: hanging) == 1 }
                let saved = ExportCheckpoint(
                    try JSON(
                        parsing: try await queue.psql("select checkpoint from sheetsync.progress where id = \(job)")))
                #expect(saved.stage == .begun && (saved.appendProgress(ofSheet: 0)?.rows ?? 0) > 0, "\(saved)")
                #expect("\(saved.result ?? nil)".contains("rows are appended for certain"), "\(saved)")
                stage.emulator.removeFaults()
                let ended = try await stage.ended(job)
                #expect(ended.state == "completed" && ended.json["attempt"] == 2, "\(ended.json)")
                #expect(stage.values(id) == .array([["n", "text"]] + rows))
            }
        }
    }
}

extension JSON {
    /// The same value, whose objects have their members in the order of their names.
    fileprivate var sortedMembers: JSON {
        switch self {
        case .object(let object):
            .object(
                JSONObject(
                    object.sorted { $0.name < $1.name }.map { .init(name: $0.name, value: $0.value.sortedMembers) }))
        case .array(let elements): .array(elements.map(\.sortedMembers))
        default: self
        }
    }
}
