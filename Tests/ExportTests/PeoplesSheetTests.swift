import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import SheetModel
import Synchronization
import TestSupport
import Testing

/// What people do to a sheet between jobs and while one runs: nothing of theirs is written over, nothing lands elsewhere.
@Suite struct PeoplesSheetTests {
    /// Lets a person change a spreadsheet right after a write of a job.
    private final class Person: CallGate {
        private let writes = Mutex<Int>(0)
        private let write: Int
        private let change: @Sendable () async throws -> Void

        init(after write: Int, _ stage: ExportStage, _ id: String, _ requests: [JSON]) {
            self.write = write
            let (sheets, body) = (SheetsClient(api: stage.api), ["requests": .array(requests)] as JSON)
            change = { _ = try await sheets.batchUpdate(id, body: body.bytes) }
        }

        func admit(_ resource: GoogleResource) async throws(GoogleError) {}

        func settle(_ resource: GoogleResource, _ error: GoogleError?) async -> GoogleError? {
            guard resource == .sheetsWrite else { return error }
            let number = writes.withLock { count in
                count += 1
                return count
            }
            do { if number == write { try await change() } } catch { Issue.record("the person's change: \(error)") }
            return error
        }
    }

    private static func write(_ value: String, row: Int, column: Int) -> JSON {
        [
            "updateCells": [
                "start": ["sheetId": 0, "rowIndex": JSON(row), "columnIndex": JSON(column)],
                "fields": "userEnteredValue",
                "rows": [["values": [["userEnteredValue": ["stringValue": .string(value)]]]]],
            ]
        ]
    }

    private static func insertColumn(_ index: Int) -> JSON {
        [
            "insertDimension": [
                "range": [
                    "sheetId": 0, "dimension": "COLUMNS", "startIndex": JSON(index), "endIndex": JSON(index + 1),
                ]
            ]
        ]
    }

    private static func insertRow(_ index: Int) -> JSON {
        [
            "insertDimension": [
                "range": ["sheetId": 0, "dimension": "ROWS", "startIndex": JSON(index), "endIndex": JSON(index + 1)]
            ]
        ]
    }

    private static func range(_ rows: Range<Int>, _ columns: Range<Int>) -> JSON {
        [
            "sheetId": 0, "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
            "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
        ]
    }

    private static func replacement(_ id: String, _ columns: JSON, _ rows: JSON, _ more: JSON = [:]) -> JSON {
        var sheet = more.object ?? JSONObject()
        sheet["name"] = "Data"
        sheet["columns"] = columns
        sheet["rows"] = rows
        return ["spreadsheet_id": .string(id), "sheets": [.object(sheet)]]
    }

    private static func warnings(_ job: JobRecord) -> [String] {
        job.result?["warnings"]?.array?.compactMap(\.string) ?? []
    }

    /// Rows long enough that a job takes more than one write for them.
    private static func rows(_ count: Int, _ isStaged: Bool, _ name: String = "N") -> JSON {
        .array(
            (0..<count).map {
                [.string("\(name)\($0)" + (isStaged ? String(repeating: ".", count: 60) : "")), JSON($0)]
            })
    }

    /// The values of a sheet, texts without their filling.
    private static func short(_ stage: ExportStage, _ id: String) -> [[JSON]] {
        (stage.values(id)?.array ?? []).map { row in
            (row.array ?? []).map { cell in cell.string.map { .string(String($0.prefix { $0 != "." })) } ?? cell }
        }
    }

    // MARK: Which column is the job's

