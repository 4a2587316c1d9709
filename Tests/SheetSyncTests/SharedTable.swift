import GoogleEmulator
import JSON
import JobQueue

/// A spreadsheet that many jobs write into, one after another: each appends rows of its own to one sheet, in another changes
/// the same rows and adds one, and in a third leaves its own rows alone.
struct SharedTable {
    let id: String

    private static let count = 6

    /// The job that makes it.
    static let first: JSON = [
        "title": "Shared",
        "sheets": [
            ["name": "Log", "columns": ["job", "n", "text"], "rows": []],
            [
                "name": "State", "columns": ["key", "text"],
                "rows": .array((1...count).map { [.string("row \($0)"), "old"] }),
            ],
            [
                "name": "Kept", "mode": "mirror", "key": ["key"], "columns": ["key", "text"],
                "rows": [["first", "old"]],
            ],
        ],
    ]

    /// A job's payload; it takes several writes for each of the sheets.
    func payload(_ name: String) -> JSON {
        [
            "spreadsheet_id": .string(id),
            "sheets": [
                ["name": "Log", "mode": "append", "columns": ["job", "n", "text"], "rows": .array(log(name))],
                [
                    "name": "State", "mode": "upsert", "key": ["key"], "columns": ["text", "key"],
                    "rows": .array(state(name).map { [.string($1), .string($0)] }),
                ],
                [
                    "name": "Kept", "mode": "mirror", "key": ["key"], "columns": ["key", "text"],
                    "rows": .array(state(name).map { [.string($0), .string($1)] }),
                ],
            ],
        ]
    }

    private func log(_ name: String) -> [JSON] {
        (1...Self.count).map { [.string(name), JSON($0), .string(String(repeating: "x", count: 600))] }
    }

    private func state(_ name: String) -> [(key: String, text: String)] {
        let text = "by \(name) " + String(repeating: "x", count: 600)
        return (1...Self.count).map { ("row \($0)", text) } + [(name, text)]
    }

    /// Counts the rows of the last job that are not there, and those that are there more than once.
    func compare(_ name: String, _ job: JobRecord, _ emulator: GoogleEmulator, _ outcome: inout CrashLane.Outcome) {
        let sheets = emulator.state(spreadsheetID: id)["spreadsheets"]?[0]?["sheets"]?.array ?? []
        if job.state != "completed" || sheets.count != 3 { outcome.lost += 1 }
        let rows = (sheets.first?["values"]?.array ?? []).filter { $0[0]?.string == name }
        let expected = log(name)
        outcome.lost += expected.count { !rows.contains($0) }
        outcome.duplicated += max(0, rows.count - expected.count)
        if rows.count == expected.count, rows != expected { outcome.lost += 1 }
        let found = sheets.dropFirst().first?["values"]?.array ?? []
        for (key, text) in state(name) {
            let rows = found.filter { $0[0]?.string == key }
            if rows.first?[1]?.string != text { outcome.lost += 1 }
            outcome.duplicated += max(0, rows.count - 1)
        }
        let kept = (sheets.last?["values"]?.array ?? []).dropFirst()
        outcome.lost += state(name).count { !kept.contains([.string($0.key), .string($0.text)]) }
        outcome.duplicated += max(0, kept.count - state(name).count)
    }
}
