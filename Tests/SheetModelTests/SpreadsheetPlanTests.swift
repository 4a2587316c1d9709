import JSON
import Testing

@testable import SheetModel

@Suite struct SpreadsheetPlanTests {
    private func batches(of plan: SpreadsheetPlan) throws -> [PlanBatch] {
        var batches = plan.batches()
        var all: [PlanBatch] = []
        while let batch = try batches.next() { all.append(batch) }
        return all
    }

    private func spreadsheet(_ sheets: [Sheet], timeZone: TimeZoneRules = .utc) throws -> Spreadsheet {
        try Spreadsheet(locale: "de_DE", timeZone: timeZone, sheets: sheets)
    }

    private func written(_ spreadsheet: Spreadsheet, batchBytes: Int = 8_000_000) throws -> PlannedSpreadsheet {
        var result = PlannedSpreadsheet()
        for batch in try batches(of: SpreadsheetPlan(spreadsheet, batchBytes: batchBytes)) {
            try result.apply(batch.body)
        }
        return result
    }

    @Test func aSmallExportIsOneBatchWithItsLook() throws {
        let columns = [
            try Column(name: "id", type: .integer), try Column(name: "name"),
            try Column(name: "price", type: .currency, format: "EUR"),
            try Column(name: "paid", type: .boolean), try Column(name: "at", type: .datetime, width: 300),
            try Column(name: "share", type: .percent), try Column(name: "site", type: .link),
            try Column(name: "sum", type: .formula, format: "0.0"), try Column(name: "code", type: .text),
        ]
        let rows: [[JSON]] = [
            [1, "Änne", "12.50", true, "2026-11-22T10:00:00Z", 0.25, "https://e.org", "=A2*2", "007"], [2, nil],
        ]
        let model = try spreadsheet(
            [Sheet(name: "Orders", columns: columns, rows: rows)], timeZone: TimeZoneRules(named: "Europe/Berlin"))
        let plan = try SpreadsheetPlan(model)
        let all = try batches(of: plan)
        #expect(all.count == 1)
        #expect(all[0].rows == 2)
        #expect(plan.sheets == [SheetSummary(name: "Orders", id: 0, rows: 2, columns: 9, cells: 27)])
        #expect(plan.sheets.reduce(0) { $0 + $1.cells } == 27)

        let result = try written(model)
        #expect(result.locale == "de_DE" && result.timeZone == "Europe/Berlin")
        let tab = try #require(result.tabs.first)
        #expect(result.tabs.count == 1)
        #expect(tab.title == "Orders" && tab.rows == 3 && tab.columns == 9 && tab.frozenRows == 1)
        #expect(tab.cells[0].map(\.value) == columns.map { .text($0.name) })
        #expect(
            tab.cells[1] == [
                Cell(.number(1)), Cell(.text("Änne")), Cell(.number(12.5)), Cell(.boolean(true)),
                Cell(.number(46_348 + 11.0 / 24)), Cell(.number(0.25)),
                Cell(.text("https://e.org"), link: "https://e.org"),
                Cell(.formula("=A2*2")), Cell(.text("007")),
            ])
        #expect(tab.cells[2] == [Cell(.number(2))] + Array(repeating: Cell(.empty), count: 8))

