import JSON
import Testing

@testable import GoogleEmulator

@Suite struct ModelTests {
    private static let shown: [(pattern: String, number: Double, text: String)] = [
        ("", 1.0, "1"), ("", 0.1 + 0.2, "0.3"), ("", 1.0 / 3, "0.3333333333"), ("", -12.5, "-12.5"),
        ("", 1e20, "1E+20"),
        ("", 123_456_789_012, "123456789012"), ("", -0.0, "0"), ("General", 5, "5"),
        ("0", 2.5, "3"), ("0.00", 1.005, "1.01"), ("0.00", 9.999, "10.00"), ("#,##0.00", 1_234_567.891, "1,234,567.89"),
        ("#,##0", -1234, "-1,234"), ("0000", 7, "0007"), ("#.##", 0.5, ".5"), ("0%", 0.256, "26%"),
        ("0.0%", 1, "100.0%"),
        ("[$€]#,##0.00", -3.5, "-€3.50"), ("[$$-409]#,##0.00;[red]([$$-409]#,##0.00)", -3.5, "($3.50)"),
        ("\"total \"0", 3, "total 3"), ("0.00E+00", 12_345, "1.23E+04"), ("0;-0;\"none\"", 0, "none"),
        ("0,", 12_345, "12"),
        ("yyyy-mm-dd", 45_658, "2025-01-01"), ("yyyy-mm-dd hh:mm:ss", 45_658.75, "2025-01-01 18:00:00"),
        ("m/d/yy h:mm am/pm", 45_658.5, "1/1/25 12:00 PM"), ("dddd, d mmmm yyyy", 1, "Sunday, 31 December 1899"),
        ("hh:mm:ss.000", 0.000_001_157_407_4, "00:00:00.100"), ("[h]:mm", 1.5, "36:00"),
        ("dd.mm.yyyy", 0, "30.12.1899"),
        ("mm:ss", 1.0 / 1440, "01:00"), ("yyyy-mm-dd", -1, "1899-12-29"),
    ]

    @Test(arguments: shown)
    func showsNumbers(pattern: String, number: Double, text: String) {
        #expect(NumberPattern(pattern).text(number) == text)
    }

    @Test func showsTypesWithoutAPattern() {
        #expect(NumberPattern(type: "PERCENT", pattern: nil).text(0.5) == "50.00%")
        #expect(NumberPattern(type: "DATE", pattern: "").text(45_658) == "1/1/2025")
        #expect(NumberPattern(type: "TEXT", pattern: nil).text(0.5) == "0.5")
    }

    @Test(arguments: [
        ("A1", "Sheet1!A1"), ("Sheet1!B2:C3", "Sheet1!B2:C3"), ("Sheet1", "Sheet1!A1:Z1000"),
        ("$A$1:$B2", "Sheet1!A1:B2"),
        ("C3:A1", "Sheet1!A1:C3"), ("2:3", "Sheet1!A2:Z3"), ("B:B", "Sheet1!B1:B1000"), ("A5:A", "Sheet1!A5:A1000"),
        ("'It''s'!A1", "'It''s'!A1"), ("It's!A1", "'It''s'!A1"), ("'A1'!B2", "'A1'!B2"), ("AAA1", "Sheet1!AAA1"),
    ])
    func readsAndWritesA1(text: String, normal: String) throws {
        let spreadsheet = try Self.spreadsheet(titles: ["Sheet1", "It's", "A1"])
        let range = try #require(A1.range(text, in: spreadsheet))
        let sheet = try #require(spreadsheet.sheets.first { $0.id == range.sheetID })
        let shown = range.startColumn == 702 ? range : range.bounded(by: sheet.grid)
        #expect(A1.text(shown, title: sheet.title) == normal)
    }

    @Test(arguments: ["", "NOPE!A1", "A0", "Sheet1!", "A1:B2:C3", "AAAA1", "!A1", "Sheet1!A1:", "1A"])
    func refusesWhatIsNoRange(text: String) throws {
        #expect(A1.range(text, in: try Self.spreadsheet(titles: ["Sheet1"])) == nil)
    }

    @Test func gridsForgetWhatFallsOutside() {
        var grid = Grid(rowCount: 1000, columnCount: 10)
        for row in [0, 255, 256, 999] {
            grid.update(row: row) { $0[9] = Cell(value: .number(Double(row))) }
        }
        #expect(grid.usedRowCount == 1000)
        #expect(grid.usedColumnCount == 10)
        let copy = grid
        grid.resize(rowCount: 256, columnCount: 10)
        #expect(grid.usedRowCount == 256)
        grid.resize(rowCount: 1000, columnCount: 9)
        #expect(grid.usedRowCount == 0)
        #expect(grid[255][9] == Cell())
        #expect(copy[999][9].value == .number(999))
    }

