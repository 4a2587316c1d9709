import Export
import Foundation
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Sheets that are kept the same as rows.
@Suite struct MirrorTests {
    static func mirror(
        _ id: String, key: JSON = ["id"], columns: JSON = ["id", "name"], _ rows: [[JSON]], sheet: String = "Data",
        options: [(String, JSON)] = [], job: [(String, JSON)] = []
    ) -> JSON {
        var one = JSONObject()
        for (name, value) in [
            ("name", .string(sheet)), ("mode", "mirror"), ("key", key), ("columns", columns),
            ("rows", .array(rows.map(JSON.array))),
        ] + options { one[name] = value }
        var payload = JSONObject()
        for (name, value) in [("spreadsheet_id", .string(id)), ("sheets", [.object(one)])] + job {
            payload[name] = value
        }
        return .object(payload)
    }

    static func changes(_ job: JobRecord) -> JSON? { job.result?["sheets"]?[0]?["changes"] }

    static func changes(
        inserted: Int = 0, updated: Int = 0, deleted: Int = 0, unchanged: Int = 0, kept: Int = 0
    ) -> JSON {
        [
            "inserted": JSON(inserted), "updated": JSON(updated), "deleted": JSON(deleted),
            "unchanged": JSON(unchanged),
            "kept": JSON(kept),
        ]
    }

