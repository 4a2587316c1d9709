import JSON
import SheetModel
import Testing

@Suite struct CellConverterTests {
    private func convert(_ json: String, _ type: ColumnType) throws -> (cell: Cell, warning: CellWarning?) {
        try CellConverter(type: type, timeZone: .utc).convert(JSON(parsing: json))
    }

    static let conversions: [(String, ColumnType, CellValue)] = [
        ("null", .auto, .empty), ("null", .formula, .empty), (#""""#, .auto, .empty), (#""""#, .text, .empty),
        (#""2026-11-22""#, .auto, .text("2026-11-22")), (#""=1+1""#, .auto, .text("=1+1")),
        (#""=1+1""#, .text, .text("=1+1")), (#""12""#, .auto, .text("12")), ("12", .auto, .number(12)),
        ("-0.5", .auto, .number(-0.5)), ("true", .auto, .boolean(true)), ("false", .boolean, .boolean(false)),
        (#"[1,{"a":null}]"#, .auto, .text(#"[1,{"a":null}]"#)), (#"{"a": [1, "ü"]}"#, .text, .text(#"{"a":[1,"ü"]}"#)),
        ("1.50", .text, .text("1.50")), ("12345678901234567", .text, .text("12345678901234567")),
        ("true", .text, .text("true")),
        ("9007199254740992", .auto, .number(9_007_199_254_740_992)),
        ("-9007199254740992", .integer, .number(-9_007_199_254_740_992)),
        (#""12.50""#, .number, .number(12.5)), (#""-0.10""#, .currency, .number(-0.1)),
        (#""1e3""#, .number, .number(1000)),
        (#""12""#, .integer, .number(12)), ("12.0", .integer, .number(12)), ("1e3", .integer, .number(1000)),
        (#""0.25""#, .percent, .number(0.25)), (#""0.30000000000000004""#, .number, .number(0.30000000000000004)),
        (#""4.0000000000000000""#, .number, .number(4)), (#""0.00""#, .number, .number(0)),
        (#""1899-12-30""#, .date, .number(0)), (#""12:00""#, .time, .number(0.5)),
        (#""=SUM(A1:A2)""#, .formula, .formula("=SUM(A1:A2)")),
    ]
    @Test(arguments: conversions)
    func converts(json: String, type: ColumnType, expected: CellValue) throws {
        let (cell, warning) = try convert(json, type)
        #expect(cell == Cell(expected))
        #expect(warning == nil)
    }

    static let warnings: [(String, ColumnType, CellValue, CellWarning)] = [
        ("9007199254740993", .auto, .text("9007199254740993"), .longIntegerAsText),
        ("9007199254740994", .auto, .text("9007199254740994"), .longIntegerAsText),
        ("-12345678901234567890", .number, .text("-12345678901234567890"), .longIntegerAsText),
        (#""9007199254740993""#, .integer, .text("9007199254740993"), .longIntegerAsText),
        ("1e300", .integer, .text("1e300"), .longIntegerAsText),
        (#""0.12345678901234567890""#, .number, .text("0.12345678901234567890"), .longDecimalAsText),
        (#""123456789012345.678""#, .currency, .text("123456789012345.678"), .longDecimalAsText),
        (#""1e400""#, .number, .text("1e400"), .longIntegerAsText),
        (#""1e-400""#, .number, .text("1e-400"), .longDecimalAsText),
        ("0.12345678901234567890", .auto, .number(0.12345678901234568), .rounded),
        ("1e-400", .auto, .number(0), .rounded),
        ("1e400", .auto, .text("1e400"), .longDecimalAsText),
    ]
    @Test(arguments: warnings)
    func warns(json: String, type: ColumnType, expected: CellValue, warning: CellWarning) throws {
        let result = try convert(json, type)
        #expect(result.cell == Cell(expected))
        #expect(result.warning == warning)
    }

    static let refusals: [(String, ColumnType, String)] = [
        (#""abc""#, .number, "expected a number, got a string"),
        (#""""#, .number, "expected a number, got an empty string"),
        (#"" 1""#, .number, "got a string"), (#""+1""#, .number, "expected a number"),
        (#""007""#, .integer, "whole number"),
        (#""1,5""#, .number, "expected a number"), (#""NaN""#, .number, "expected a number"),
        (#""0x1A""#, .number, "number"),
        (#""1e""#, .number, "expected a number"), (#""1.""#, .number, "number"), (#"".5""#, .number, "number"),
        (#""25%""#, .percent, "number"), ("true", .number, "got a boolean"), ("[1]", .integer, "got an array"),
        ("1.5", .integer, "expected a whole number, got a number with a fraction"),
        (#""1.5""#, .integer, "whole number"),
        (#""true""#, .boolean, "expected true or false"), ("1", .boolean, "got a whole number"),
        ("20261122", .date, "got a whole number"),
        (#""2026-02-29""#, .date, "expected a date such as"), (#""24:00""#, .time, "a time such as"),
        (#""2026-11-22""#, .datetime, "a date and time such as"), (#""SUM(A1)""#, .formula, "begins with ="),
        ("1", .formula, "begins with ="), (#""ftp://x""#, .link, "https://"), ("1", .link, "expected a URL"),
    ]
    @Test(arguments: refusals)
    func refuses(json: String, type: ColumnType, part: String) throws {
        let error = try #require(throws: SheetModelError.self) { try convert(json, type) }
        #expect(error.code == .cellType)
        #expect(error.description.contains(part), "\(error)")
    }

    /// What a cell holds is somebody's data: it has no place in errors, which are kept, shown and logged.
    @Test func noRefusalShowsTheValue() throws {
        let values = [#""canary 4711""#, "4711.25", #"["canary"]"#, #"{"url":"canary 4711"}"#]
        var refused = 0
        for type in ColumnType.allCases {
            for value in values {
                do { _ = try convert(value, type) } catch {
                    refused += 1
                    #expect(
                        !"\(error)".contains("canary") && !"\(error)".contains("4711"), "\(type) \(value): \(error)")
                }
            }
        }
        #expect(refused > 25, "\(refused) refusals")
    }

    @Test(arguments: [
        (#""https://example.org/?q=%22""#, "https://example.org/?q=%22", "https://example.org/?q=%22"),
        (#""HTTP://EXAMPLE.ORG""#, "HTTP://EXAMPLE.ORG", "HTTP://EXAMPLE.ORG"),
        (#"{"url":"mailto:a@b.c","text":"=write()"}"#, "mailto:a@b.c", "=write()"),
        (#"{"url":"https://e.org","text":null}"#, "https://e.org", "https://e.org"),
        (#"{"url":"https://e.org","text":""}"#, "https://e.org", "https://e.org"),
    ])
    func links(json: String, url: String, text: String) throws {
        #expect(try convert(json, .link).cell == Cell(.text(text), link: url))
    }

    @Test(arguments: [
        #""javascript:alert(1)""#, #""https://""#, #""https://a b""#, #""https://a\nb""#, #"" https://a""#, #""//a""#,
        #"{"url":"data:x","text":"x"}"#, #"{"text":"x"}"#, #"{"url":"https://a","txet":"x"}"#,
        #"{"url":"https://a","text":1}"#,
        #"["https://a"]"#, ##""#Sheet2""##, #""""#,
    ])
    func refusesLinks(json: String) {
        #expect(throws: SheetModelError.self) { try convert(json, .link) }
    }

    @Test func countsCharactersAsGoogleDoes() throws {
        let converter = CellConverter(type: .auto, timeZone: .utc)
        let emoji = String(repeating: "😀", count: 25_000)
        #expect(try converter.convert(.string(emoji)).cell.value == .text(emoji))
        let accents = String(repeating: "é", count: 50_000)
        #expect(try converter.convert(.string(accents)).cell.value == .text(accents))
        let error = try #require(throws: SheetModelError.self) { try converter.convert(.string(emoji + "x")) }
        #expect(error.code == .cellTooLong)
        #expect(error.message.contains("50,000") && error.message.contains("50,001"))
        let formula = "=" + String(repeating: "1", count: 50_000)
        #expect(throws: SheetModelError.self) {
            try CellConverter(type: .formula, timeZone: .utc).convert(.string(formula))
        }
        #expect(throws: SheetModelError.self) { try converter.convert([.string(emoji)]) }
    }

    @Test func everyDoubleAndEveryAmountIsHeldExactly() throws {
        let converter = CellConverter(type: .number, timeZone: .utc)
        for _ in 0..<2_000 {
            let double = Double(bitPattern: .random(in: 0...UInt64.max))
            if double.isFinite, double.magnitude < 9e15 {
                let result = try converter.convert(.string(double.description))
                #expect(result.cell.value == .number(double))
                #expect(result.warning == nil)
            }
            let cents = Int.random(in: 0...99_999_999_999_999)
            let rest = cents % 100
            let amount = "\(cents / 100).\(rest < 10 ? "0" : "")\(rest)"
            let result = try converter.convert(.string(amount))
            #expect(result.cell.value == .number(Double(cents) / 100), "\(amount)")
            #expect(result.warning == nil)
        }
    }

    @Test func nothingButAFormulaColumnMakesAFormula() throws {
        let values: [JSON] = [
            "=1", "+1", "-1", "@x", "=HYPERLINK(\"x\")", ["=1"], ["=": "=1"], ["url": "https://a", "text": "=1"],
        ]
        for type in ColumnType.allCases where type != .formula {
            for value in values {
                guard let cell = try? CellConverter(type: type, timeZone: .utc).convert(value).cell else { continue }
                if case .formula = cell.value { Issue.record("\(type) made a formula of \(value)") }
            }
        }
    }
}