    @Test func cellsAreSmall() {
        #expect(MemoryLayout<Cell>.stride == 24)
    }

    @Test func masksSelectMergeAndComplain() throws {
        let value = try JSON(parsing: #"{"a":1,"b":{"c":2,"d":[{"e":3,"f":4}]},"g":5}"#)
        let cases = [
            ("a", #"{"a":1}"#), ("b/c", #"{"b":{"c":2}}"#), ("b(c,d/e),g", #"{"b":{"c":2,"d":[{"e":3}]},"g":5}"#),
            ("b.d.f", #"{"b":{"d":[{"f":4}]}}"#), ("*", value.description),
            ("b/*", #"{"b":{"c":2,"d":[{"e":3,"f":4}]}}"#),
            ("b/d/e,b/d/f", #"{"b":{"d":[{"e":3,"f":4}]}}"#), ("x", "{}"), ("a, g", #"{"a":1,"g":5}"#),
        ]
        for (mask, result) in cases { #expect(try FieldMask(mask).filter(value).description == result, "\(mask)") }
        for mask in ["", "a,", "a(", "a(b", "a)", "a//b", "(a)", "a b", String(repeating: "a(", count: 1000)] {
            #expect(throws: FieldMask.SyntaxError.self, "\(mask)") { try FieldMask(mask) }
        }
        var target = try #require(value.object)
        try FieldMask("b.c,g").merge(#require((["b": ["c": 9], "a": 9] as JSON).object), into: &target)
        #expect(JSON.object(target).description == #"{"a":1,"b":{"c":9,"d":[{"e":3,"f":4}]}}"#)
        let path = try FieldMask("files(id,nope)").unknownPath(in: .message("FileList"), schema: .drive, separator: "/")
        #expect(path == "files/nope")
    }

    @Test func schemasAreComplete() {
        for schema in [APISchema.drive, .sheets] {
            #expect(schema.types.count > 50)
            for type in schema.types.values {
                for field in type.fields.values { #expect(Self.isKnown(field, schema)) }
            }
            for method in schema.methods {
                #expect(method.request == nil || schema.types[method.request ?? ""] != nil)
                #expect(method.response == nil || schema.types[method.response ?? ""] != nil)
                #expect(!method.scopes.isEmpty)
            }
        }
        #expect(
            APISchema.drive.method(verb: "GET", segments: ["drive", "v3", "files", "generateIds"])?.method.id
                == "drive.files.generateIds")
        let append = APISchema.sheets.method(
            verb: "POST", segments: ["v4", "spreadsheets", "x", "values", "A1:B2:append"])
        #expect(append?.method.id == "sheets.spreadsheets.values.append")
        #expect(append?.variables["range"] == "A1:B2")
    }

    @Test(arguments: [
        ("2026-11-22T18:25:10.123Z", "2026-11-22T18:25:10.123Z"),
        ("2026-11-22T18:25:10+02:00", "2026-11-22T16:25:10.000Z"),
        ("1969-12-31T23:59:59.5", "1969-12-31T23:59:59.500Z"), ("2000-02-29", "2000-02-29T00:00:00.000Z"),
    ])
    func readsAndWritesTimes(text: String, normal: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == normal)
    }

    @Test func writesHTTPDatesAndRefusesOtherTimes() {
        #expect(Timestamp(milliseconds: 784_111_777_000).httpDate == "Sun, 06 Nov 1994 08:49:37 GMT")
        for text in ["", "yesterday", "2026-13-01", "2026-11-22T", "2026-11-22T18", "2026-11-22T18:25:10X1"] {
            #expect(Timestamp(rfc3339: text) == nil, "\(text)")
        }
    }

    @Test func theJournalForgetsButCounts() {
        var journal = Journal()
        for index in 0..<Journal.capacity + 10 {
            journal.record(
                .init(
                    time: index, api: .drive, method: "drive.files.get", account: nil, verb: "GET", path: "/",
                    status: 200,
                    bodyBytes: 0,
                    isFault: false))
        }
        #expect(journal.total == Journal.capacity + 10)
        #expect(journal.entries.count <= Journal.capacity)
        #expect(journal.entries.last?.time == Journal.capacity + 9)
    }

    private static func isKnown(_ type: FieldType, _ schema: APISchema) -> Bool {
        switch type {
        case .message(let name): schema.types[name] != nil
        case .list(let element), .map(let element): isKnown(element, schema)
        default: true
        }
    }

    private static func spreadsheet(titles: [String]) throws -> Spreadsheet {
        var spreadsheet = Spreadsheet(id: "x", title: "x")
        let requests = titles.filter { $0 != "Sheet1" }.map { title -> JSON in
            ["addSheet": ["properties": ["title": .string(title)]]]
        }
        if !requests.isEmpty { _ = try BatchUpdate.apply(requests, to: &spreadsheet) }
        return spreadsheet
    }
}