        let data = tab.formats[1] ?? [:]
        #expect(
            (0..<9).map { data[$0]?["numberFormat"] } == [
                ["type": "NUMBER", "pattern": "#,##0"], nil, ["type": "CURRENCY", "pattern": "[$€]#,##0.00"], nil,
                ["type": "DATE_TIME", "pattern": "yyyy-mm-dd hh:mm:ss"], ["type": "PERCENT", "pattern": "0.00%"], nil,
                ["type": "NUMBER", "pattern": "0.0"], ["type": "TEXT"],
            ])
        let alignments: [JSON?] = ["RIGHT", nil, "RIGHT", "CENTER", "RIGHT", "RIGHT", nil, nil, nil]
        #expect((0..<9).map { data[$0]?["horizontalAlignment"] } == alignments)
        #expect((0..<9).map { tab.formats[0]?[$0]?["horizontalAlignment"] } == alignments)
        for column in 0..<9 {
            #expect(data[column]?["verticalAlignment"] == "MIDDLE")
            #expect(tab.formats[0]?[column]?["textFormat"] == ["bold": true])
            #expect(tab.formats[0]?[column]?["backgroundColorStyle"] != nil)
            #expect(tab.widths[column] ?? 0 >= 60)
        }
        #expect(tab.widths[4] == 300)
        #expect(tab.bandings[1]?["headerColorStyle"] != nil)
    }

    @Test func anyMatrixComesBackEqual() throws {
        for round in 0..<60 {
            let sheets = (0..<Int.random(in: 1...4)).map { Self.randomSheet(name: "S\($0)") }
            let expected = sheets.map { $0.cells }
            let model = try spreadsheet(sheets.map { $0.sheet })
            let size = [1, 500, 3_000, 20_000, 8_000_000].randomElement() ?? 1
            let plan = try SpreadsheetPlan(model, batchBytes: size)
            let all = try batches(of: plan)
            var result = PlannedSpreadsheet()
            for batch in all { try result.apply(batch.body) }
            #expect(result.tabs.map(\.title) == model.sheets.map(\.name))
            for (tab, cells) in zip(result.tabs, expected) {
                #expect(Array(tab.cells.prefix(cells.count)) == cells, "round \(round)")
                #expect(tab.cells.dropFirst(cells.count).allSatisfy { $0.allSatisfy { $0.value == .empty } })
                #expect(tab.rows <= max(2, cells.count))
            }
            #expect(all.map(\.number) == Array(0..<all.count))
            #expect(all.reduce(0) { $0 + $1.rows } == model.sheets.reduce(0) { $0 + $1.rows.count })
            #expect(
                plan.sheets.reduce(0) { $0 + $1.cells } == expected.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } })
            // Every batch but the first may come again, at any later time.
            let once = result
            for batch in all.dropFirst().shuffled() { try result.apply(batch.body) }
            #expect(result == once)
        }
    }

    private static func randomSheet(name: String) -> (sheet: Sheet, cells: [[Cell]]) {
        let width = Int.random(in: 1...6)
        // Half of the sheets are plain.
        let special: [ColumnType] = Bool.random() ? [.auto] : [.auto, .link, .formula]
        let columns = (0..<width).compactMap { try? Column(name: "=c\($0)", type: special.randomElement() ?? .auto) }
        var cells: [[Cell]] = []
        var rows: [[JSON]] = []
        for _ in 0..<Int.random(in: 0...40) {
            var row: [JSON] = []
            var line: [Cell] = []
            for column in 0..<width {
                if columns[column].type != .auto {
                    let (json, cell) = randomSpecial(columns[column].type)
                    row.append(json)
                    line.append(cell)
                    continue
                }
                let (json, value): (JSON, CellValue) =
                    switch Int.random(in: 0..<7) {
                    case 0: (nil, .empty)
                    case 1: (true, .boolean(true))
                    case 2: ("=1+1", .text("=1+1"))
                    case 3: ("a\"\\\n\u{1}é😀\u{202e}", .text("a\"\\\n\u{1}é😀\u{202e}"))
                    case 4: (-0.1, .number(-0.1))
                    case 5: ([1, nil], .text("[1,null]"))
                    default: (JSON(column * 1_000_003), .number(Double(column * 1_000_003)))
                    }
                row.append(json)
                line.append(Cell(value))
            }
            // A short row is the same as one filled with null.
            while let last = row.last, last.isNull, Bool.random() { row.removeLast() }
            rows.append(row)
            cells.append(line)
        }
        return (Sheet(name: name, columns: columns, rows: rows), [columns.map { Cell(.text($0.name)) }] + cells)
    }

    private static func randomSpecial(_ type: ColumnType) -> (JSON, Cell) {
        let url = "https://example.org/\"[a]\\,"
        return switch (type, Int.random(in: 0..<4)) {
        case (.formula, 1...): (#"=A1&"],[\\""#, Cell(.formula(#"=A1&"],[\\""#)))
        case (.link, 1): (.string(url), Cell(.text(url), link: url))
        case (.link, 2...): (["url": .string(url), "text": "\"],[,\\"], Cell(.text("\"],[,\\"), link: url))
        default: (nil, Cell(.empty))
        }
    }

    @Test func aBatchBringsNoMoreCellsThanGoogleIsTrustedToWriteInTime() throws {
        let columns = try (0..<1_000).map { try Column(name: "c\($0)") }
        let rows = [[JSON]](repeating: [JSON](repeating: 1, count: 1_000), count: 600)
        let all = try batches(of: SpreadsheetPlan(spreadsheet([Sheet(name: "A", columns: columns, rows: rows)])))
        // The first batch is full by its bytes, the values behind it by their cells.
        #expect(all.map(\.method) == [.batchUpdate, .values, .values])
        #expect(all[0].body.count > 7_900_000 && all[1].rows == 250 && all[1].body.count < 600_000)
    }

    @Test func batchesAreCutByBytesAndOnlyAHugeRowIsLonger() throws {
        let columns = [try Column(name: "n"), try Column(name: "t")]
        var rows: [[JSON]] = (0..<3_000).map { [JSON($0), .string(String(repeating: "x", count: $0 % 97))] }
        rows[1_500] = [1_500, .string(String(repeating: "y", count: 40_000))]
        let model = try spreadsheet([
            Sheet(name: "A", columns: columns, rows: rows), Sheet(name: "B", columns: columns, rows: rows),
        ])
        let size = 20_000
        let all = try batches(of: SpreadsheetPlan(model, batchBytes: size))
        let long = all.filter { $0.body.count > size }
        #expect(long.count == 2)
        #expect(long.allSatisfy { $0.rows == 1 && $0.body.count < 41_000 })
        // No batch is left nearly empty, but those beside the long rows and the last one.
        // A cell counts 32 bytes at least.
        let full = size / 32 - 2
        #expect(all.filter { $0.body.count < size - 1_000 && $0.rows * 2 < full }.count <= 3)
        #expect(all.reduce(0) { $0 + $1.rows } == 6_000)
        let result = try written(model, batchBytes: size)
        #expect(result == (try written(model)))
        #expect(
            result.tabs.allSatisfy { tab in (0..<3_000).allSatisfy { tab.cells[$0 + 1][0].value == .number(Double($0)) }
            })
    }

    @Test func planningAgainOverALostAttemptGivesTheSame() throws {
        let columns = [try Column(name: "n")]
        let model = try spreadsheet((0..<3).map { Sheet(name: "T\($0)", columns: columns, rows: [[JSON($0)]]) })
        var result = try written(model)
        let once = result
        let again = try SpreadsheetPlan(model, target: .new(result.existing))
        for batch in try batches(of: again) { try result.apply(batch.body) }
        #expect(result == once)
        #expect(result.tabs.map(\.id) == [0, 1, 2])
        // The plan for an empty target does not fit the full one, and changes nothing of it.
        #expect(throws: PlannedSpreadsheet.Refusal.self) {
            for batch in try batches(of: SpreadsheetPlan(model)) { try result.apply(batch.body) }
        }
        #expect(result == once)
    }

    @Test func idsNeverMeetTheOneThatIsTakenOver() throws {
        let model = try spreadsheet((0..<3).map { Sheet(name: "T\($0)", columns: nil, rows: [[1]]) })
        let target = [ExistingSheet(id: 2, title: "Tab", rows: 5, columns: 5)]
        #expect(try SpreadsheetPlan(model, target: .new(target)).sheets.map(\.id) == [2, 1, 3])
    }

    @Test func emptySheetsAndSheetsWithoutHeaderHaveAGridThatSheetsTakes() throws {
        let model = try spreadsheet([
            Sheet(name: "header only", columns: [try Column(name: "a"), try Column(name: "b")], rows: []),
            Sheet(name: "nothing", columns: nil, rows: []),
            Sheet(name: "no header", columns: nil, rows: [[1], [2, "x", true], []]),
        ])
        let tabs = try written(model).tabs
        #expect(tabs.map(\.rows) == [2, 1, 3])
        #expect(tabs.map(\.columns) == [2, 1, 3])
        #expect(tabs.map(\.frozenRows) == [1, 0, 0])
        #expect(tabs[2].cells[1] == [Cell(.number(2)), Cell(.text("x")), Cell(.boolean(true))])
        #expect(tabs[2].bandings[3]?["headerColorStyle"] == nil)
    }

    @Test func neighboursThatLookAlikeShareARequest() throws {
        let columns = try (0..<1_000).map { try Column(name: "c\($0)", type: $0 < 600 ? .date : .text, width: 100) }
        let body = try batches(of: SpreadsheetPlan(spreadsheet([Sheet(name: "S", columns: columns, rows: [])])))[0].body
        let kinds = try JSON(parsing: body)["requests"]?.array?.map { $0.object?.names.first ?? "" } ?? []
        #expect(kinds.filter { $0 == "repeatCell" }.count == 5)
        #expect(kinds.filter { $0 == "updateDimensionProperties" }.count == 1)
    }

    @Test func warningsAreCountedByColumn() throws {
        let long = try JSON(parsing: "12345678901234567890")
        let model = try spreadsheet([
            Sheet(
                name: "S", columns: [try Column(name: "id"), try Column(name: "n", type: .number)],
                rows: [[long, long], [long, "0.12345678901234567"], [1]])
        ])
        #expect(
            model.warnings.map(\.description) == [
                "sheet \"S\", column \"id\": 2 integers beyond 9,007,199,254,740,992 were written as text, because a cell would round them",
                "sheet \"S\", column \"n\": 1 integer beyond 9,007,199,254,740,992 was written as text, because a cell would round it",
                "sheet \"S\", column \"n\": 1 decimal with more digits than a cell holds was written as text",
            ])
    }

    @Test(arguments: [
        [""], ["  "], [String(repeating: "x", count: 101)], ["a\nb"], ["Ä", "ä"], ["Sheet", "sheet"], [],
    ])
    func refusesNames(names: [String]) {
        #expect(throws: SheetModelError.self) {
            try spreadsheet(names.map { Sheet(name: $0, columns: nil, rows: []) })
        }
    }

    @Test func takesTheNamesThatSheetsTakes() throws {
        let names = ["[a]*b?/\\:", "'", "=1", String(repeating: "x", count: 100), "A1", " a"]
        #expect(
            try written(spreadsheet(names.map { Sheet(name: $0, columns: nil, rows: []) })).tabs.map(\.title) == names)
    }

    @Test func refusesWhatGoogleDoesNotHold() throws {
        func code(_ sheets: [Sheet]) -> SheetModelError? {
            do { _ = try SpreadsheetPlan(spreadsheet(sheets)) } catch { return error as? SheetModelError }
            return nil
        }
        let wide = [JSON](repeating: nil, count: Limits.columns + 1)
        #expect(code([Sheet(name: "S", columns: nil, rows: [wide])])?.code == .tooManyColumns)
        #expect(code([Sheet(name: "S", columns: nil, rows: [Array(wide.dropLast())])]) == nil)
        #expect(code((0...200).map { Sheet(name: "S\($0)", columns: nil, rows: []) })?.code == .sheetCount)
        #expect(code((0..<200).map { Sheet(name: "S\($0)", columns: nil, rows: []) }) == nil)
        // 548 rows of 18,278 columns are above ten million cells, though nearly all are empty.
        let tall = [[JSON]](repeating: [], count: 547) + [Array(wide.dropLast())]
        let error = code([Sheet(name: "S", columns: nil, rows: tall)])
        #expect(error?.code == .tooManyCells)
        #expect(error?.message.contains("10,016,344") == true)
        let long = code([Sheet(name: "S", columns: [try Column(name: "a")], rows: [[1], [1, 2]])])
        #expect(long?.description == "sheet 1, row 2: has 2 values, but there is 1 column")
        let value = code([Sheet(name: "S", columns: [try Column(name: "a", type: .date)], rows: [[nil], ["x"]])])
        #expect(value?.place == .cell(row: 1, column: 0, sheet: 0))
    }

    @Test func sheetsThatStayCountToo() throws {
        let model = try spreadsheet([Sheet(name: "S", columns: nil, rows: [[1]])])
        let target = [
            ExistingSheet.ofNewSpreadsheet, ExistingSheet(id: 99, title: "Big", rows: 1_000_000, columns: 10),
        ]
        let error = try #require(throws: SheetModelError.self) { try SpreadsheetPlan(model, target: .new(target)) }
        #expect(error.code == .tooManyCells)
    }

    @Test func columnsRefuseFormatsAndWidthsThatCannotBeMeant() {
        for (format, type) in [("", ColumnType.number), ("a\nb", .number), ("EURO", .currency), ("eur", .currency)] {
            #expect(throws: SheetModelError.self) { try Column(name: "a", type: type, format: format) }
        }
        for width in [-1, 0, 9, 2_001] { #expect(throws: SheetModelError.self) { try Column(name: "a", width: width) } }
    }

    @Test(arguments: [
        ("EUR", "[$€]#,##0.00"), ("USD", "[$$]#,##0.00"), ("JPY", "[$¥]#,##0"), ("KWD", "[$KWD] #,##0.000"),
        ("CHF", "[$CHF] #,##0.00"), ("#,##0 \"kr\"", "#,##0 \"kr\""),
    ])
    func currencies(format: String, pattern: String) throws {
        let column = try Column(name: "a", type: .currency, format: format)
        let tab = try written(spreadsheet([Sheet(name: "S", columns: [column], rows: [["1"]])])).tabs[0]
        #expect(tab.formats[1]?[0]?["numberFormat"] == ["type": "CURRENCY", "pattern": .string(pattern)])
    }

    @Test func widthsFollowWhatTheColumnShows() throws {
        func width(_ value: JSON, _ type: ColumnType = .auto, name: String = "a") throws -> Int {
            let sheet = Sheet(name: "S", columns: [try Column(name: name, type: type)], rows: [[value]])
            return try written(spreadsheet([sheet])).tabs[0].widths[0] ?? 0
        }
        #expect(try width("x") == 60)
        #expect(try width(.string(String(repeating: "x", count: 5_000))) == 400)
        #expect(try width("twenty letters here.") < width(.string(String(repeating: "漢", count: 20))))
        #expect(try width("👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦") == width("1234567890123456"))
        #expect(try width(.string(String(repeating: "short\n", count: 50))) == 60)
        #expect(try width("2026-11-22T10:00:00Z", .datetime) > width("2026-11-22", .date))
        #expect(try width(nil, name: "a heading of some length") > 150)
    }
}