    @Test(arguments: [false, true])
    func aSecondColumnOfTheNameIsSomebodysOwnWhereverItStands(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            try await stage.work { _ in
                let id = try await stage.makeTable([["region", "sales"]])
                try await stage.completed(Self.replacement(id, ["region", "sales"], Self.rows(3, isStaged)))
                // A person puts a column of the same name to the left, and one to the right.
                try await stage.change(
                    id,
                    by: [
                        Self.insertColumn(0), Self.write("sales", row: 0, column: 0),
                        Self.write("mine", row: 1, column: 0), Self.write("sales", row: 0, column: 4),
                        Self.write("too", row: 2, column: 4),
                    ])
                let job = try await stage.completed(
                    Self.replacement(
                        id, ["sales", "region"],
                        .array(
                            (Self.rows(2, isStaged, "M").array ?? []).map { [$0[1] ?? .null, $0[0] ?? .null] })))
                #expect(
                    Self.short(stage, id) == [
                        ["sales", "region", "sales", nil, "sales"], ["mine", "M0", 0], [nil, "M1", 1, nil, "too"],
                    ], "\(Self.short(stage, id))")
                #expect(Self.warnings(job) == [])
                // A job without the column empties its own, and not theirs.
                try await stage.completed(
                    Self.replacement(
                        id, ["region"],
                        .array(
                            (Self.rows(1, isStaged, "L").array ?? []).map { [$0[0] ?? .null] })))
                #expect(
                    Self.short(stage, id) == [
                        ["sales", "region", nil, nil, "sales"], ["mine", "L0"], [nil, nil, nil, nil, "too"],
                    ], "\(Self.short(stage, id))")
            }
        }
    }

    @Test(arguments: [false, true])
    func whereNothingTellsWhichColumnIsMeantNothingIsWritten(isStaged: Bool) async throws {
        try await ExportStage.with(batchBytes: isStaged ? 700 : 8_000_000) { stage in
            let id = try await stage.makeTable([["sales", "x", "sales"], ["theirs", 1, "theirs too"]])
            try await stage.work { _ in
                let before = stage.values(id)
                for columns in [["sales"], ["x", "sales"]] as [JSON] {
                    let rows = (Self.rows(3, isStaged).array ?? []).map { row -> JSON in
                        columns.array?.count == 1 ? [row[0] ?? .null] : row
                    }
                    let job = try await stage.export(Self.replacement(id, columns, .array(rows)))
                    #expect(job.state == "discarded" && job.lastError?.code == "export.header_mismatch", "\(job.json)")
                    #expect(job.lastError?.message.contains("A, C") == true, "\(job.json)")
                }
                #expect(stage.values(id) == before)
                // Two columns of the job are two of the sheet.
                try await stage.completed(Self.replacement(id, ["sales", "sales"], [["a", "b"]]))
                #expect(stage.values(id) == [["sales", "x", "sales"], ["a", 1, "b"]])
            }
        }
    }

    @Test func aRenamedHeadingIsNamedAndAMergedOneIsPutBack() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let id = try await stage.makeTable([["region", "sales", "sum"]])
                let columns: JSON = ["region", "sales", "sum"]
                try await stage.completed(Self.replacement(id, columns, [["a", 1, 2], ["b", 3, 4]]))
                try await stage.change(
                    id, by: [Self.write("Umsatz", row: 0, column: 1), Self.insertColumn(1)])
                let job = try await stage.completed(Self.replacement(id, columns, [["c", 5, 6]]))
                #expect(
                    stage.values(id) == [
                        ["region", nil, "Umsatz", "sum", "sales"], ["c", nil, 1, 6, 5], [nil, nil, 3],
                    ]
                        || stage.values(id) == [
                            ["region", "sales", "Umsatz", "sum"], ["c", 5, 1, 6], [nil, nil, 3],
                        ], "\(stage.values(id) ?? nil)")
                let warnings = Self.warnings(job)
                #expect(
                    warnings.count == 1 && warnings[0].contains("column C") && warnings[0].contains("\"sales\"")
                        && warnings[0].contains("\"Umsatz\""), "\(warnings)")
                // It is theirs from then on.
                let next = try await stage.completed(Self.replacement(id, columns, [["d", 7, 8]]))
                #expect(Self.warnings(next) == [] && stage.values(id)?[1]?[2] == 1, "\(next.json)")

                let merged = try await stage.makeTable([["region", "sales"]])
                try await stage.completed(Self.replacement(merged, ["region", "sales"], [["a", 1], ["b", 2]]))
                try await stage.change(
                    merged, by: [["mergeCells": ["range": Self.range(0..<1, 0..<2), "mergeType": "MERGE_ALL"]]])
                let after = try await stage.completed(
                    Self.replacement(merged, ["region", "sales"], [["c", 3]]))
                #expect(stage.values(merged)?[0] == ["region", "sales"] && stage.values(merged)?[1] == ["c", 3])
                #expect(
                    Self.warnings(after).contains { $0.contains("\"sales\" of column B") }
                        && Self.warnings(after).contains { $0.contains("A1:B1") }, "\(after.json)")
            }
        }
    }

    @Test func aHeaderThatWasMovedIsNotWrittenOver() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                for position in [[:], ["header_row": 1]] as [JSON] {
                    for title in [nil, "Our report", "region"] as [String?] {
                        let id = try await stage.makeTable([["region", "sales", "mine"], ["a", 1, "x"]])
                        let columns: JSON = ["region", "sales"]
                        try await stage.completed(Self.replacement(id, columns, [["b", 2]], position))
                        try await stage.change(
                            id,
                            by: [Self.insertRow(0)] + (title.map { [Self.write($0, row: 0, column: 0)] } ?? []))
                        let before = stage.values(id)
                        let job = try await stage.export(Self.replacement(id, columns, [["c", 3]], position))
                        #expect(
                            job.state == "discarded" && job.lastError?.code == "export.header_mismatch"
                                && job.lastError?.message.contains("header_row") == true, "\(job.json)")
                        #expect(stage.values(id) == before)
                        try await stage.completed(
                            Self.replacement(id, columns, [["c", 3]], ["header_row": 2]))
                        #expect(stage.values(id)?.array?.last == ["c", 3, "x"])
                    }
                }
            }
        }
    }

    // MARK: While a job runs

    @Test(arguments: ["insert", "move", "rename"])
    func aLargeReplaceFollowsColumnsThatMoveMeanwhile(what: String) async throws {
        try await ExportStage.with(batchBytes: 1_500) { stage in
            let id = try await stage.makeTable([["mine", "n", "text"], ["m", 1, "old"]])
            let change: JSON =
                switch what {
                case "insert": Self.insertColumn(1)
                case "rename": Self.write("other", row: 0, column: 1)
                default:
                    [
                        "moveDimension": [
                            "source": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 0, "endIndex": 1],
                            "destinationIndex": 3,
                        ]
                    ]
                }
            let person = Person(after: 2, stage, id, [change])
            let rows = (0..<40).map { row -> JSON in [JSON(row), .string(String(repeating: "x", count: 60))] }
            try await stage.sibling(gatedBy: person).work { _ in
                let job = try await stage.completed(Self.replacement(id, ["n", "text"], .array(rows)))
                let values = stage.values(id)?.array ?? []
                try #require(values.count == 41, "\(values)")
                switch what {
                case "insert":
                    #expect(values[0] == ["mine", nil, "n", "text"] && values[1].array?.prefix(3) == ["m", nil, 0])
                case "move":
                    #expect(values[0] == ["n", "text", "mine"] && values[1][0] == 0 && values[1][2] == "m")
                default:
                    #expect(values[0] == ["mine", "other", "text", "n"] && values[1][1] == 1 && values[1][3] == 0)
                }
                #expect(Self.warnings(job) == [], "\(job.json)")
                #expect(stage.state(id)?["sheets"]?.array?.count == 1)
            }
        }
    }

    /// A formula means the cells that it names, so that its rows are written anew.
    @Test func formulasAreWrittenAnewWhereTheirColumnMoved() async throws {
        try await ExportStage.with(batchBytes: 1_500) { stage in
            let id = try await stage.makeTable([["mine", "n", "f"], ["m", 1, nil]])
            let person = Person(after: 2, stage, id, [Self.insertColumn(0)])
            let rows = (0..<40).map { row -> JSON in
                [JSON(row), .string("=A\(row + 2)&\"\(String(repeating: "x", count: 40))\"")]
            }
            let columns: JSON = ["n", ["name": "f", "type": "formula"]]
            try await stage.sibling(gatedBy: person).work { _ in
                try await stage.completed(Self.replacement(id, columns, .array(rows)), attempt: 2)
                let values = stage.values(id)?.array ?? []
                #expect(values[0] == [nil, "mine", "n", "f"], "\(values[0])")
                #expect(values[40][2] == 39 && values[40][3]?["formula"]?.string?.hasPrefix("=A41&") == true)
                #expect(stage.state(id)?["sheets"]?.array?.count == 1)
            }
        }
    }

    @Test(arguments: ["append", "upsert", "made"])
    func chunksFollowColumnsThatMoveBetweenThem(mode: String) async throws {
        try await ExportStage.with(batchBytes: 1_500) { stage in
            let there = (0..<40).map { [JSON($0), "old", "mine"] as [JSON] }
            let id = try await stage.makeTable(
                mode == "made" ? [] : [["n", "text", "own"]] + (mode == "append" ? [] : there))
            let move: JSON = [
                "moveDimension": [
                    "source": ["sheetId": 0, "dimension": "COLUMNS", "startIndex": 1, "endIndex": 2],
                    "destinationIndex": 0,
                ]
            ]
            let person = Person(after: 1, stage, id, [move])
            let rows = (0..<60).map { row -> JSON in [JSON(row), .string("\(row)" + String(repeating: "x", count: 60))]
            }
            try await stage.sibling(gatedBy: person).work { _ in
                try await stage.completed(
                    stage.payload(
                        id, mode == "made" ? "append" : mode, key: mode == "upsert" ? ["n"] : nil,
                        columns: ["n", "text"], .array(rows)))
                let values = stage.values(id)?.array ?? []
                try #require(values.count == 61, "\(values)")
                #expect(values[0].array?.prefix(2) == ["text", "n"])
                #expect(values.dropFirst().map { $0[1]?.int } == (0..<60).map { $0 }, "\(values)")
                #expect(values.dropFirst().allSatisfy { $0[0]?.string?.hasPrefix("\($0[1]?.int ?? -1)x") == true })
                if mode == "upsert" { #expect(values[1][2] == "mine" && values[40][2] == "mine") }
            }
        }
    }

    @Test func aHeadingThatGoesMeanwhileEndsTheJob() async throws {
        try await ExportStage.with(batchBytes: 1_500) { stage in
            let id = try await stage.makeTable([["n", "text"]])
            let person = Person(after: 1, stage, id, [Self.write("other", row: 0, column: 1)])
            let rows = (0..<60).map { row -> JSON in [JSON(row), .string(String(repeating: "x", count: 60))] }
            try await stage.sibling(gatedBy: person).work { _ in
                let job = try await stage.export(stage.payload(id, "append", columns: ["n", "text"], .array(rows)))
                #expect(job.state == "discarded" && job.lastError?.code == "export.header_mismatch", "\(job.json)")
                let count = (stage.values(id)?.array?.count ?? 0) - 1
                #expect(count > 0 && count < 60)
                #expect(
                    Self.warnings(job).contains("sheets[0]: \(count) rows are appended."), "\(job.json)")
            }
        }
    }

    // MARK: Several sheets

    @Test(arguments: ["append", "upsert", "replace"])
    func nothingIsWrittenWhereALaterSheetIsRefused(mode: String) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["k", "v"], [1, "a"]],
                [
                    ["addSheet": ["properties": ["sheetId": 5, "title": "Other"]]],
                    [
                        "updateCells": [
                            "start": ["sheetId": 5, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                            "rows": [["values": [["userEnteredValue": ["stringValue": "else"]]]]],
                        ]
                    ],
                ])
            try await stage.work { _ in
                let first = ExportStage.sheet(
                    "Data", mode, key: mode == "upsert" ? ["k"] : nil, columns: ["k", "v"], [[2, "b"]])
                for (more, code) in [
                    ([:], "export.header_mismatch"), (["table": "T"], "export.header_mismatch"),
                    (["header_row": 5_000], "export.header_mismatch"), (["header_row": 3], "export.header_mismatch"),
                ] as [(JSON, String)] {
                    var second = ExportStage.sheet("Other", "append", columns: ["k"], [[2]]).object ?? JSONObject()
                    for member in more.object ?? JSONObject() { second[member.name] = member.value }
                    for destination in ["spreadsheet_id", "copy_of"] {
                        var payload: JSONObject = JSONObject([.init(name: destination, value: .string(id))])
                        if destination == "copy_of" { payload["title"] = "Copy" }
                        payload["sheets"] = [first, .object(second)]
                        stage.emulator.clearJournal()
                        let job = try await stage.export(.object(payload))
                        #expect(job.state == "discarded" && job.lastError?.code == code, "\(job.json)")
                        #expect(job.lastError?.message.hasPrefix("sheets[1]: ") == true, "\(job.json)")
                        #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == nil)
                        #expect(stage.values(id) == [["k", "v"], [1, "a"]])
                    }
                }
                #expect(stage.files("spreadsheet").count == 1)
            }
        }
    }

    @Test(arguments: ["append", "replace"])
    func aRefusalHalfWaySaysWhatIsWritten(mode: String) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v"], [1, "a"]])
            try await stage.work { _ in
                stage.emulator.addFault(
                    Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                stage.emulator.addFault(
                    Fault(
                        .error(status: 403, reason: "forbidden"), api: .sheets, verb: "POST",
                        path: .contains(":batchUpdate")))
                let job = try await stage.export([
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        ExportStage.sheet("Data", mode, columns: ["k", "v"], [[2, "b"]]),
                        ExportStage.sheet("Log", "append", columns: ["at"], [[1]]),
                        ExportStage.sheet("Last", "append", columns: ["at"], [[1]]),
                    ],
                ])
                #expect(job.state == "discarded", "\(job.json)")
                for words in [Self.warnings(job).joined(separator: " "), job.lastError?.message ?? ""] {
                    #expect(words.contains("Written in full: \"Data\"."), "\(job.json)")
                    #expect(words.contains("Not, or not in full: \"Log\"."), "\(job.json)")
                    #expect(words.contains("Not begun: \"Last\"."), "\(job.json)")
                }
            }
        }
    }

    // MARK: Links, formulas and filters

    private static func link(_ row: Int, _ column: Int) -> JSON {
        [
            "repeatCell": [
                "range": range(row..<row + 1, column..<column + 1),
                "cell": [
                    "userEnteredFormat": ["textFormat": ["link": ["uri": "https://example.org/old"], "bold": true]]
                ],
                "fields": "userEnteredFormat.textFormat(link,bold)",
            ]
        ]
    }

    private static func links(_ stage: ExportStage, _ id: String) async throws -> [String] {
        let answer = try await SheetsClient(api: stage.api).spreadsheet(
            id, in: [GridRectangle(sheetID: 0, rows: 0..<9, columns: 0..<4)],
            fields: "sheets.data.rowData.values(textFormatRuns,userEnteredFormat.textFormat.link)")
        var found: [String] = []
        for (row, cells) in (answer["sheets"]?[0]?["data"]?[0]?["rowData"]?.array ?? []).enumerated() {
            for (column, cell) in (cells["values"]?.array ?? []).enumerated() {
                let link = cell["userEnteredFormat"]?["textFormat"]?["link"]?["uri"]?.string
                if let link { found.append(A1.letters(ofColumn: column) + "\(row + 1) \(link)") }
                if cell["textFormatRuns"] != nil { found.append(A1.letters(ofColumn: column) + "\(row + 1) runs") }
            }
        }
        return found
    }

    @Test(arguments: ["replace", "staged", "upsert", "append"])
    func aCellThatIsWrittenAnewLosesItsFormerLink(mode: String) async throws {
        try await ExportStage.with(batchBytes: mode == "staged" ? 700 : 8_000_000) { stage in
            let runs: JSON = [
                "updateCells": [
                    "start": ["sheetId": 0, "rowIndex": 3, "columnIndex": 1], "fields": "textFormatRuns",
                    "rows": [
                        [
                            "values": [
                                [
                                    "textFormatRuns": [
                                        ["startIndex": 1, "format": ["link": ["uri": "https://example.org/r"]]]
                                    ]
                                ]
                            ]
                        ]
                    ],
                ]
            ]
            let id = try await stage.makeTable(
                [
                    ["k", "v", "mine"], [1, "a", "m"], [2, "b", "m"], [3, "c", "m"], [4, "d", "m"], [5, "same", "m"],
                ],
                [1, 2, 4, 5, 6].map { link($0, 1) } + [link(1, 2), runs])
            func link(_ row: Int, _ column: Int) -> JSON { Self.link(row, column) }
            try await stage.work { _ in
                switch mode {
                case "append":
                    // The cell below the last row keeps the look of one that was emptied.
                    try await stage.completed(stage.payload(id, "append", columns: ["k", "v"], [[6, "new"]]))
                    let found = try await Self.links(stage, id)
                    #expect(
                        !found.contains { $0.hasPrefix("B7") } && found.contains("B2 https://example.org/old"),
                        "\(found)")
                case "upsert":
                    try await stage.completed(
                        stage.payload(
                            id, "upsert", key: ["k"], columns: ["k", "v"],
                            [[1, "A"], [2, nil], [3, "C"], [5, "same"]]))
                    let found = try await Self.links(stage, id)
                    #expect(
                        found == [
                            "C2 https://example.org/old", "B5 https://example.org/old", "B6 https://example.org/old",
                            "B7 https://example.org/old",
                        ], "\(found)")
                    // In a column of links a text without an address is none.
                    try await stage.completed(
                        stage.payload(
                            id, "upsert", key: ["k"], columns: ["k", ["name": "v", "type": "link"]],
                            [[4, ["text": "d"]], [5, ["text": "same", "url": "https://example.org/new"]]]))
                    #expect(
                        try await Self.links(stage, id) == [
                            "C2 https://example.org/old", "B6 https://example.org/new", "B7 https://example.org/old",
                        ])
                default:
                    let text = String(repeating: "x", count: mode == "staged" ? 90 : 2)
                    try await stage.completed(
                        Self.replacement(id, ["k", "v"], .array((1...3).map { [JSON($0), .string(text)] })))
                    #expect(try await Self.links(stage, id) == ["C2 https://example.org/old"])
                }
                let formats = stage.state(id, formats: ["Data!B2:B2"])?["formats"]?["Data!B2:B2"]
                #expect(formats?[0]?[0]?["textFormat"]?["bold"] == true)
            }
        }
    }

    @Test func aFormatKeepsAddressesAndFilters() async throws {
        try await ExportStage.with { stage in
            let filter: JSON = [
                "range": Self.range(0..<2, 1..<2), "criteria": ["1": ["hiddenValues": ["x"]]],
            ]
            let id = try await stage.makeTable(
                [["k", "v"], [1, "a"]], [Self.link(1, 1), ["setBasicFilter": ["filter": filter]]])
            try await stage.work { _ in
                let before = stage.state(id)?["sheets"]?[0]?["basic_filter"]
                let job = try await stage.run("format", ["spreadsheet_id": .string(id), "template": "default"])
                #expect(job.state == "completed", "\(job.json)")
                #expect(try await Self.links(stage, id) == ["B2 https://example.org/old"])
                #expect(stage.state(id)?["sheets"]?[0]?["basic_filter"] == before)
            }
        }
    }

    @Test func anUpsertLeavesAFormulaThatShowsTheValue() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "v", "w"], [1, "=1+1", "a"], [2, "=1+2", "b"]])
            try await stage.work { _ in
                let columns: JSON = ["k", "v", "w"]
                stage.emulator.clearJournal()
                try await stage.completed(
                    stage.payload(id, "upsert", key: ["k"], columns: columns, [[1, 2, "a"]]))
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] == nil)
                try await stage.completed(
                    stage.payload(id, "upsert", key: ["k"], columns: columns, [[1, 2, "A"], [2, 4, "b"]]))
                #expect(
                    stage.values(id) == [["k", "v", "w"], [1, ["formula": "=1+1"], "A"], [2, 4, "b"]],
                    "\(stage.values(id) ?? nil)")
            }
        }
    }

    // MARK: A dry run

    /// Runs a payload as a dry run and then in earnest; both make the same calls, and the first one changes nothing.
    private static func rehearse(_ stage: ExportStage, _ id: String, _ payload: JSON, _ comment: String) async throws {
        var members = try #require(payload.object)
        members["dry_run"] = true
        let before = stage.state(id)?["sheets"]
        let files = stage.files("spreadsheet").count
        stage.emulator.clearJournal()
        let dry = try await stage.export(.object(members))
        #expect(dry.state == "completed", "\(comment) \(dry.json)")
        var counts = stage.emulator.journal.counts
        counts["oauth.token"] = nil
        #expect(counts.values.reduce(0, +) == dry.result?["api_calls"]?.int, "\(comment) \(counts) \(dry.json)")
        #expect(stage.state(id)?["sheets"] == before && stage.files("spreadsheet").count == files, "\(comment)")
        stage.emulator.clearJournal()
        let real = try await stage.export(payload)
        #expect(real.state == "completed", "\(comment) \(real.json)")
        counts = stage.emulator.journal.counts
        counts["oauth.token"] = nil
        let planned = (dry.result?["planned_calls"]?.object ?? JSONObject()).map { ($0.name, $0.value.int ?? 0) }
        #expect(
            Dictionary(planned, uniquingKeysWith: { one, _ in one }) == counts, "\(comment): \(planned) and \(counts)")
        for name in ["cells", "warnings"] { #expect(dry.result?[name] == real.result?[name], "\(comment) \(name)") }
        for (dry, real) in zip(dry.result?["sheets"]?.array ?? [], real.result?["sheets"]?.array ?? []) {
            #expect(dry["name"] == real["name"] && dry["rows"] == real["rows"], "\(comment)")
            #expect(dry["sheet_id"] == nil || dry["sheet_id"] == real["sheet_id"], "\(comment)")
        }
    }

    @Test(arguments: [1_500, 8_000_000])
    func aDryRunsFiguresAreThoseOfTheRealRun(batchBytes: Int) async throws {
        try await ExportStage.with(batchBytes: batchBytes) { stage in
            try await stage.work { _ in
                let there = (0..<30).map { [JSON($0), .string("v\($0)"), "mine"] as [JSON] }
                let rows = (20..<70).map { row -> JSON in [JSON(row), .string(String(repeating: "x", count: 50))] }
                func sheet(_ name: String, _ mode: String, _ more: JSON = [:]) -> JSON {
                    var sheet =
                        ExportStage.sheet(
                            name, mode, key: mode == "upsert" ? ["k"] : nil, columns: ["k", "v"], .array(rows)
                        ).object ?? JSONObject()
                    for member in more.object ?? JSONObject() { sheet[member.name] = member.value }
                    return .object(sheet)
                }
                for destination in ["spreadsheet_id", "copy_of"] {
                    for sheets in [
                        [sheet("Data", "replace")], [sheet("Data", "append")], [sheet("Data", "upsert")],
                        [sheet("Data", "append", ["header_row": 1])], [sheet("New", "append")],
                        [sheet("Data", "replace", ["reset": true])],
                        [sheet("New", "append"), sheet("Data", "upsert"), sheet("Newer", "replace")],
                    ] {
                        let id = try await stage.makeTable([["k", "v", "own"]] + there)
                        var payload: JSONObject = JSONObject([.init(name: destination, value: .string(id))])
                        if destination == "copy_of" { payload["title"] = "Copy" }
                        payload["sheets"] = .array(sheets)
                        payload["share"] = [["type": "user", "email": "ada@example.com", "role": "reader"]]
                        let comment = "\(destination) \(sheets.map { "\($0["name"] ?? nil) \($0["mode"] ?? nil)" })"
                        try await Self.rehearse(stage, id, .object(payload), comment)
                    }
                }
            }
        }
    }

    @Test func aDryRunRefusesWhatTheRealRunRefuses() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "k", "v"], [1, 2, "a"]])
            try await stage.work { _ in
                let before = stage.values(id)
                for sheet in [
                    ["mode": "replace", "columns": ["k"]], ["mode": "append", "columns": ["k"]],
                    ["mode": "append", "columns": ["w"]], ["mode": "replace", "columns": ["v"], "table": "T"],
                    ["mode": "append", "columns": ["v"], "header_row": 5_000],
                    ["mode": "replace", "columns": ["v"], "header_row": 5_000],
                ] as [JSON] {
                    var members = try #require(sheet.object)
                    members["name"] = "Data"
                    members["rows"] = [[7]]
                    var errors: [String] = []
                    for isDry in [true, false] {
                        let job = try await stage.export([
                            "spreadsheet_id": .string(id), "dry_run": .bool(isDry), "sheets": [.object(members)],
                        ])
                        #expect(job.state == "discarded", "\(sheet) \(isDry) \(job.json)")
                        errors.append(job.lastError?.message ?? "")
                    }
                    #expect(errors[0] == errors[1] && !errors[0].isEmpty, "\(errors)")
                }
                #expect(stage.values(id) == before)
            }
        }
    }
}
