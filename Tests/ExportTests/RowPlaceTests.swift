import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Where added and changed rows land: in tables, below a header that is not the first row, beside what people have.
@Suite struct RowPlaceTests {
    private func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
        [
            "sheetId": 0, "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
            "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
        ]
    }

    private func table(_ name: JSON, _ rows: Range<Int>, _ columns: Range<Int>, footer: Bool = false) -> JSON {
        var table: JSONObject = JSONObject([
            .init(name: "tableId", value: name), .init(name: "name", value: name),
            .init(name: "range", value: range(rows, columns)),
        ])
        if footer { table["rowsProperties"] = ["footerColorStyle": ["rgbColor": ["red": 1]]] }
        return ["addTable": ["table": .object(table)]]
    }

    private func tables(_ stage: ExportStage, _ id: String) async throws -> [JSON] {
        let answer = try await SheetsClient(api: stage.api).spreadsheet(id, fields: "sheets.tables.range")
        return (answer["sheets"]?[0]?["tables"]?.array ?? []).map { table in
            [
                table["range"]?["startRowIndex"] ?? 0, table["range"]?["endRowIndex"] ?? 0,
                table["range"]?["startColumnIndex"] ?? 0, table["range"]?["endColumnIndex"] ?? 0,
            ]
        }
    }

    private func payload(
        _ id: String, _ mode: String, columns: JSON = ["k", "v"], _ rows: JSON, _ more: JSON = [:]
    ) -> JSON {
        var sheet = more.object ?? JSONObject()
        sheet["name"] = "Data"
        sheet["mode"] = .string(mode)
        if mode == "upsert" { sheet["key"] = ["k"] }
        sheet["columns"] = columns
        sheet["rows"] = rows
        return ["spreadsheet_id": .string(id), "sheets": [.object(sheet)]]
    }

    @Test(arguments: ["append", "upsert", "replace"]) func rowsJoinATable(mode: String) async throws {
        try await ExportStage.with { stage in
            // The table stands over notes and beside a longer one.
            let id = try await stage.makeTable(
                [
                    ["k", "v", nil, "p", "q"], [1, "a", nil, "x", 1], [2, "b", nil, "y", 2],
                    ["a note", nil, nil, "z", 3],
                    ["one more", nil, nil, "w", 4],
                ], [table("Orders", 0..<3, 0..<2), table("Longer", 0..<5, 3..<5)])
            try await stage.work { _ in
                let rows: JSON =
                    mode == "replace" ? [[1, "a"], [2, "b"], [3, "c"], [4, "d"]] : [[3, "c"], [4, "d"]]
                let job = try await stage.completed(payload(id, mode, rows), mode)
                #expect(
                    stage.values(id) == [
                        ["k", "v", nil, "p", "q"], [1, "a", nil, "x", 1], [2, "b", nil, "y", 2], [3, "c", nil, "z", 3],
                        [4, "d", nil, "w", 4], ["a note"], ["one more"],
                    ], "\(mode) \(stage.values(id) ?? nil)")
                #expect(try await tables(stage, id) == [[0, 5, 0, 2], [0, 5, 3, 5]], "\(job.json)")
                // The next ones too.
                try await stage.completed(payload(id, mode == "replace" ? "append" : mode, [[5, "e"]]))
                #expect(stage.values(id)?[5] == [5, "e"] && stage.values(id)?[6] == ["a note"])
                #expect(try await tables(stage, id)[0] == [0, 6, 0, 2])
            }
        }
    }

    @Test(arguments: [[:], ["header_row": 3], ["table": "Orders"]] as [JSON])
    func aTableMayBeginBelow(position: JSON) async throws {
        try await ExportStage.with { stage in
            func make() async throws -> String {
                try await stage.makeTable(
                    [
                        ["Title", nil, nil, "k"], [], [nil, "v", "mine", "k"], [nil, "a", "m", 1],
                        [nil, "b", "=1+1", 2],
                        [nil, "sum", nil, "foot"], [nil, "below"],
                    ], [table("Orders", 2..<6, 1..<4, footer: true)])
            }
            try await stage.work { _ in
                for mode in ["append", "upsert"] {
                    let id = try await make()
                    try await stage.completed(
                        payload(id, mode, mode == "append" ? [[3, "c"]] : [[2, "B"], [3, "c"]], position))
                    #expect(
                        stage.values(id) == [
                            ["Title", nil, nil, "k"], [], [nil, "v", "mine", "k"], [nil, "a", "m", 1],
                            [nil, mode == "append" ? "b" : "B", ["formula": "=1+1"], 2], [nil, "c", nil, 3],
                            [nil, "sum", nil, "foot"], [nil, "below"],
                        ], "\(mode) \(position) \(stage.values(id) ?? nil)")
                    #expect(try await tables(stage, id) == [[2, 7, 1, 4]])
                }
                let id = try await make()
                try await stage.completed(payload(id, "replace", [[7, "x"], [8, "y"], [9, "z"]], position))
                let values = stage.values(id)?.array ?? []
                #expect(values.count == 8 && values[0] == ["Title", nil, nil, "k"])
                #expect(values.dropFirst(3).prefix(3).map { $0[3] } == [7, 8, 9], "\(values)")
                #expect(values[3][2] == "m" && values[6] == [nil, "sum", nil, "foot"] && values[7] == [nil, "below"])
                #expect(try await tables(stage, id) == [[2, 7, 1, 4]])
            }
        }
    }

    @Test func whatIsNotThereIsNamed() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v"], [1, "a"]], [table("Orders", 0..<2, 0..<2)])
            try await stage.work { _ in
                for (mode, position, code, words) in [
                    ("append", ["table": "Ordrs"], "export.header_mismatch", "Orders"),
                    ("replace", ["table": "Ordrs"], "export.header_mismatch", "Orders"),
                    ("append", ["header_row": 9], "export.header_mismatch", "row 9"),
                    ("append", ["header_row": 5_000], "export.header_mismatch", "no row 5000"),
                    ("upsert", ["header_row": 5_000], "export.header_mismatch", "no row 5000"),
                    ("replace", ["header_row": 5_000], "export.header_mismatch", "no row 5000"),
                    ("upsert", ["header_row": 0], "payload.invalid", "from 1 on"),
                    ("append", ["header_row": 2, "table": "Orders"], "payload.invalid", "goes without header_row"),
                    ("append", ["reset": true], "payload.invalid", "replace alone"),
                ] as [(String, JSON, String, String)] {
                    let job = try await stage.export(payload(id, mode, [[2, "b"]], position))
                    #expect(job.state == "discarded" && job.lastError?.code == code, "\(job.json)")
                    #expect(job.lastError?.message.contains(words) == true, "\(job.json)")
                }
                let column = try await stage.export(
                    payload(id, "replace", columns: ["k", "w"], [[2, "b"]], ["table": "Orders"]))
                #expect(column.lastError?.code == "export.header_mismatch", "\(column.json)")
                let new = try await stage.export([
                    "title": "New", "sheets": [["name": "A", "columns": ["k"], "rows": [], "header_row": 3]],
                ])
                #expect(new.lastError?.message.hasPrefix("sheets[0].header_row: ") == true, "\(new.json)")
                #expect(stage.values(id) == [["k", "v"], [1, "a"]])
            }
        }
    }

    @Test(arguments: ["append", "upsert"])
    func belowTheHeaderRowMeansBelowItsOwnColumns(mode: String) async throws {
        try await ExportStage.with { stage in
            // A person's column goes on below, and boxes stand down to the end.
            let id = try await stage.makeTable(
                [
                    ["About"], ["k", "theirs", "v", "done"], [1, "t1", "a", true], [2, "t2", "b", false],
                    [nil, "t3", nil, false], [nil, "t4", nil, false], [nil, "t5", nil, false],
                ],
                [["setDataValidation": ["range": range(2..<7, 3..<4), "rule": ["condition": ["type": "BOOLEAN"]]]]])
            try await stage.work { _ in
                try await stage.completed(
                    payload(
                        id, mode, columns: ["v", ["name": "k", "type": "number"], "done"],
                        [["c", 3, true], ["d", 4, false]],
                        ["header_row": 2]))
                #expect(
                    stage.values(id) == [
                        ["About"], ["k", "theirs", "v", "done"], [1, "t1", "a", true], [2, "t2", "b", false],
                        [3, "t3", "c", true], [4, "t4", "d", false], [nil, "t5", nil, false],
                    ], "\(stage.values(id) ?? nil)")
                try await stage.completed(payload(id, mode, [[5, "e"], [6, "f"]], ["header_row": 2]))
                #expect(stage.values(id)?[6] == [5, "t5", "e", false] && stage.values(id)?[7] == [6, nil, "f"])
            }
        }
    }

    @Test func boxesThatNobodyTickedAreNoDataAndFalseIs() async throws {
        try await ExportStage.with { stage in
            let rows: [[JSON]] = [["k", "done"], [1, true], [nil, false], [nil, false]]
            let rule: JSON = [
                "setDataValidation": ["range": range(1..<4, 1..<2), "rule": ["condition": ["type": "BOOLEAN"]]]
            ]
            let boxes = try await stage.makeTable(rows, [rule])
            let truths = try await stage.makeTable(rows)
            try await stage.work { _ in
                for id in [boxes, truths] {
                    try await stage.completed(payload(id, "append", columns: ["k", "done"], [[2, true]]))
                }
                #expect(stage.values(boxes)?.array?.dropFirst(1) == [[1, true], [2, true], [nil, false]])
                #expect(stage.values(truths)?.array?.dropFirst(3) == [[nil, false], [2, true]])
                for id in [boxes, truths] {
                    try await stage.completed(
                        payload(id, "append", columns: ["k", "done"], [[3, true]], ["header_row": 1]))
                }
                #expect(stage.values(boxes)?.array?.last == [3, true] && stage.values(boxes)?.array?.count == 4)
                #expect(stage.values(truths)?.array?.last == [3, true] && stage.values(truths)?.array?.count == 6)
            }
        }
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .error(status: 503)])
    func rowsBelowAHeaderRowLandOnceWhateverBreaks(action: Fault.Action) async throws {
        try await ExportStage.with(batchBytes: 2_000) { stage in
            let id = try await stage.makeTable([
                ["About"], ["k", "mine", "v"], [1, "m", "a"], [nil, "m2"], [nil, "m3"],
            ])
            try await stage.work { _ in
                let fault = stage.emulator.addFault(
                    Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                let rows = (2...41).map { row -> JSON in [JSON(row), .string(String(repeating: "x", count: 90))] }
                try await stage.completed(
                    payload(id, "append", .array(rows), ["header_row": 2]), attempt: 2, "\(action)")
                #expect(stage.emulator.strikes(of: fault) == 1)
                let values = stage.values(id)?.array ?? []
                #expect(values.dropFirst(2).map { $0[0]?.int } == (1...41).map { $0 }, "\(values)")
                #expect(values[3][1] == "m2" && values[4][1] == "m3")
            }
        }
    }

    @Test func headersAreFoundByWhatTheyShow() async throws {
        try await ExportStage.with { stage in
            func number(_ column: Int, _ type: JSON, _ pattern: JSON) -> JSON {
                [
                    "repeatCell": [
                        "range": range(0..<1, column..<column + 1),
                        "cell": ["userEnteredFormat": ["numberFormat": ["type": type, "pattern": pattern]]],
                        "fields": "userEnteredFormat.numberFormat",
                    ]
                ]
            }
            func make() async throws -> String {
                try await stage.makeTable(
                    [["k", 46_143, 0.25, 0.375, 1_000, 2026], [1, 2, 3, 4, 5, 6]],
                    [
                        number(1, "DATE", "mmm yyyy"), number(2, "PERCENT", "0%"), number(3, "TIME", "hh:mm"),
                        number(4, "NUMBER", "#,##0"), number(5, "NUMBER", "#,##0"),
                    ])
            }
            let columns: JSON = ["k", "May 2026", "25%", "09:00", "1,000", "2026"]
            try await stage.work { _ in
                for mode in ["append", "upsert", "replace"] {
                    let id = try await make()
                    try await stage.completed(payload(id, mode, columns: columns, [[7, 8, 9, 10, 11, 12]]), mode)
                    #expect(
                        stage.values(id)?[0] == ["k", 46_143, 0.25, 0.375, 1_000, 2026], "\(stage.values(id) ?? nil)")
                    #expect(stage.values(id)?[mode == "replace" ? 1 : 2] == [7, 8, 9, 10, 11, 12], "\(mode)")
                }
                let id = try await stage.makeTable([["Name\u{A0}of", "Id ", "total"], ["a", 1, 2]])
                for (column, words) in [
                    ("Name of", "character 5 is a no-break space (U+00A0) in the sheet and a space in the job"),
                    ("Id", "character 3 is a space in the sheet and nothing in the job"),
                    ("Total", "character 1 is \"t\" in the sheet and \"T\" in the job"),
                ] {
                    let job = try await stage.export(payload(id, "append", columns: [.string(column)], [[1]]))
                    #expect(job.lastError?.code == "export.header_mismatch", "\(job.json)")
                    #expect(job.lastError?.message.contains(words) == true, "\(job.json)")
                }
                // A replacement takes the column for its own, and says so.
                let job = try await stage.completed(payload(id, "replace", columns: ["Name of", "Id"], [["b", 2]]))
                #expect(stage.values(id) == [["Name\u{A0}of", "Id ", "total"], ["b", 2, 2]])
                #expect(job.result?["warnings"]?.array?.count == 2, "\(job.json)")
            }
        }
    }

    @Test func anUpsertChangesWhatItsObjectsName() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([
                ["Id", "Name", "Mail", "Sum"], [1, "old", "a@b", "=1+1"], [2, "two", "c@d", 5], [3, "three", "e@f", 6],
            ])
            func upsert(_ rows: JSON) -> JSON {
                [
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        [
                            "name": "Data", "mode": "upsert", "key": ["Id"], "columns": ["Id", "Name", "Mail", "Sum"],
                            "rows": rows,
                        ]
                    ],
                ]
            }
            try await stage.work { _ in
                let job = try await stage.completed(
                    upsert([
                        ["Id": 1, "Name": "Ada"], ["Id": 2, "Mail": nil, "nick": "x"],
                        ["Id": 3, "Name": "3", "Mail": "m", "Sum": 7, "nick": 1, "age": 2], ["Id": 4, "Sum": 8],
                        ["Id": 2.5],
                    ]))
                #expect(
                    stage.values(id) == [
                        ["Id", "Name", "Mail", "Sum"], [1, "Ada", "a@b", ["formula": "=1+1"]], [2, "two", nil, 5],
                        [3, "3", "m", 7], [4, nil, nil, 8], [2.5],
                    ], "\(stage.values(id) ?? nil)")
                let warnings = job.result?["warnings"]?.array?.compactMap(\.string) ?? []
                #expect(warnings.count == 2, "\(warnings)")
                #expect(
                    warnings.contains { $0.contains("\"nick\"") && $0.contains("2 values were left out") },
                    "\(warnings)")
                for (rows, words) in [
                    ([["Id": 1, "Name": "x"], ["id": 2, "name": "y"]], "did you mean \"Id\" by \"id\"?"),
                    ([["foo": 1]], "columns are \"Id\", \"Name\""),
                ] as [(JSON, String)] {
                    let refused = try await stage.export(upsert(rows))
                    #expect(
                        refused.state == "discarded" && refused.lastError?.code == "payload.invalid", "\(refused.json)")
                    #expect(refused.lastError?.message.contains(words) == true, "\(refused.json)")
                }
                // In every mode, and in new spreadsheets.
                let new = try await stage.export(["title": "x", "columns": ["Id"], "rows": [["id": 1]]])
                #expect(new.lastError?.message.hasPrefix("rows[0]: has no member") == true, "\(new.json)")
            }
        }
    }
}
