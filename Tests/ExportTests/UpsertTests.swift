import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// Rows that are found by a key.
@Suite struct UpsertTests {
    private func upsert(_ id: String, key: JSON = ["k"], columns: JSON = ["k", "v"], _ rows: JSON) -> JSON {
        [
            "spreadsheet_id": .string(id),
            "sheets": [ExportStage.sheet("Data", "upsert", key: key, columns: columns, rows)],
        ]
    }

    @Test func changesWhatDiffersAddsWhatIsMissingAndTouchesNothingElse() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [
                    ["note", "v", "double", "k"], ["mine", "a", "=B2&B2", 1], ["", "b", "=B3&B3", 2],
                    ["keep", "c", "=B4&B4", 3],
                ],
                [
                    [
                        "repeatCell": [
                            "range": ["sheetId": 0, "startRowIndex": 2, "endRowIndex": 3, "endColumnIndex": 4],
                            "cell": ["userEnteredFormat": ["textFormat": ["bold": true]]],
                            "fields": "userEnteredFormat.textFormat.bold",
                        ]
                    ]
                ])
            try await stage.work { _ in
                let job = try await stage.completed(upsert(id, [[4, "new"], [2, "B"], [1, "a"]]))
                #expect(
                    stage.values(id) == [
                        ["note", "v", "double", "k"], ["mine", "a", ["formula": "=B2&B2"], 1],
                        [nil, "B", ["formula": "=B3&B3"], 2], ["keep", "c", ["formula": "=B4&B4"], 3],
                        [nil, "new", nil, 4],
                    ], "\(stage.values(id) ?? nil)")
                let formats = stage.state(id, formats: ["Data!B3:B3"])?["formats"]?["Data!B3:B3"]
                #expect(formats?[0]?[0]?["textFormat"]?["bold"] == true)
                #expect(job.result?["sheets"] == [["name": "Data", "sheet_id": 0, "rows": 3, "columns": 2]])
                #expect(job.result?["warnings"] == [])
                // The same again finds nothing to do.
                stage.emulator.clearJournal()
                try await stage.completed(upsert(id, [[4, "new"], [2, "B"], [1, "a"]]))
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.get": 1, "sheets.spreadsheets.getByDataFilter": 2,
                        "sheets.spreadsheets.values.batchGet": 1,
                    ])
            }
        }
    }

    @Test func findsRowsAgainThatPeopleMoved() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v"]])
            try await stage.work { _ in
                try await stage.completed(upsert(id, [["a", 1], ["b", 2], ["c", 3]]))
                try await stage.change(
                    id,
                    by: [
                        [
                            "moveDimension": [
                                "source": ["sheetId": 0, "dimension": "ROWS", "startIndex": 1, "endIndex": 2],
                                "destinationIndex": 4,
                            ]
                        ]
                    ])
                try await stage.completed(upsert(id, [["a", 10], ["c", 30], ["d", 4]]))
                #expect(stage.values(id) == [["k", "v"], ["b", 2], ["c", 30], ["a", 10], ["d", 4]])
            }
        }
    }

    @Test func keysAreExact() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [
                    ["k", "x", "v"], [1, "a", "number"], ["1", "a", "text"], [true, "a", "truth"], [1, nil, "half"],
                    [46_348, "a", "day"], ["=1+1", "a", "computed"], [1.5, "a", "fraction"], ["E\u{301}", "a", "two"],
                ])
            try await stage.work { _ in
                try await stage.completed(
                    upsert(
                        id, key: ["x", "k"], columns: ["v", "x", "k"],
                        [
                            ["NUMBER", "a", 1], ["TEXT", "a", "1"], ["TRUTH", "a", true], ["HALF", "", 1],
                            ["COMPUTED", "a", 2], ["FRACTION", "a", 1.5], ["one", "a", "\u{C9}"],
                            ["TWO", "a", "E\u{301}"],
                        ]))
                try await stage.completed(
                    upsert(
                        id, key: ["k"], columns: ["v", ["name": "k", "type": "date"]], [["DAY", "2026-11-22"]]))
                let values = stage.values(id)?.array ?? []
                try #require(
                    values.dropFirst().map { $0[2] } == [
                        "NUMBER", "TEXT", "TRUTH", "HALF", "DAY", "COMPUTED", "FRACTION", "TWO", "one",
                    ])
                #expect(values[6][0] == ["formula": "=1+1"], "a person's formula in the key stays")
            }
        }
    }

    @Test func comparesEveryKindOfCellAsItIs() async throws {
        try await ExportStage.with { stage in
            let columns: JSON = [
                "k", "auto", ["name": "text", "type": "text"], ["name": "day", "type": "date"],
                ["name": "at", "type": "datetime"], ["name": "sum", "type": "formula"],
                ["name": "page", "type": "link"], ["name": "yes", "type": "boolean"],
                ["name": "price", "type": "currency", "format": "EUR"],
            ]
            let row: [JSON] = [
                "A", 0.1, "=SUM(A1)", "2026-11-22", "2026-11-22T09:30:15.250Z", "=1+1",
                ["url": "https://example.com", "text": "E"], true, 1e21,
            ]
            let id = try await stage.makeSpreadsheet("Theirs")
            try await stage.work { _ in
                func write(_ rows: [JSON]) async throws -> Int {
                    stage.emulator.clearJournal()
                    var payload = try #require(upsert(id, columns: columns, .array(rows)).object)
                    payload["sheets"] = [
                        ExportStage.sheet("Sheet1", "upsert", key: ["k"], columns: columns, .array(rows))
                    ]
                    try await stage.completed(.object(payload))
                    return stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] ?? 0
                }
                var writes = [try await write([.array(row)]), try await write([.array(row)])]
                #expect(writes == [1, 0])
                // Each cell for itself is noticed, and so is its being emptied.
                for (column, value) in [
                    (1, "0.1"), (1, 0.1), (2, "=SUM(A2)"), (3, "2026-11-23"), (4, "2026-11-22T09:30:15.251Z"),
                    (5, "=1+2"), (6, ["url": "https://example.org", "text": "E"]), (7, false), (8, nil), (1, ""),
                ] as [(Int, JSON)] {
                    var changed = row
                    changed[column] = value
                    writes = []
                    for row in [changed, changed, row] { writes.append(try await write([.array(row)])) }
                    #expect(writes == (value == 0.1 ? [0, 0, 0] : [1, 0, 1]), "\(column) \(value)")
                }
            }
        }
    }

    @Test func refusesKeysThatAreNotClear() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v"], [1, "a"], [1, "b"], [2, "c"], [1, "d"]])
            try await stage.work { _ in
                for (payload, path, words) in [
                    (upsert(id, [[1, 1], [2, 2], [3, 3], [2, 4]]), "sheets[0].rows[3]", "the same key as rows[1]"),
                    (upsert(id, [[1, 1], ["", 2]]), "sheets[0].rows[1]", "has an empty key"),
                    (
                        upsert(id, columns: [["name": "k", "type": "formula"], "v"], [["=1", 1]]),
                        "sheets[0].columns[0]", "cannot be a key"
                    ),
                    (
                        [
                            "title": "New",
                            "sheets": [ExportStage.sheet("A", "upsert", key: ["k"], columns: ["k"], [[1], [1]])],
                        ],
                        "sheets[0].rows[1]", "the same key as rows[0]"
                    ),
                ] as [(JSON, String, String)] {
                    let job = try await stage.export(payload)
                    #expect(job.state == "discarded" && job.lastError?.code == "payload.invalid", "\(job.json)")
                    #expect(job.lastError?.message.hasPrefix("\(path): ") == true, "\(job.json)")
                    #expect(job.lastError?.message.contains(words) == true, "\(job.json)")
                }
                let missing = try await stage.export(upsert(id, key: ["key"], columns: ["key", "v"], [[1, 2]]))
                #expect(missing.lastError?.code == "export.header_mismatch", "\(missing.json)")
                // What is double in the sheet is told of.
                let job = try await stage.completed(upsert(id, [[1, "A"], [2, "C"]]))
                #expect(stage.values(id) == [["k", "v"], [1, "A"], [1, "b"], [2, "C"], [1, "d"]])
                #expect(job.result?["warnings"]?.array?.count == 1)
                #expect(job.result?["warnings"]?[0]?.string?.contains("2 rows have the key") == true, "\(job.json)")
            }
        }
    }

    @Test func writesOnlyTheHundredRowsOfTwentyThousandThatChanged() async throws {
        try await ExportStage.with { stage in
            let columns: JSON = ["id", "name", "email", "amount", ["name": "day", "type": "date"]]
            func row(_ number: Int, _ amount: Int) -> JSON {
                [
                    JSON(number), .string("Customer \(number)"), .string("customer\(number)@example.com"), JSON(amount),
                    "2026-11-22",
                ]
            }
            let rows = (0..<20_000).map { row($0, $0) }
            let calls = Mutex<[APICall]>([])
            try await stage.sibling(observedBy: { call in calls.withLock { $0.append(call) } }).work { _ in
                let made = try await stage.completed(["title": "Large", "columns": columns, "rows": .array(rows)])
                let id = try #require(made.result?["spreadsheet_id"]?.string)
                let size = calls.withLock { $0.map(\.requestSize).reduce(0, +) }
                var changed = rows
                for number in 0..<100 { changed[number * 199 + 7] = row(number * 199 + 7, -1) }
                calls.withLock { $0 = [] }
                let job = try await stage.completed(
                    stage.payload(id, "upsert", key: ["id"], columns: columns, .array(changed), sheet: "Sheet1"))
                let (reads, writes) = calls.withLock { all in (all.filter { !$0.isWrite }, all.filter(\.isWrite)) }
                let written = writes.map(\.requestSize).reduce(0, +)
                print(
                    "100 of 20,000 rows changed: \(reads.count) reads, answers of "
                        + "\(reads.map(\.responseSize).reduce(0, +)) bytes; \(writes.count) write of \(written) bytes; "
                        + "all rows are \(size) bytes")
                #expect(writes.count == 1 && written < size / 50)
                #expect(job.result?["api_calls"]?.int == reads.count + 1)
                let found = stage.values(id, sheet: 0)?.array ?? []
                try #require(found.count == 20_001)
                #expect(found.filter { $0[3] == -1 }.count == 100)
                #expect(found[8][3] == -1 && found[9][3] == 8)
            }
        }
    }

    @Test func readsTextsOfAnyLengthInPieces() async throws {
        try await ExportStage.with { stage in
            // 36 MB in one column, more than one answer may have.
            let count = 750
            let id = try await stage.makeTable(
                [["k", "v", "long"]] + (1...count).map { [JSON($0), "old"] },
                [
                    [
                        "repeatCell": [
                            "range": [
                                "sheetId": 0, "startRowIndex": 1, "endRowIndex": JSON(count + 1), "startColumnIndex": 2,
                                "endColumnIndex": 3,
                            ],
                            "cell": [
                                "userEnteredValue": ["stringValue": .string(String(repeating: "x", count: 48_000))]
                            ],
                            "fields": "userEnteredValue",
                        ]
                    ]
                ])
            let calls = Mutex<[APICall]>([])
            try await stage.sibling(observedBy: { call in calls.withLock { $0.append(call) } }).work { _ in
                try await stage.completed(
                    upsert(
                        id, columns: ["k", "v", "long"],
                        .array((1...count).map { [JSON($0), $0 % 50 == 0 ? "new" : "old", "short"] })))
            }
            let values = stage.values(id)?.array ?? []
            try #require(values.count == count + 1)
            #expect(values[50] == [50, "new", "short"] && values[51] == [51, "old", "short"])
            let sizes = calls.withLock { $0.map(\.responseSize).filter { $0 > 100_000 } }
            print("answers of an upsert of wide texts, in bytes: \(sizes)")
            #expect(sizes.count < 25, "\(sizes)")
            #expect(sizes.dropFirst(2).allSatisfy { $0 < 8_000_000 }, "\(sizes)")
        }
    }
}
