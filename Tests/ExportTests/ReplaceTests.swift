import Export
import Google
import GoogleEmulator
import HTTPTypes
import JSON
import JobQueue
import TestSupport
import Testing

/// Replacements in a spreadsheet that people use too: what they made stays theirs.
@Suite struct ReplaceTests {
    private static let small = 1_500

    /// Tab Data with columns A and B of a job, a person's notes in D and formulas in E, formats and widths; another tab and a
    /// named range refer to it.
    private static func makeReport(_ stage: ExportStage, rows: Int = 50, _ more: [JSON] = []) async throws -> String {
        try await stage.makeTable(
            [["region", "sales", nil, "my notes", "double"]]
                + (0..<rows).map { row in
                    [.string("R\(row)"), JSON(row), nil, .string("note \(row)"), .string("=B\(row + 2)*2")]
                },
            [
                ["addSheet": ["properties": ["sheetId": 5, "title": "Other"]]],
                [
                    "updateCells": [
                        "start": ["sheetId": 5, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                        "rows": [["values": [["userEnteredValue": ["formulaValue": "=SUM(Data!B2:B51)"]]]]],
                    ]
                ],
                [
                    "repeatCell": [
                        "range": ["sheetId": 0, "startRowIndex": 0, "endRowIndex": 1, "endColumnIndex": 5],
                        "cell": ["userEnteredFormat": ["textFormat": ["italic": true]]],
                        "fields": "userEnteredFormat.textFormat.italic",
                    ]
                ],
                [
                    "repeatCell": [
                        "range": [
                            "sheetId": 0, "startRowIndex": 1, "endRowIndex": JSON(rows + 1), "startColumnIndex": 1,
                            "endColumnIndex": 2,
                        ],
                        "cell": ["userEnteredFormat": ["numberFormat": ["type": "CURRENCY", "pattern": "0.00 €"]]],
                        "fields": "userEnteredFormat.numberFormat",
                    ]
                ],
                [
                    "updateDimensionProperties": [
                        "range": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 2],
                        "properties": ["pixelSize": 234], "fields": "pixelSize",
                    ]
                ],
                [
                    "addNamedRange": [
                        "namedRange": [
                            "namedRangeId": "n1", "name": "sales",
                            "range": [
                                "sheetId": 0, "startRowIndex": 1, "endRowIndex": 51, "startColumnIndex": 1,
                                "endColumnIndex": 2,
                            ],
                        ]
                    ]
                ],
            ] + more)
    }

    private static func payload(_ id: String, _ columns: JSON, _ rows: [JSON], _ more: JSON = [:]) -> JSON {
        var sheet = more.object ?? JSONObject()
        sheet["name"] = "Data"
        sheet["columns"] = columns
        sheet["rows"] = .array(rows)
        return ["spreadsheet_id": .string(id), "sheets": [.object(sheet)]]
    }

    /// Rows of a job, as many as it takes for one write or for more.
    private static func rows(_ count: Int) -> [JSON] { (0..<count).map { [.string("N\($0)"), JSON($0 * 10)] } }

    private static func texts(_ stage: ExportStage, _ id: String, _ range: String) async throws -> [[JSON]] {
        let answer = try await stage.api.call(
            APIRequest(.sheets, .get, "\(APIRequest.sheetsPath(id))/values/\(range)", fields: "values"))
        return (answer["values"]?.array ?? []).map { $0.array ?? [] }
    }

    private static func shown(_ stage: ExportStage, _ id: String, _ title: String) async throws {
        let sheet = stage.state(id, formats: ["Data!A1:B2"])
        let data = sheet?["sheets"]?[0]
        print(
            title, "grid \(data?["rows"] ?? nil) x \(data?["columns"] ?? nil), widths \(data?["column_widths"] ?? nil)",
            (data?["values"]?.array ?? []).prefix(4), "...", (data?["values"]?.array ?? []).last ?? nil,
            "formats", sheet?["formats"] ?? nil, "Other!A1 =",
            sheet?["sheets"]?[1]?["values"]?[0]?[0] ?? nil, "shows", try await texts(stage, id, "Other!A1"))
    }