    @Test func keepsRowsTheSameBesideWhatPeopleHave() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["mine", "id", "double", "name"], ["foreign", "x", "=B2&B2", "row"]])
            try await stage.work { _ in
                let first = try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"], [3, "c"]]))
                #expect(Self.changes(first) == Self.changes(inserted: 3))
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateCells": [
                                "start": ["sheetId": 0, "rowIndex": 2, "columnIndex": 0], "fields": "userEnteredValue",
                                "rows": [
                                    ["values": [["userEnteredValue": ["stringValue": "one"]]]],
                                    ["values": [["userEnteredValue": ["stringValue": "two"]]]],
                                    ["values": [["userEnteredValue": ["stringValue": "three"]]]],
                                ],
                            ]
                        ]
                    ])
                stage.emulator.clearJournal()
                let second = try await stage.completed(Self.mirror(id, [[4, "d"], [3, "C"], [1, "a"]]))
                #expect(Self.changes(second) == Self.changes(inserted: 1, updated: 1, deleted: 1, unchanged: 1))
                #expect(
                    stage.values(id) == [
                        ["mine", "id", "double", "name"], ["foreign", "x", ["formula": "=B2&B2"], "row"],
                        ["one", 1, nil, "a"], ["three", 3, nil, "C"], [nil, 4, nil, "d"],
                    ], "\(stage.values(id) ?? nil)")
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.getByDataFilter": 1,
                        "sheets.spreadsheets.batchUpdate": 1,
                    ])
                stage.emulator.clearJournal()
                let third = try await stage.completed(Self.mirror(id, [[1, "a"], [3, "C"], [4, "d"]]))
                #expect(Self.changes(third) == Self.changes(unchanged: 3))
                #expect(third.result?["api_calls"] == 0)
                #expect(stage.emulator.journal.counts.isEmpty)
            }
        }
    }

    @Test func refusesToDeleteMuchAndToClearWithoutBeingTold() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            let rows = (1...30).map { [JSON($0), "n"] as [JSON] }
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, rows))
                let before = stage.values(id)
                for (payload, code, says) in [
                    (Self.mirror(id, Array(rows.prefix(23))), "sync.too_many_deletes", "7 of the 30 rows"),
                    (Self.mirror(id, []), "sync.empty_result", "has 30"),
                    (
                        Self.mirror(id, Array(rows.prefix(27)), options: [("max_deletes", 2)]), "sync.too_many_deletes",
                        "allows 2"
                    ),
                    (
                        Self.mirror(id, Array(rows.prefix(27)), options: [("max_deletes", "5%")]),
                        "sync.too_many_deletes",
                        "allows 1"
                    ),
                ] as [(JSON, String, String)] {
                    let job = try await stage.export(payload)
                    let error = job.json["errors"]?[0]
                    #expect(job.state == "discarded" && error?["code"]?.string == code, "\(job.json)")
                    #expect(error?["message"]?.string?.contains(says) == true, "\(job.json)")
                    #expect(stage.values(id) == before)
                }
                let allowed = try await stage.completed(
                    Self.mirror(id, Array(rows.prefix(20)), job: [("allow_deletes", true)]))
                #expect(Self.changes(allowed) == Self.changes(deleted: 10, unchanged: 20))
                let few = try await stage.completed(Self.mirror(id, Array(rows.prefix(16))))
                #expect(Self.changes(few) == Self.changes(deleted: 4, unchanged: 16))
                let half = try await stage.completed(Self.mirror(id, Array(rows.prefix(8))))
                #expect(Self.changes(half)?["deleted"] == 8, "fewer than 20 rows are not guarded")
                let none = try await stage.completed(Self.mirror(id, [], options: [("allow_empty", true)]))
                #expect(Self.changes(none) == Self.changes(deleted: 8))
                #expect(stage.values(id) == [["id", "name"]])
            }
        }
    }

    @Test func keepsEditsOfPeopleWhereItIsToldTo() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            func edit(_ row: Int, _ text: String) async throws {
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateCells": [
                                "start": ["sheetId": 0, "rowIndex": JSON(row), "columnIndex": 1],
                                "fields": "userEnteredValue",
                                "rows": [["values": [["userEnteredValue": ["stringValue": .string(text)]]]]],
                            ]
                        ]
                    ])
            }
            let keep: [(String, JSON)] = [("on_edit", "keep"), ("on_delete", "keep")]
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]], options: keep))
                try await edit(1, "mine")
                let first = try await stage.completed(Self.mirror(id, [[1, "A"], [2, "B"]], options: keep))
                #expect(Self.changes(first) == Self.changes(updated: 1, kept: 1))
                #expect(stage.values(id) == [["id", "name"], [1, "mine"], [2, "B"]])
                // It is still the person's in the run behind it, and the row that left stays.
                let second = try await stage.completed(Self.mirror(id, [[1, "AA"], [3, "c"]], options: keep))
                #expect(Self.changes(second) == Self.changes(inserted: 1, kept: 2))
                #expect(stage.values(id) == [["id", "name"], [1, "mine"], [2, "B"], [3, "c"]])
                let third = try await stage.completed(
                    Self.mirror(id, [[1, "AA"], [3, "C"]], options: [("on_edit", "overwrite")]))
                #expect(Self.changes(third) == Self.changes(updated: 2, deleted: 1))
                #expect(stage.values(id) == [["id", "name"], [1, "AA"], [3, "C"]])
                #expect(third.result?["warnings"]?[0]?.string?.contains("people had changed cells of 1 row") == true)
            }
        }
    }

    @Test func makesNewSpreadsheetsAndSheetsAndGoesOnInThem() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                var payload = Self.mirror("", [[1, "a"], [2, "b"]]).object ?? JSONObject()
                payload["spreadsheet_id"] = nil
                payload["title"] = "Kept"
                let made = try await stage.completed(.object(payload))
                #expect(Self.changes(made) == Self.changes(inserted: 2))
                let id = try #require(made.result?["spreadsheet_id"]?.string)
                stage.emulator.clearJournal()
                let same = try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                #expect(same.result?["api_calls"] == 0 && stage.emulator.journal.counts.isEmpty)
                let less = try await stage.completed(Self.mirror(id, [[2, "b"]]))
                #expect(Self.changes(less) == Self.changes(deleted: 1, unchanged: 1))
                let other = try await stage.completed(Self.mirror(id, [[7, "g"]], sheet: "Other"))
                #expect(Self.changes(other) == Self.changes(inserted: 1))
                let again = try await stage.completed(Self.mirror(id, [[8, "h"]], sheet: "Other"))
                #expect(Self.changes(again) == Self.changes(inserted: 1, deleted: 1))
                #expect(stage.values(id, sheet: 1) == [["id", "name"], [8, "h"]])
                #expect(stage.state(id)?["sheets"]?[0]?["values"] == [["id", "name"], [2, "b"]])
            }
        }
    }

    @Test func addsColumnsWhereItIsToldToAndRefusesOthers() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name", "mine"], [1, "a", "x"]])
            try await stage.work { _ in
                let columns: JSON = ["id", "name", "price"]
                let refused = try await stage.export(Self.mirror(id, columns: columns, [[1, "a", 2]]))
                #expect(refused.state == "discarded")
                #expect(refused.json["errors"]?[0]?["code"] == "export.header_mismatch")
                let added = try await stage.completed(
                    Self.mirror(id, columns: columns, [[1, "a", 2], [2, "b", 3]], options: [("new_columns", "add")]))
                #expect(Self.changes(added) == Self.changes(inserted: 1, updated: 1))
                #expect(
                    stage.values(id) == [["id", "name", "mine", "price"], [1, "a", "x", 2], [2, "b", nil, 3]],
                    "\(stage.values(id) ?? nil)")
            }
        }
    }

    @Test func namesAProtectedRangeBeforeItWrites() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"], [1, "a"], [2, "b"]])
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                try await stage.change(
                    id,
                    by: [
                        [
                            "addProtectedRange": [
                                "protectedRange": [
                                    "range": ["sheetId": 0, "startRowIndex": 1, "endRowIndex": 2],
                                    "description": "Approved",
                                    "requestingUserCanEdit": false,
                                ]
                            ]
                        ]
                    ])
                stage.emulator.clearJournal()
                let job = try await stage.export(Self.mirror(id, [[1, "A"], [2, "B"]]))
                let error = job.json["errors"]?[0]
                #expect(error?["code"] == "sync.protected", "\(job.json)")
                #expect(error?["message"]?.string?.contains("\"Approved\"") == true, "\(job.json)")
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == nil)
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "B"]]))
            }
        }
    }

    @Test func saysHowFreshTheRowsAreBesideAPersonsNote() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["id", "name"]],
                [
                    [
                        "updateCells": [
                            "start": ["sheetId": 0, "rowIndex": 0, "columnIndex": 0], "fields": "note",
                            "rows": [["values": [["note": "ask Ada"]]]],
                        ]
                    ]
                ])
            func note() async throws -> String? {
                let answer = try await SheetsClient(api: stage.api).spreadsheet(
                    id, in: [GridRectangle(sheetID: 0, rows: 0..<1, columns: 0..<1)],
                    fields: "sheets.data.rowData.values.note")
                return answer["sheets"]?[0]?["data"]?[0]?["rowData"]?[0]?["values"]?[0]?["note"]?.string
            }
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"]]))
                let first = try #require(try await note())
                #expect(first.hasPrefix("ask Ada\nSheetSync: 1 row, as of 20"), "\(first)")
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                let second = try #require(try await note())
                #expect(second.hasPrefix("ask Ada\nSheetSync: 2 rows, as of 20") && second.count == first.count + 1)
                try await stage.completed(Self.mirror(id, [[1, "c"]], options: [("note", false), ("max_deletes", 5)]))
                #expect(try await note() == "ask Ada")
            }
        }
    }

    @Test func beginsANewBaseWhereTheColumnsAreOthers() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name", "n"]])
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                let job = try await stage.completed(Self.mirror(id, columns: ["id", "n"], [[1, 5]]))
                #expect(Self.changes(job) == Self.changes(updated: 1))
                #expect(job.result?["warnings"]?.description.contains("a new base begins") == true)
                #expect(stage.values(id) == [["id", "name", "n"], [1, "a", 5], [2, "b"]])
            }
        }
    }

    @Test func rehearsesWithTheSameCounts() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                let before = stage.values(id)
                let dry = try await stage.completed(Self.mirror(id, [[1, "A"], [3, "c"]], job: [("dry_run", true)]))
                #expect(Self.changes(dry) == Self.changes(inserted: 1, updated: 1, deleted: 1))
                #expect(stage.values(id) == before)
                let real = try await stage.completed(Self.mirror(id, [[1, "A"], [3, "c"]]))
                #expect(Self.changes(real) == Self.changes(dry))
            }
        }
    }

    @Test func changesAFewOfManyRowsByOneReadAndOneWrite() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name", "mine"]])
            var rows = (1...3_000).map { [JSON($0), .string("name \($0)")] as [JSON] }
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, rows))
                for index in 0..<100 { rows[index * 20][1] = .string("changed \(index)") }
                rows.removeSubrange(2_500..<2_530)
                rows += (0..<20).map { [JSON(30_000 + $0), "new"] }
                stage.emulator.clearJournal()
                let job = try await stage.completed(Self.mirror(id, rows))
                #expect(Self.changes(job) == Self.changes(inserted: 20, updated: 100, deleted: 30, unchanged: 2_870))
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.getByDataFilter": 1,
                        "sheets.spreadsheets.batchUpdate": 1,
                    ])
                let found = stage.values(id)?.array?.dropFirst().map { $0.array ?? [] }
                #expect(found.map { Set($0) } == Set(rows))
            }
        }
    }

    /// What is written is found the same when it is read again, for every type.
    @Test func findsEveryValueTheSameThatItWrote() async throws {
        var random = SeededGenerator(seed: 21)
        let samples = try CellTests.samples()
        let types = samples.map(\.type).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        var rows = samples.enumerated().map { index, sample in
            [JSON(index)] + types.map { $0 == sample.type ? sample.value : nil }
        }
        for _ in 0..<1_000 {
            let seconds = Int.random(in: 0..<86_400, using: &random)
            func two(_ number: Int) -> String { String("\(number + 100)".dropFirst()) }
            let time = "\(two(seconds / 3_600)):\(two(seconds / 60 % 60))"
            let day =
                "\(Int.random(in: 1900...2100, using: &random))-0\(Int.random(in: 1...9, using: &random))-1\(seconds % 10)"
            let number = Double(bitPattern: UInt64.random(in: 0 ... .max, using: &random))
            let small = Double.random(in: -1_000...1_000, using: &random)
            let scalars = (0..<8).compactMap { _ in Unicode.Scalar(UInt32.random(in: 1...0x1FFFF, using: &random)) }
            let text = String(String.UnicodeScalarView(scalars))
            let values: [String: JSON] = [
                "auto": .string(text), "text": .string("\(number)"), "number": number.isFinite ? JSON(number) : nil,
                "integer": JSON(Int.random(in: -1 << 52...1 << 52, using: &random)),
                "boolean": .bool(random.chance(50)),
                "date": .string(day),
                "time": .string("\(time):\(two(seconds % 60))"),
                "datetime": .string("\(day)T\(time):30.\(two(seconds % 100))Z"),
                "currency": JSON(small), "percent": JSON(small / 7),
                "link": ["url": .string("https://example.org/\(seconds)"), "text": .string("t\(seconds)")],
                "formula": .string("=\(seconds)+1"),
            ]
            rows.append([JSON(rows.count)] + types.map { values[$0] ?? nil })
        }
        let columns: JSON = .array(["id"] + types.map { ["name": .string($0), "type": .string($0)] })
        try await ExportStage.with { [rows] stage in
            let id = try await stage.makeSpreadsheet("Theirs")
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, columns: columns, rows))
                let again = try await stage.completed(
                    Self.mirror(id, columns: columns, rows, job: [("from_scratch", true)]))
                #expect(Self.changes(again) == Self.changes(unchanged: rows.count), "\(again.json)")
                #expect(again.result?["api_calls"]?.int ?? 0 > 0)
            }
        }
    }

    private static func write(_ value: JSON, _ row: Int, _ column: Int, sheet: Int = 0) -> JSON {
        let member: JSON = value.string == nil ? ["boolValue": value] : ["stringValue": value]
        return [
            "updateCells": [
                "start": ["sheetId": JSON(sheet), "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": "userEnteredValue", "rows": [["values": [["userEnteredValue": member]]]],
            ]
        ]
    }

    @Test func tellsLongNumbersApart() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            let keys: [JSON] = [10_000_000_000_000_000, 10_000_000_000_000_002, 10_000_000_000_000_004]
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, keys.map { [$0, "a"] }))
                let second = try await stage.completed(Self.mirror(id, keys.map { [$0, "b"] }))
                #expect(Self.changes(second) == Self.changes(updated: 3))
                let third = try await stage.completed(Self.mirror(id, keys.dropFirst().map { [$0, "c"] }))
                #expect(Self.changes(third) == Self.changes(updated: 2, deleted: 1))
                #expect(stage.values(id) == .array([["id", "name"]] + keys.dropFirst().map { [$0, "c"] }))
            }
        }
    }

    @Test func knowsMirrorsOfOneSheetApart() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([
                ["id", "name", "n"], [nil], [nil], [nil], [nil], [nil], [nil], ["id", "name", "n"],
            ])
            try await stage.work { _ in
                let rows: [[JSON]] = [[1, "a"], [2, "b"]]
                try await stage.completed(Self.mirror(id, rows, options: [("header_row", 8)]))
                #expect(stage.values(id)?[8] == [1, "a"] && stage.values(id)?[9] == [2, "b"])
                let other = try await stage.completed(
                    Self.mirror(id, columns: ["id", "n"], [[1, 5], [7, 7]], options: [("header_row", 8)]))
                #expect(Self.changes(other) == Self.changes(inserted: 1, updated: 1))
                #expect(other.result?["warnings"]?.description.contains("a new base begins") == true)
                // Each takes away its own rows, and none trusts what the other may have written.
                let less = try await stage.completed(
                    Self.mirror(id, columns: ["id", "n"], [[1, 5]], options: [("header_row", 8)]))
                #expect(Self.changes(less) == Self.changes(deleted: 1, unchanged: 1))
                stage.emulator.clearJournal()
                let again = try await stage.completed(Self.mirror(id, rows, options: [("header_row", 8)]))
                #expect(Self.changes(again) == Self.changes(unchanged: 2))
                #expect(again.result?["api_calls"] == JSON(stage.emulator.journal.counts.values.reduce(0, +)))
                #expect(again.result?["api_calls"]?.int ?? 0 > 0)
                let fewer = try await stage.completed(Self.mirror(id, [[2, "b"]], options: [("header_row", 8)]))
                #expect(Self.changes(fewer) == Self.changes(deleted: 1, unchanged: 1))
            }
        }
    }

    @Test func trustsNothingThatAnotherJobMayHaveWritten() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                try await stage.completed(
                    stage.payload(id, "upsert", key: ["id"], columns: ["id", "name"], [[1, "x"]]))
                let again = try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                #expect(Self.changes(again) == Self.changes(updated: 1, unchanged: 1))
                #expect(stage.values(id) == [["id", "name"], [1, "a"], [2, "b"]])
            }
        }
    }

    @Test func showsTimesInTheZoneThatTheSpreadsheetHasByNow() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "at"]])
            func change(to zone: String) async throws {
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateSpreadsheetProperties": [
                                "properties": ["timeZone": .string(zone)], "fields": "timeZone",
                            ]
                        ]
                    ])
            }
            let columns: JSON = ["id", ["name": "at", "type": "datetime"]]
            try await stage.work { _ in
                try await change(to: "Europe/Berlin")
                try await stage.completed(Self.mirror(id, columns: columns, [[1, "2026-07-01T12:00:00Z"]]))
                #expect(stage.values(id)?[1]?[1] == JSON(46_204 + 14.0 / 24))
                try await change(to: "America/New_York")
                let rows: [[JSON]] = [[1, "2026-07-01T12:00:00Z"], [2, "2026-07-01T12:00:00Z"]]
                let job = try await stage.completed(Self.mirror(id, columns: columns, rows), attempt: 2)
                #expect(Self.changes(job) == Self.changes(inserted: 1, updated: 1))
                #expect(stage.values(id)?[1]?[1] == JSON(46_204 + 8.0 / 24))
                #expect(stage.values(id)?[2]?[1] == JSON(46_204 + 8.0 / 24))
            }
        }
    }

    @Test func givesNewRowsTheLookOfTheirColumnsWhereverThoseStand() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["id", "day", "n"], [1, 46_000, 5]],
                [
                    [
                        "repeatCell": [
                            "range": [
                                "sheetId": 0, "startRowIndex": 1, "endRowIndex": 2, "startColumnIndex": 1,
                                "endColumnIndex": 2,
                            ],
                            "cell": ["userEnteredFormat": ["numberFormat": ["type": "DATE", "pattern": "dd.mm.yyyy"]]],
                            "fields": "userEnteredFormat.numberFormat",
                        ]
                    ]
                ])
            let columns: JSON = ["id", ["name": "day", "type": "date"], "n"]
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, columns: columns, [[1, "2025-12-09", 5]]))
                try await stage.change(
                    id,
                    by: [
                        [
                            "moveDimension": [
                                "source": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2],
                                "destinationIndex": 3,
                            ]
                        ],
                        // Boxes to tick, which nobody has ticked.
                        [
                            "setDataValidation": [
                                "range": [
                                    "sheetId": 0, "startRowIndex": 1, "endRowIndex": 50, "startColumnIndex": 4,
                                    "endColumnIndex": 5,
                                ],
                                "rule": ["condition": ["type": "BOOLEAN"]],
                            ]
                        ],
                    ] + (1..<50).map { Self.write(false, $0, 4) })
                try await stage.completed(
                    Self.mirror(id, columns: columns, [[1, "2025-12-09", 5], [2, "2025-12-10", 6]]))
                #expect(stage.values(id)?[2]?.array?.prefix(3) == [2, 6, 46_001], "\(stage.values(id) ?? nil)")
                let formats = stage.state(id, formats: ["Data!B3:C3"])?["formats"]?["Data!B3:C3"]?[0]
                #expect(
                    formats?[0]?["numberFormat"]?["type"] != "DATE"
                        && formats?[1]?["numberFormat"]?["pattern"] == "dd.mm.yyyy")
            }
        }
    }

    @Test func goesByTheOptionsOfThisRun() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            let keep: [(String, JSON)] = [("on_edit", "keep")]
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]]))
                // The same rows, from now on with changes kept.
                try await stage.completed(Self.mirror(id, [[1, "a"], [2, "b"]], options: keep))
                try await stage.change(id, by: [Self.write("mine", 1, 1)])
                let job = try await stage.completed(Self.mirror(id, [[1, "A"], [2, "B"]], options: keep))
                #expect(Self.changes(job) == Self.changes(updated: 1, kept: 1))
                stage.emulator.clearJournal()
                let same = try await stage.completed(Self.mirror(id, [[1, "A"], [2, "B"]], options: keep))
                #expect(
                    Self.changes(same) == Self.changes(unchanged: 1, kept: 1) && stage.emulator.journal.counts.isEmpty)
            }
        }
    }

    @Test func saysWhatBecameOfTheSheetThatItKept() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["id", "name"]])
            func rename(_ title: String) async throws {
                try await stage.change(
                    id,
                    by: [
                        [
                            "updateSheetProperties": [
                                "properties": ["sheetId": 0, "title": .string(title)], "fields": "title",
                            ]
                        ]
                    ])
            }
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, [[1, "a"]]))
                try await rename("Old")
                let renamed = try await stage.completed(Self.mirror(id, [[1, "b"]]))
                #expect(
                    renamed.result?["warnings"]?[0]?.string?.contains("is called \"Old\" now") == true,
                    "\(renamed.json)")
                #expect(stage.values(id) == [["id", "name"], [1, "a"]])
            }
        }
    }

    @Test func deletesAllRowsBelowTheFrozenOnes() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["id", "name"]],
                [
                    [
                        "updateSheetProperties": [
                            "properties": [
                                "sheetId": 0, "gridProperties": ["rowCount": 7, "columnCount": 2, "frozenRowCount": 3],
                            ],
                            "fields": "gridProperties(rowCount,columnCount,frozenRowCount)",
                        ]
                    ]
                ])
            let rows = (1...6).map { [JSON($0), "n"] as [JSON] }
            try await stage.work { _ in
                try await stage.completed(Self.mirror(id, rows))
                try await stage.completed(Self.mirror(id, Array(rows.prefix(2))))
                #expect(stage.values(id) == .array([["id", "name"]] + rows.prefix(2).map(JSON.array)))
            }
        }
    }
}
