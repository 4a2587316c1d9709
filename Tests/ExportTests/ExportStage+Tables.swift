import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

extension ExportStage {
    /// Makes a spreadsheet whose first sheet, `Data`, holds rows that a person typed; a text with `=` is a formula.
    func makeTable(_ rows: [[JSON]], _ requests: [JSON] = []) async throws -> String {
        let cells = rows.map { row -> JSON in
            ["values": .array(row.map(Self.cell))]
        }
        return try await makeSpreadsheet(
            "Theirs",
            [
                ["updateSheetProperties": ["properties": ["sheetId": 0, "title": "Data"], "fields": "title"]],
                [
                    "updateCells": [
                        "start": ["sheetId": 0, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                        "rows": .array(cells),
                    ]
                ],
            ] + requests)
    }

    /// Changes a spreadsheet as a person would, while jobs run or between them.
    func change(_ id: String, by requests: [JSON]) async throws {
        let body: JSON = ["requests": .array(requests)]
        _ = try await SheetsClient(api: api).batchUpdate(id, body: body.bytes)
    }

    private static func cell(_ value: JSON) -> JSON {
        switch value {
        case .string(let text) where text.hasPrefix("="): ["userEnteredValue": ["formulaValue": value]]
        case .string: ["userEnteredValue": ["stringValue": value]]
        case .bool: ["userEnteredValue": ["boolValue": value]]
        case .null: [:]
        default: ["userEnteredValue": ["numberValue": value]]
        }
    }

    /// The payload of one sheet of a spreadsheet that is there.
    func payload(
        _ id: String, _ mode: String, key: JSON = nil, columns: JSON = nil, _ rows: JSON, sheet: String = "Data"
    ) -> JSON {
        ["spreadsheet_id": .string(id), "sheets": [Self.sheet(sheet, mode, key: key, columns: columns, rows)]]
    }

    static func sheet(_ name: String, _ mode: String, key: JSON = nil, columns: JSON = nil, _ rows: JSON) -> JSON {
        ["name": .string(name), "mode": .string(mode), "key": key, "columns": columns, "rows": rows]
    }

    /// What stands in a sheet of a spreadsheet.
    func values(_ id: String, sheet: Int = 0) -> JSON? { state(id)?["sheets"]?[sheet]?["values"] }

    func state(_ id: String, formats ranges: [String] = []) -> JSON? {
        emulator.state(spreadsheetID: id, formatRanges: ranges)["spreadsheets"]?[0]
    }

    /// Runs a job that must be done at once.
    @discardableResult
    func completed(_ payload: JSON, attempt: Int = 1, _ comment: String = "") async throws -> JobRecord {
        let job = try await export(payload)
        #expect(job.state == "completed" && job.json["attempt"]?.int == attempt, "\(comment) \(job.json)")
        return job
    }
}
