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
        // Numbers beyond 2^53 whose digits a double gives back.
        ("9007199254740994", .auto, .number(9_007_199_254_740_994)), ("1e16", .auto, .number(1e16)),
        ("10000000000000000", .number, .number(1e16)), (#""1e16""#, .integer, .number(1e16)),
        ("6.02214076e23", .number, .number(6.02214076e23)),
        ("602214076000000000000000", .auto, .number(6.02214076e23)),
        (#""602214076000000000000000""#, .currency, .number(6.02214076e23)), ("1e300", .integer, .number(1e300)),
        ("0.10000000000000001", .auto, .number(0.1)), ("46243308721314544", .auto, .number(46_243_308_721_314_544)),
        (#""2.2250738585072014e-308""#, .number, .number(2.2250738585072014e-308)),
        // Nothing is empty whatever the type.
        (#""""#, .number, .empty), (#""""#, .integer, .empty), (#""""#, .boolean, .empty), (#""""#, .date, .empty),
        (#""""#, .time, .empty), (#""""#, .datetime, .empty), (#""""#, .link, .empty), (#""""#, .formula, .empty),
        (#""""#, .currency, .empty), (#""""#, .percent, .empty),
        (#""NaN""#, .auto, .text("NaN")), (#""Infinity""#, .text, .text("Infinity")),
        // Dates with a time of midnight, and without any.
        (#""2026-05-02T00:00:00.000Z""#, .date, .number(46_144)), (#""2026-05-02 00:00:00""#, .date, .number(46_144)),
        (#""2026-05-02T00:00:00+02:00""#, .date, .number(46_144)), (#""2026-05-02""#, .datetime, .number(46_144)),
        // Times beyond a day.
        (#""24:00""#, .time, .number(1)), (#""26:30:00""#, .time, .number(26.5 / 24)),
        (#""126:00""#, .time, .number(5.25)),
        (#""-06:00:00""#, .time, .number(-0.25)), (#""1 day 06:00:00""#, .time, .number(1.25)),
        (#""2 days""#, .time, .number(2)), (#""1 day, 6:00:00""#, .time, .number(1.25)),
        (#""-1 days +06:00:00""#, .time, .number(-0.75)), (#""PT36H""#, .time, .number(1.5)),
        (#""P1DT6H""#, .time, .number(1.25)), (#""PT0.5S""#, .time, .number(0.5 / 86_400)),
        (#""true""#, .boolean, .boolean(true)), (#""F""#, .boolean, .boolean(false)), ("1", .boolean, .boolean(true)),
        ("0", .boolean, .boolean(false)), (#""1""#, .boolean, .boolean(true)), ("0.0", .boolean, .boolean(false)),
    ]
    @Test(arguments: conversions)
    func converts(json: String, type: ColumnType, expected: CellValue) throws {
        let (cell, warning) = try convert(json, type)
        #expect(cell == Cell(expected))
        #expect(warning == nil)
    }

    static let warnings: [(String, ColumnType, CellValue, CellWarning)] = [
        ("9007199254740993", .auto, .text("9007199254740993"), .longIntegerAsText),
        ("-12345678901234567890", .number, .text("-12345678901234567890"), .longIntegerAsText),
        (#""9007199254740993""#, .integer, .text("9007199254740993"), .longIntegerAsText),
        ("12345678901234567", .integer, .text("12345678901234567"), .longIntegerAsText),
        (#""NaN""#, .number, .text("NaN"), .notANumberAsText),
        (#""-Infinity""#, .integer, .text("-Infinity"), .notANumberAsText),
        (#""nan""#, .percent, .text("nan"), .notANumberAsText), (#""inf""#, .currency, .text("inf"), .notANumberAsText),
        (#""NaN""#, .date, .text("NaN"), .notANumberAsText), (#""NaN""#, .time, .text("NaN"), .notANumberAsText),
        (#""NaN""#, .boolean, .text("NaN"), .notANumberAsText), (#""NaN""#, .link, .text("NaN"), .notANumberAsText),
        (#""NaN""#, .formula, .text("NaN"), .notANumberAsText), (#""infinity""#, .date, .text("infinity"), .dateAsText),
        (#""-infinity""#, .datetime, .text("-infinity"), .dateAsText),
        (#""0044-03-15 BC""#, .date, .text("0044-03-15 BC"), .dateAsText),
        (#""+012026-01-01T00:00:00.000Z""#, .datetime, .text("+012026-01-01T00:00:00.000Z"), .dateAsText),
        (#""0.12345678901234567890""#, .number, .text("0.12345678901234567890"), .longDecimalAsText),
        (#""123456789012345.678""#, .currency, .text("123456789012345.678"), .longDecimalAsText),
        (#""1e400""#, .number, .text("1e400"), .longIntegerAsText),
        (#""1e-400""#, .number, .text("1e-400"), .longDecimalAsText),
        ("0.12345678901234567890", .auto, .text("0.12345678901234567890"), .longDecimalAsText),
        ("1e-400", .auto, .text("1e-400"), .longDecimalAsText),
        ("1e400", .auto, .text("1e400"), .longIntegerAsText),
    ]
    @Test(arguments: warnings)
    func warns(json: String, type: ColumnType, expected: CellValue, warning: CellWarning) throws {
        let result = try convert(json, type)
        #expect(result.cell == Cell(expected))
        #expect(result.warning == warning)
    }

    static let refusals: [(String, ColumnType, String)] = [
        (#""abc""#, .number, "expected a number, got a string"),
        (#"" 1""#, .number, "got a string"), (#""+1""#, .number, "expected a number"),
        (#""007""#, .integer, "whole number"),
        (#""1,5""#, .number, "expected a number"), (#""infinit""#, .number, "expected a number"),
        (#""0x1A""#, .number, "number"),
        (#""1e""#, .number, "expected a number"), (#""1.""#, .number, "number"), (#"".5""#, .number, "number"),
        (#""25%""#, .percent, "number"), ("true", .number, "got a boolean"), ("[1]", .integer, "got an array"),
        ("1.5", .integer, "expected a whole number, got a number with a fraction"),
        (#""1.5""#, .integer, "whole number"),
        (#""yes""#, .boolean, "expected true or false"), ("2", .boolean, "got a whole number"),
        ("0.5", .boolean, "got a number with a fraction"), (#""01""#, .boolean, "got a string"),
        ("20261122", .date, "got a whole number"),
        (#""2026-02-29""#, .date, "got a day that the calendar does not have"),
        (#""2026-05-02T09:30:00Z""#, .date, "a time of day that is not midnight, which the type datetime takes"),
        (#""02.05.2026""#, .date, "expected a date such as 2026-11-22, got a string"),
        (#""2026-05-02T25:00""#, .datetime, "a date with something else behind it"),
        (#""1 mon""#, .time, "a time such as"), (#""12:60""#, .time, "a time such as"),
        (#""P1M""#, .time, "a time such as"),
        (#""PT""#, .time, "a time such as"), (#""12345678:00""#, .time, "a time such as"),
        (#""a\u0000b""#, .text, "holds a NUL"), (##"["\u0000"]"##, .number, "got an array"),
        (#""https://a b""#, .link, "without a blank inside it"), (#""SUM(A1)""#, .formula, "begins with ="),
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
        (#"" https://e.org\n""#, "https://e.org", "https://e.org"),
        (#"{"url":"\u00a0https://e.org ","text":" x "}"#, "https://e.org", " x "),
        (#""{\"url\": \"https://e.org\", \"text\": \"x\"}""#, "https://e.org", "x"),
    ])
    func links(json: String, url: String, text: String) throws {
        #expect(try convert(json, .link).cell == Cell(.text(text), link: url))
    }

    @Test(arguments: [
        #""javascript:alert(1)""#, #""https://""#, #""https://a b""#, #""https://a\nb""#, #""https://a\u0001""#,
        #""//a""#,
        #"{"url":"data:x","text":"x"}"#, #"{"url":"https://a","txet":"x"}"#, #"{"url":1,"text":"x"}"#, #""{}x""#,
        #"{"url":"https://a","text":1}"#,
        #"["https://a"]"#, ##""#Sheet2""##,
    ])
    func refusesLinks(json: String) {
        #expect(throws: SheetModelError.self) { try convert(json, .link) }
    }

    @Test(arguments: [
        #"{"text":"x"}"#, #"{"url":null,"text":"x"}"#, #"{"url":" ","text":"x"}"#, #""{\"text\": \"x\"}""#,
    ])
    func aLinkWithoutAnAddressIsText(json: String) throws {
        #expect(try convert(json, .link).cell == Cell(.text("x")))
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
