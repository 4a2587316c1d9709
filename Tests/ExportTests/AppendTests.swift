import Export
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Rows below those that are there.
@Suite struct AppendTests {
    private static let columns: JSON = ["id", ["name": "day", "type": "date"], "text"]

    @Test func appendsByTheNamesOfTheFirstRow() async throws {
        try await ExportStage.with { stage in
            // A person's own order, a column of their own, and one behind a gap.
            let id = try await stage.makeTable([["text", "mine", "id", "", "day"], ["old", "x", 1, nil, 46_000]])
            stage.emulator.clearJournal()
            try await stage.work { _ in
                let job = try await stage.completed(
                    stage.payload(
                        id, "append", columns: Self.columns, [[2, "2026-11-22", "=not a formula"], [3, nil, "end"]]))
                #expect(
                    stage.values(id) == [
                        ["text", "mine", "id", nil, "day"], ["old", "x", 1, nil, 46_000],
                        ["=not a formula", nil, 2, nil, 46_348], ["end", nil, 3, nil, nil],
                    ])
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.get": 1, "sheets.spreadsheets.getByDataFilter": 1,
                        "sheets.spreadsheets.batchUpdate": 1,
                    ])
                #expect(job.result?["sheets"] == [["name": "Data", "sheet_id": 0, "rows": 2, "columns": 3]])
                #expect(job.result?["cells"] == 6 && job.result?["spreadsheet_id"]?.string == id)
                // The date is shown as one, also where the cell is empty, and the next job goes below.
                let formats = stage.state(id, formats: ["Data!E3:E4"])?["formats"]?["Data!E3:E4"]
                #expect(formats?[0]?[0]?["numberFormat"]?["type"] == "DATE", "\(formats ?? nil)")
                #expect(formats?[1]?[0]?["numberFormat"]?["type"] == "DATE")
                try await stage.completed(stage.payload(id, "append", columns: ["id"], [[4]]))
                #expect(stage.values(id)?.array?.last == [nil, nil, 4])
                #expect(stage.state(id)?["developer_metadata"]?.array?.count == 2)
            }
        }
    }

    @Test func appendedNumbersAreShownAsThoseAboveThem() async throws {
        try await ExportStage.with { stage in
            func format(_ column: Int, _ type: JSON, _ pattern: JSON) -> JSON {
                [
                    "repeatCell": [
                        "range": [
                            "sheetId": 0, "startRowIndex": 1, "startColumnIndex": JSON(column),
                            "endColumnIndex": JSON(column + 1),
                        ], "cell": ["userEnteredFormat": ["numberFormat": ["type": type, "pattern": pattern]]],
                        "fields": "userEnteredFormat.numberFormat",
                    ]
                ]
            }
            let id = try await stage.makeTable(
                [["n", "mine", "day", "paid"], [1, 2, 46_000, 3]],
                [
                    format(0, "NUMBER", "0.000"), format(1, "CURRENCY", "0 €"), format(2, "DATE", "dd.mm.yy"),
                    format(3, "DATE", "dd.mm.yy"),
                ])
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(
                        id, "append",
                        columns: ["n", ["name": "day", "type": "date"], ["name": "paid", "type": "currency"]],
                        [[5, "2026-11-22", 7]]))
                let formats = try #require(stage.state(id, formats: ["Data!A3:D3"])?["formats"]?["Data!A3:D3"]?[0])
                #expect(
                    (0..<4).map { formats[$0]?["numberFormat"]?["pattern"]?.string } == [
                        "0.000", "0 €", "dd.mm.yy", nil,
                    ], "\(formats)")
                #expect(formats[3]?["numberFormat"]?["type"] == "CURRENCY")
            }
        }
    }

    @Test func appendsByPositionWithoutColumnsAndWidensTheSheet() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["a", 1]])
            try await stage.work { _ in
                let wide = JSON.array((0..<30).map { JSON($0) })
                try await stage.completed(stage.payload(id, "append", [["b"], wide]))
                #expect(stage.state(id)?["sheets"]?[0]?["columns"] == 30)
                #expect(stage.values(id)?[1]?[0] == "b" && stage.values(id)?[2] == wide)
            }
        }
    }

    @Test func makesWhatIsMissingAndDressesWhatIsEmpty() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeSpreadsheet("Theirs")
            try await stage.work { _ in
                for name in ["Sheet1", "New"] {
                    for number in 1...2 {
                        try await stage.completed(
                            stage.payload(
                                id, "append", columns: Self.columns, [[JSON(number), "2026-11-22", "x"]], sheet: name))
                    }
                }
                let sheets = try #require(stage.state(id)?["sheets"]?.array)
                #expect(sheets.map { $0["title"] } == ["Sheet1", "New"])
                for sheet in sheets {
                    #expect(sheet["values"] == [["id", "day", "text"], [1, 46_348, "x"], [2, 46_348, "x"]])
                    #expect(sheet["frozen_rows"] == 1 && sheet["bandings"]?.array?.count == 1, "\(sheet)")
                }
                // Without rows it is made all the same, once.
                for _ in 1...2 {
                    try await stage.completed(stage.payload(id, "append", columns: ["x"], [], sheet: "Empty"))
                }
                #expect(stage.values(id, sheet: 2)?[0] == ["x"])
            }
        }
    }

    @Test func aLinkAndAFormulaWorkInAppendedRows() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["page", "sum"]])
            try await stage.work { _ in
                try await stage.completed(
                    stage.payload(
                        id, "append",
                        columns: [["name": "sum", "type": "formula"], ["name": "page", "type": "link"]],
                        [["=1+1", ["url": "https://example.com/a", "text": "A"]]]))
                #expect(stage.values(id)?[1] == ["A", ["formula": "=1+1"]])
                let formats = stage.state(id, formats: ["Data!A2:A2"])?["formats"]?["Data!A2:A2"]
                #expect(formats?[0]?[0]?["textFormat"]?["link"]?["uri"] == "https://example.com/a")
            }
        }
    }

    @Test func saysInWordsWhatDoesNotFit() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["a", "b", "b"]])
            let headless = try await stage.makeTable([[nil], ["x"]])
            try await stage.work { _ in
                for (target, columns, words) in [
                    (
                        id, ["a", "c"],
                        "has no column \"c\", but \"a\", \"b\", \"b\"; write its name there, or leave it out"
                    ),
                    (id, ["b"], "has 2 columns \"b\""), (id, ["a", "a"], "the job has two columns \"a\""),
                    (id, ["a", ""], "column 2 has no name"),
                    (headless, ["a"], "first row is empty, but rows lie below"),
                ] as [(String, JSON, String)] {
                    let job = try await stage.export(stage.payload(target, "append", columns: columns, [[1]]))
                    #expect(job.state == "discarded" && job.lastError?.code == "export.header_mismatch", "\(job.json)")
                    #expect(job.lastError?.message.contains(words) == true, "\(words): \(job.json)")
                }
                #expect(stage.values(id) == [["a", "b", "b"]])
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == 2, "the two tables")
            }
        }
    }

    @Test func refusesWhatCannotFitIntoTenMillionCells() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["a"]],
                [
                    [
                        "addSheet": [
                            "properties": ["sheetId": 5, "gridProperties": ["rowCount": 99_700, "columnCount": 100]]
                        ]
                    ]
                ]
            )
            try await stage.work { _ in
                let rows = JSON.array((0..<200).map { [JSON($0)] })
                // A sheet of its own, and then one that is longer than it may become.
                try await stage.completed(stage.payload(id, "append", columns: ["a"], rows, sheet: "New"))
                let wide = JSON.array([.array(Array(repeating: 1, count: 40))])
                let job = try await stage.export(stage.payload(id, "append", wide))
                #expect(job.state == "discarded", "\(job.json)")
                #expect(job.lastError?.message.contains("10,000,000") == true, "\(job.json)")
            }
        }
    }

    @Test func rowsOfPeopleBetweenTheChunksStayAndNothingIsWrittenOver() async throws {
        try await ExportStage.with(batchBytes: 3_000) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            let rows = (0..<200).map { JSON.array([JSON($0), "of the job"]) }
            stage.emulator.addFault(
                Fault(
                    .delay(.milliseconds(30)), api: .sheets, verb: "POST", path: .contains(":batchUpdate"), count: nil)
            )
            try await stage.work { queue in
                let job = try await queue.jobs.enqueue(
                    kind: "export", payload: stage.payload(id, "append", columns: ["n", "text"], .array(rows)))
                var typed = 0
                while try await queue.jobs.find(job)?.isFinal != true {
                    try await stage.change(
                        id,
                        by: [
                            [
                                "appendCells": [
                                    "sheetId": 0, "fields": "userEnteredValue",
                                    "rows": [
                                        [
                                            "values": [
                                                ["userEnteredValue": ["numberValue": JSON(typed)]],
                                                ["userEnteredValue": ["stringValue": "of a person"]],
                                            ]
                                        ]
                                    ],
                                ]
                            ]
                        ])
                    typed += 1
                }
                #expect(try await stage.ended(job).state == "completed")
                let found = stage.values(id)?.array ?? []
                #expect(found.count == 1 + rows.count + typed, "\(typed) typed")
                #expect(found.filter { $0[1] == "of the job" } == rows)
                #expect(found.filter { $0[1] == "of a person" }.map { $0[0]?.int } == Array(0..<typed))
                print("\(typed) rows typed between \(rows.count) appended ones")
            }
        }
    }

    @Test func aJobOfSeveralModesTellsOfItsSheetsInTheirOrder() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v"], [1, "a"]])
            try await stage.work { _ in
                let sheets: JSON = [
                    ExportStage.sheet("Log", "append", columns: ["at"], [[1]]),
                    ExportStage.sheet("All", "replace", columns: ["x"], [[1], [2]]),
                    ExportStage.sheet("data", "upsert", key: ["k"], columns: ["k", "v"], [[1, "b"], [2, "c"]]),
                ]
                let whole: JSON = ["spreadsheet_id": .string(id), "sheets": sheets, "locale": "de_DE"]
                var payload = try #require(whole.object)
                for _ in 1...2 {
                    stage.emulator.clearJournal()
                    let job = try await stage.completed(.object(payload))
                    #expect(job.result?["sheets"]?.array?.map { $0["name"] } == ["Log", "All", "data"], "\(job.json)")
                    #expect(job.result?["sheets"]?.array?.map { $0["rows"] } == [1, 2, 2])
                    #expect(job.json["progress"]?["rows_total"] == 5)
                }
                #expect(stage.state(id)?["locale"] == "de_DE")
                #expect(stage.values(id) == [["k", "v"], [1, "b"], [2, "c"]])
                #expect(stage.values(id, sheet: 1) == [["x"], [1], [2]])
                #expect(stage.values(id, sheet: 2) == [["at"], [1], [1]])
                // A dry run reads what the real one reads: the headers of all, then each sheet by itself.
                payload["dry_run"] = true
                let dry = try await stage.completed(.object(payload))
                #expect(
                    dry.result?["planned_calls"] == [
                        "drive.files.get": 1, "sheets.spreadsheets.batchUpdate": 2, "sheets.spreadsheets.get": 3,
                        "sheets.spreadsheets.getByDataFilter": 5, "sheets.spreadsheets.values.batchGet": 1,
                    ], "\(dry.json)")
                #expect(dry.result?["sheets"]?.array?.map { $0["name"] } == ["Log", "All", "data"])
                payload["sheets"] = [ExportStage.sheet("Else", "append", columns: ["at"], [[1]])]
                payload["locale"] = nil
                let small = try await stage.completed(.object(payload))
                payload["dry_run"] = nil
                stage.emulator.clearJournal()
                try await stage.completed(.object(payload))
                #expect(
                    small.result?["planned_calls"] == [
                        "drive.files.get": 1, "sheets.spreadsheets.get": 1, "sheets.spreadsheets.batchUpdate": 1,
                    ])
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.get": 1, "sheets.spreadsheets.batchUpdate": 1,
                    ])
            }
        }
    }

    @Test func allModesAreTheSameInANewSpreadsheetAndWorkInACopy() async throws {
        try await ExportStage.with { stage in
            let original = try await stage.makeTable([["k", "v"], [1, "a"], [2, "b"]])
            try await stage.work { _ in
                let sheets: JSON = [
                    ExportStage.sheet("Data", "upsert", key: ["k"], columns: ["k", "v"], [[2, "B"], [3, "C"]]),
                    ExportStage.sheet("Log", "append", columns: ["at"], [[1]]),
                ]
                let new = try await stage.completed(["title": "New", "sheets": sheets])
                #expect(new.result?["api_calls"] == 2)
                #expect(stage.spreadsheet(new)?["sheets"]?[0]?["values"] == [["k", "v"], [2, "B"], [3, "C"]])
                let copy = try await stage.completed(
                    ["title": "Copy", "copy_of": .string(original), "sheets": sheets])
                #expect(
                    stage.spreadsheet(copy)?["sheets"]?[0]?["values"] == [["k", "v"], [1, "a"], [2, "B"], [3, "C"]])
                #expect(stage.spreadsheet(copy)?["sheets"]?[1]?["values"] == [["at"], [1]])
                #expect(stage.values(original) == [["k", "v"], [1, "a"], [2, "b"]])
                let replaced = try await stage.completed([
                    "title": "Both", "copy_of": .string(original),
                    "sheets": [
                        ExportStage.sheet("Data", "append", columns: ["v", "k"], [["z", 9]]),
                        ExportStage.sheet("Rest", "replace", columns: ["x"], [[1]]),
                    ],
                ])
                #expect(stage.spreadsheet(replaced)?["sheets"]?[0]?["values"]?.array?.last == [9, "z"])
                #expect(stage.spreadsheet(replaced)?["sheets"]?[1]?["values"] == [["x"], [1]])
                #expect(replaced.result?["sheets"]?.array?.map { $0["name"] } == ["Data", "Rest"])
            }
        }
    }
}