    @Test(arguments: [(2, false), (2, true), (70, false), (70, true)])
    func takesOnlyItsOwnPlace(count: Int, isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? Self.small / (count == 2 ? 4 : 1) : 8_000_000) { stage in
            let id = try await Self.makeReport(stage)
            stage.emulator.clearJournal()
            if count == 2, !isStaged { try await Self.shown(stage, id, "before:") }
            try await stage.work { _ in
                let job = try await stage.completed(
                    Self.payload(id, ["region", "sales"], Self.rows(count)), "\(count) \(isStaged)")
                let counts = stage.emulator.journal.counts
                // Before its last write a staged replacement looks once more.
                let looks = isStaged ? 2 : 1
                #expect(counts["sheets.spreadsheets.get"] == looks, "\(counts)")
                #expect(counts["sheets.spreadsheets.getByDataFilter"] == looks, "\(counts)")
                #expect((counts["sheets.spreadsheets.batchUpdate"] == 1) != isStaged, "\(counts)")
                #expect(job.result?["warnings"] == [], "\(job.json)")
            }
            if count == 2, !isStaged { try await Self.shown(stage, id, "after:") }
            let state = try #require(stage.state(id, formats: ["Data!A1:B2", "Data!B51:B51"]))
            let data = try #require(state["sheets"]?[0])
            #expect(data["rows"] == 1_000 && data["columns"] == 26 && data["id"] == 0)
            let values = try #require(data["values"]?.array)
            #expect(values[0] == ["region", "sales", nil, "my notes", "double"])
            #expect(values.count == max(51, count + 1))
            for (row, value) in values.enumerated().dropFirst() {
                let own: [JSON] =
                    row <= count ? [.string("N\(row - 1)"), JSON((row - 1) * 10)] : [nil, nil]
                let theirs: [JSON] =
                    row <= 50 ? [nil, .string("note \(row - 1)"), ["formula": .string("=B\(row + 1)*2")]] : []
                #expect(value.array == own + theirs, "row \(row + 1)")
            }
            #expect(data["column_widths"]?.array?.prefix(3) == [234, 234, 100])
            let formats = state["formats"]?["Data!A1:B2"]
            #expect(formats?[0]?[0]?["textFormat"]?["italic"] == true && formats?[0]?[0]?["textFormat"]?["bold"] == nil)
            #expect(formats?[1]?[1]?["numberFormat"]?["pattern"] == "0.00 €", "\(formats ?? nil)")
            #expect(state["formats"]?["Data!B51:B51"]?[0]?[0]?["numberFormat"]?["pattern"] == "0.00 €")
            #expect(data["bandings"] == [] && data["frozen_rows"] == 0)
            #expect(state["sheets"]?[1]?["values"]?[0]?[0] == ["formula": "=SUM(Data!B2:B51)"])
            let sum = (0..<min(count, 50)).reduce(0) { $0 + $1 * 10 }
            #expect(try await Self.texts(stage, id, "Other!A1") == [[.string("\(sum)")]])
            let named = try await SheetsClient(api: stage.api).spreadsheet(id, fields: "namedRanges.range")
            #expect(named["namedRanges"]?[0]?["range"]?["endRowIndex"] == 51)
        }
    }

    @Test(arguments: [false, true])
    func findsItsColumnsByHeaderAndEmptiesThoseItWroteBefore(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            // A person's column in front and one between, the job's in another order.
            let id = try await stage.makeTable([
                ["mine", "c", "note", "a"], ["x", 1, "y", 2], ["x2", 3, "=B3*2", 4], ["x3", 5, "y3", 6],
            ])
            func job(_ columns: [String], _ count: Int) async throws -> JobRecord {
                let rows = (0..<count).map { row in
                    JSON.array(
                        columns.map { .string("\($0)\(row)" + (isStaged ? String(repeating: ".", count: 60) : "")) })
                }
                return try await stage.completed(Self.payload(id, .array(columns.map { .string($0) }), rows))
            }
            func cells() -> [[String?]] {
                (stage.values(id)?.array ?? []).map { row in
                    (row.array ?? []).map { $0["formula"]?.string ?? $0.string.map { String($0.prefix { $0 != "." }) } }
                }
            }
            try await stage.work { _ in
                _ = try await job(["a", "b", "c"], 2)
                // "b" is new: its own place is a person's, so that it goes to the right of all.
                #expect(
                    cells() == [
                        ["mine", "c", "note", "a", "b"], ["x", "c0", "y", "a0", "b0"],
                        ["x2", "c1", "=B3*2", "a1", "b1"],
                        ["x3", nil, "y3"],
                    ], "\(cells())")
                // A person moves the columns about.
                try await stage.change(
                    id,
                    by: [
                        [
                            "moveDimension": [
                                "source": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1],
                                "destinationIndex": 5,
                            ]
                        ]
                    ])
                _ = try await job(["a", "b"], 1)
                #expect(
                    cells() == [
                        [nil, "note", "a", "b", "mine"], [nil, "y", "a0", "b0", "x"], [nil, "=A3*2", nil, nil, "x2"],
                        [nil, "y3", nil, nil, "x3"],
                    ], "\(cells())")
                // A person's column that has the name of one long gone is theirs.
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateCells": [
                                "start": ["sheetId": 0, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                                "rows": [["values": [["userEnteredValue": ["stringValue": "c"]]]]],
                            ]
                        ]
                    ])
                let last = try await job(["b", "a"], 1)
                #expect(cells()[0] == ["c", "note", "a", "b", "mine"] && cells()[1] == [nil, "y", "a0", "b0", "x"])
                #expect(last.result?["warnings"] == [])
                let notes = stage.state(id)?["developer_metadata"]?.array ?? []
                #expect(notes.filter { $0["metadataKey"] == "sheetsync_columns" }.count == 1, "\(notes)")
            }
        }
    }

    @Test func whatANewSpreadsheetHadIsKnownToo() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let made = try await stage.completed([
                    "title": "N", "columns": ["a", "b", "c"], "rows": [[1, 2, 3], [4, 5, 6]],
                ])
                let id = try #require(made.result?["spreadsheet_id"]?.string)
                try await stage.completed(["spreadsheet_id": .string(id), "columns": ["a", "b"], "rows": [[7, 8]]])
                #expect(stage.values(id) == [["a", "b", nil], [7, 8, nil], [nil, nil, nil]])
                // Without columns all goes by place.
                try await stage.completed(["spreadsheet_id": .string(id), "rows": [[1, 2, 3]]])
                try await stage.completed(["spreadsheet_id": .string(id), "rows": [[4]]])
                #expect(stage.values(id)?.array?.first == [4, nil, nil], "\(stage.values(id) ?? nil)")
            }
        }
    }

    @Test(arguments: [false, true])
    func tellsOfNotesAndRulesAndShowsHiddenRows(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
                [
                    "sheetId": 0, "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
                    "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
                ]
            }
            func note(_ row: Int, _ column: Int) -> JSON {
                [
                    "repeatCell": [
                        "range": range(row..<row + 1, column..<column + 1), "cell": ["note": "n"], "fields": "note",
                    ]
                ]
            }
            let list: JSON = [
                "condition": ["type": "ONE_OF_LIST", "values": [["userEnteredValue": "old"]]], "strict": true,
            ]
            let id = try await Self.makeReport(
                stage, rows: 6,
                [
                    note(0, 0), note(2, 1), note(3, 3),
                    ["setDataValidation": ["range": range(1..<4, 0..<1), "rule": list]],
                    ["setDataValidation": ["range": range(1..<4, 3..<4), "rule": list]],
                    [
                        "updateDimensionProperties": [
                            "range": ["sheetId": 0, "dimension": "ROWS", "startIndex": 2, "endIndex": 5],
                            "properties": ["hiddenByUser": true], "fields": "hiddenByUser",
                        ]
                    ],
                    ["mergeCells": ["range": range(1..<3, 0..<2), "mergeType": "MERGE_ALL"]],
                    ["mergeCells": ["range": range(1..<3, 3..<5), "mergeType": "MERGE_ALL"]],
                ])
            try await stage.work { _ in
                let rows = (0..<6).map { row -> JSON in
                    [.string(String(repeating: "x", count: isStaged ? 80 : 2)), JSON(row)]
                }
                let job = try await stage.completed(Self.payload(id, ["region", "sales"], rows))
                let warnings = job.result?["warnings"]?.array?.compactMap(\.string) ?? []
                #expect(warnings.count == 4, "\(warnings)")
                #expect(warnings.contains { $0.contains("notes") && $0.hasSuffix(": B3") }, "\(warnings)")
                #expect(warnings.contains { $0.contains("data validation") && $0.hasSuffix(": A2:A4") }, "\(warnings)")
                #expect(warnings.contains { $0.contains("hidden") && $0.hasSuffix(": 3-5") }, "\(warnings)")
                #expect(warnings.contains { $0.contains("A2:B3") && $0.contains("parted") }, "\(warnings)")
                let there = try await SheetsClient(api: stage.api).spreadsheet(
                    id, in: [GridRectangle(sheetID: 0, rows: 0..<8, columns: 0..<5)],
                    fields: "sheets(merges,data(rowData.values(note,dataValidation),rowMetadata.hiddenByUser))")
                let sheet = there["sheets"]?[0]
                #expect(sheet?["merges"]?.array?.count == 1)
                let data = sheet?["data"]?[0]
                #expect(data?["rowMetadata"]?.array?.contains { $0["hiddenByUser"] == true } == false)
                #expect(data?["rowData"]?[2]?["values"]?[1]?["note"] == "n")
                #expect(data?["rowData"]?[3]?["values"]?[3]?["note"] == "n")
                #expect(data?["rowData"]?[3]?["values"]?[0]?["dataValidation"] != nil)
                #expect(stage.values(id)?.array?.dropFirst().prefix(6).map { $0[1] } == (0..<6).map { JSON($0) })
            }
        }
    }

    @Test(arguments: [false, true])
    func resetMakesTheWholeTabLikeNew(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
                [
                    "sheetId": 0, "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
                    "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
                ]
            }
            let rule: JSON = ["condition": ["type": "BOOLEAN"]]
            let bands: JSON = [
                "bandedRange": [
                    "range": range(0..<3, 0..<2),
                    "rowProperties": ["firstBandColorStyle": ["rgbColor": ["red": 1]]],
                ]
            ]
            let condition: JSON = [
                "rule": [
                    "ranges": [range(1..<9, 0..<1)],
                    "booleanRule": [
                        "condition": ["type": "NOT_BLANK"], "format": ["backgroundColor": ["red": 1]],
                    ],
                ], "index": 0,
            ]
            func hide(_ dimension: JSON, _ start: Int, _ end: Int) -> JSON {
                [
                    "updateDimensionProperties": [
                        "range": [
                            "sheetId": 0, "dimension": dimension, "startIndex": JSON(start), "endIndex": JSON(end),
                        ],
                        "properties": ["hiddenByUser": true, "pixelSize": 300], "fields": "hiddenByUser,pixelSize",
                    ]
                ]
            }
            let id = try await Self.makeReport(
                stage, rows: 6,
                [
                    ["repeatCell": ["range": range(0..<4, 0..<5), "cell": ["note": "n"], "fields": "note"]],
                    ["setDataValidation": ["range": range(1..<4, 0..<5), "rule": rule]],
                    ["addBanding": bands], ["addConditionalFormatRule": condition],
                    ["addConditionalFormatRule": condition],
                    ["addProtectedRange": ["protectedRange": ["range": range(0..<1, 0..<5)]]],
                    ["addTable": ["table": ["tableId": "t", "name": "T", "range": range(10..<12, 0..<2)]]],
                    [
                        "addDimensionGroup": [
                            "range": ["sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2]
                        ]
                    ],
                    ["mergeCells": ["range": range(1..<3, 0..<2), "mergeType": "MERGE_ALL"]],
                    ["setBasicFilter": ["filter": ["range": range(0..<7, 0..<5)]]],
                    hide("ROWS", 2, 5), hide("COLUMNS", 1, 2),
                    [
                        "updateSheetProperties": [
                            "properties": [
                                "sheetId": 0, "tabColorStyle": ["rgbColor": ["red": 1]], "rightToLeft": true,
                                "gridProperties": ["hideGridlines": true, "frozenColumnCount": 1],
                            ],
                            "fields": "tabColorStyle,rightToLeft,gridProperties(hideGridlines,frozenColumnCount)",
                        ]
                    ],
                ])
            try await stage.work { _ in
                let rows = (0..<8).map { row -> JSON in [.string(String(repeating: "x", count: 80)), JSON(row)] }
                func sheet(_ id: String, _ index: Int = 0) async throws -> JSONObject {
                    let sheets = try await stage.api.call(
                        APIRequest(
                            .sheets, .get, APIRequest.sheetsPath(id), query: [("includeGridData", "true")],
                            fields:
                                "sheets(properties,data(rowData.values(userEnteredValue,userEnteredFormat,note,dataValidation),rowMetadata,columnMetadata(hiddenByUser,pixelSize)),merges,conditionalFormats,protectedRanges,basicFilter,bandedRanges(range,rowProperties),tables,rowGroups,columnGroups)"
                        ))
                    var sheet = sheets["sheets"]?[index]?.object ?? JSONObject()
                    var properties = sheet["properties"]?.object ?? JSONObject()
                    for name in ["sheetId", "index"] { properties[name] = nil }
                    sheet["properties"] = .object(properties)
                    return sheet
                }
                var reset = Self.payload(id, ["region", "sales"], rows, ["reset": true]).object ?? JSONObject()
                try await stage.completed(.object(reset))
                reset["spreadsheet_id"] = nil
                reset["title"] = "New"
                let new = try await stage.completed(.object(reset))
                let fresh = try await sheet(new.result?["spreadsheet_id"]?.string ?? "")
                let made = try await sheet(id)
                for name in Set(fresh.names + made.names) { #expect(made[name] == fresh[name], "\(name)") }
                #expect(made.names.sorted() == fresh.names.sorted())
            }
        }
    }

    @Test(arguments: [false, true])
    func aTemplateDressesItsOwnColumnsAlone(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            let id = try await Self.makeReport(stage, rows: 6)
            try await stage.work { _ in
                let rows = (0..<8).map { row -> JSON in [.string(String(repeating: "x", count: 80)), JSON(row)] }
                var payload =
                    Self.payload(id, ["region", ["name": "sales", "type": "integer"]], rows).object ?? JSONObject()
                payload["template"] = "default"
                try await stage.completed(.object(payload))
                try await stage.completed(.object(payload))
                let state = try #require(stage.state(id, formats: ["Data!A1:E1", "Data!B2:B2"]))
                let header = state["formats"]?["Data!A1:E1"]?[0]
                #expect(header?[0]?["textFormat"]?["bold"] == true && header?[0]?["textFormat"]?["italic"] == nil)
                #expect(header?[3]?["textFormat"]?["bold"] == nil && header?[3]?["textFormat"]?["italic"] == true)
                #expect(state["formats"]?["Data!B2:B2"]?[0]?[0]?["numberFormat"]?["pattern"] == "#,##0")
                let data = state["sheets"]?[0]
                #expect(data?["bandings"]?.array?.count == 1 && data?["bandings"]?[0]?["range"]?["endColumnIndex"] == 2)
                #expect(data?["rows"] == 1_000 && data?["values"]?[1]?[3] == "note 0")
                #expect(data?["column_widths"]?[3] == 100 && data?["frozen_rows"] == 1)
            }
        }
    }

    private static func write(_ text: String, at row: Int, _ column: Int) -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": 0, "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": "userEnteredValue",
                "rows": [["values": [["userEnteredValue": ["stringValue": .string(text)]]]]],
            ]
        ]
    }

    /// The note of an earlier replacement tells that places are the job's no longer.
    @Test func aHeaderThatIsNowhereIsNotWrittenOverPeoplesCells() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let id = try await stage.makeTable([["region", "sales"]])
                try await stage.completed(Self.payload(id, ["region", "sales"], [["a", 1]]))
                // A second column of the same name is somebody's own.
                try await stage.change(id, by: [Self.write("sales", at: 0, 3), Self.write("mine", at: 1, 3)])
                try await stage.completed(Self.payload(id, ["region", "sales"], [["b", 2]]))
                #expect(stage.values(id) == [["region", "sales", nil, "sales"], ["b", 2, nil, "mine"]])

                try await stage.change(
                    id, by: [("Gebiet", 0), ("Umsatz", 1), ("Eigenes", 3)].map { Self.write($0.0, at: 0, $0.1) })
                let before = stage.values(id)
                let job = try await stage.export(Self.payload(id, ["region", "sales"], [["c", 3]]))
                #expect(job.state == "discarded" && job.lastError?.code == "export.header_mismatch", "\(job.json)")
                #expect(job.lastError?.message.contains("name its row as header_row") == true, "\(job.json)")
                #expect(stage.values(id) == before)
            }
        }
    }

    @Test func aRefusalOfTheLastWriteDeletesNothing() async throws {
        try await ExportStage.with(batchBytes: Self.small) { stage in
            try await stage.work { _ in
                let first = try await Self.makeReport(stage)
                stage.emulator.clearJournal()
                try await stage.completed(Self.payload(first, ["region", "sales"], Self.rows(70)))
                // Three are no POST, and the last one is to be refused.
                let writes = stage.emulator.journal.total - 4
                for message in [
                    "Invalid requests[3].updateCells: You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove protection if you need to edit.",
                    "Invalid requests[9].copyPaste: You can't copy from a hidden sheet.",
                ] {
                    let id = try await Self.makeReport(stage)
                    let before = stage.state(id)?["sheets"]
                    stage.emulator.addFault(
                        Fault(
                            .delay(.zero), api: .sheets, verb: "POST", path: .contains("\(id)"), count: writes))
                    let refusal = stage.emulator.addFault(
                        Fault(
                            .error(status: 400, message: message), api: .sheets, verb: "POST", path: .contains(id)))
                    let job = try await stage.export(Self.payload(id, ["region", "sales"], Self.rows(70)))
                    #expect(stage.emulator.strikes(of: refusal) == 1)
                    #expect(
                        job.state == "discarded" && job.lastError?.message.contains(message.prefix(70)) == true,
                        "\(job.json)")
                    let after = stage.state(id)?["sheets"]
                    #expect(after?[0] == before?[0] && after?[1] == before?[1], "\(job.json)")
                    stage.emulator.removeFaults()
                }
            }
        }
    }
}
