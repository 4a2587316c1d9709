import Export
import Google
import GoogleEmulator
import HTTPTypes
import JSON
import JobQueue
import TestSupport
import Testing

/// Columns that are hidden, and notes on their headings, in every way in which rows come to a sheet.
@Suite struct ColumnSettingsTests {
    private static let columns: JSON = [
        "k", ["name": "secret", "hidden": true, "note": "Not for readers"],
        ["name": "link", "type": "link", "note": "Opens the order"],
    ]
    private static func rows(_ count: Int) -> JSON {
        .array((0..<count).map { [JSON($0), .string("s\($0)"), "https://example.org"] })
    }

    /// Which columns of a sheet are hidden, and the notes of its first row.
    private func look(_ stage: ExportStage, _ id: String, sheet: String) async throws -> (
        hidden: [Int], notes: [Int: String]
    ) {
        let answer = try await stage.api.call(
            APIRequest(
                .sheets, .get, APIRequest.sheetsPath(id), query: [("ranges", "'\(sheet)'!A1:H1")],
                fields: "sheets.data(columnMetadata.hiddenByUser,rowData.values.note)"))
        let data = answer["sheets"]?[0]?["data"]?[0]
        let hidden = (data?["columnMetadata"]?.array ?? []).enumerated().filter { $1["hiddenByUser"] == true }.map(
            \.offset)
        var notes: [Int: String] = [:]
        for (index, cell) in (data?["rowData"]?[0]?["values"]?.array ?? []).enumerated() {
            notes[index] = cell["note"]?.string
        }
        return (hidden, notes)
    }

    private func expectLook(
        _ stage: ExportStage, _ id: String?, sheet: String = "Data", at columns: (Int, Int) = (1, 2),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let (hidden, notes) = try await look(stage, try #require(id, sourceLocation: sourceLocation), sheet: sheet)
        #expect(hidden == [columns.0], sourceLocation: sourceLocation)
        #expect(
            notes == [columns.0: "Not for readers", columns.1: "Opens the order"], sourceLocation: sourceLocation)
    }

    private func payload(_ target: JSONObject, mode: String = "replace", rows: Int = 3) -> JSON {
        var payload = target
        var sheet: JSONObject = JSONObject()
        sheet["name"] = "Data"
        sheet["mode"] = .string(mode)
        if mode == "upsert" { sheet["key"] = ["k"] }
        sheet["columns"] = Self.columns
        sheet["rows"] = Self.rows(rows)
        payload["sheets"] = [.object(sheet)]
        return .object(payload)
    }

    private func target(_ name: String, _ value: String, _ more: JSONObject = JSONObject()) -> JSONObject {
        var target = more
        target[name] = .string(value)
        return target
    }

    /// By one write, and by many, the last of which brings hidden sheets over.
    @Test(arguments: [8_000_000, 4_000])
    func newSpreadsheetsCopiesAndReplacements(batchBytes: Int) async throws {
        let rows = batchBytes < 10_000 ? 120 : 3
        try await ExportStage.with(batchBytes: batchBytes) { stage in
            try await stage.work { _ in
                let new = try await stage.completed(payload(target("title", "New"), rows: rows))
                try await expectLook(stage, new.result?["spreadsheet_id"]?.string)

                let plain = try await stage.makeTable([["k", "secret", "link", "theirs"], [1, "a", "b", "c"]])
                let template = JSONObject([.init(name: "template", value: "default")])
                for more in [JSONObject(), template] {
                    let copy = try await stage.completed(
                        payload(
                            target("copy_of", plain, target("title", "Copy", more)), rows: rows))
                    try await expectLook(stage, copy.result?["spreadsheet_id"]?.string)
                    let id = try await stage.makeTable([["k", "secret", "link", "theirs"], [1, "a", "b", "c"]])
                    try await stage.completed(payload(target("spreadsheet_id", id, more), rows: rows))
                    try await expectLook(stage, id)
                }
            }
        }
    }

    @Test func rowsThatAreAddedOrChanged() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                for mode in ["append", "upsert"] {
                    // By name, wherever the columns are.
                    let id = try await stage.makeTable([["theirs", "link", "k", "secret"], ["x", "y", 1, "z"]])
                    try await stage.completed(payload(target("spreadsheet_id", id), mode: mode))
                    try await expectLook(stage, id, at: (3, 1))
                    // An empty sheet and a missing one.
                    let empty = try await stage.makeTable([])
                    try await stage.completed(payload(target("spreadsheet_id", empty), mode: mode))
                    try await expectLook(stage, empty)
                    let other = try await stage.makeSpreadsheet("Other")
                    try await stage.completed(payload(target("spreadsheet_id", other), mode: mode))
                    try await expectLook(stage, other)
                }
                // Where rows only change, and none is added.
                let id = try await stage.makeTable([
                    ["k", "secret", "link"], [0, "a", "b"], [1, "a", "b"], [2, "a", "b"],
                ])
                try await stage.completed(payload(target("spreadsheet_id", id), mode: "upsert"))
                try await expectLook(stage, id)
                // And where none does, there is no call for it.
                stage.emulator.clearJournal()
                try await stage.completed(payload(target("spreadsheet_id", id), mode: "upsert"))
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == nil)
            }
        }
    }

    @Test func whatAColumnDoesNotNameStaysAndFalseShowsItAgain() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let id = try await stage.makeTable([["k", "secret", "link"], [1, "a", "b"]])
                try await stage.completed(payload(target("spreadsheet_id", id)))
                func replace(_ columns: JSON) async throws {
                    try await stage.completed(stage.payload(id, "replace", columns: columns, [[1, "a", "b"]]))
                }
                try await replace(["k", "secret", "link"])
                try await expectLook(stage, id)
                try await replace(["k", ["name": "secret", "hidden": false, "note": ""], "link"])
                let (hidden, notes) = try await look(stage, id, sheet: "Data")
                #expect(hidden == [] && notes == [2: "Opens the order"])
            }
        }
    }

    @Test func queriesHaveThemToo() async throws {
        try await SourceStage.with { source in
            let job = try await source.export(
                "select 1 as k, 'x' as secret, 'https://example.org' as link", ["columns": Self.columns])
            #expect(job.state == "completed", "\(job.json)")
            try await expectLook(source.stage, job.result?["spreadsheet_id"]?.string, sheet: "Sheet1")
        }
    }

    @Test func aNoteIsNoLongerThanACell() async throws {
        let note = String(repeating: "n", count: 50_001)
        let text: JSON = ["title": "T", "columns": [["name": "a", "note": .string(note)]], "rows": []]
        let error = #expect(throws: PayloadError.self) { try ExportPayload(text) }
        #expect(error?.path == "columns[0].note", "\(error as Any)")
    }
}
