import JSON
import Testing

@testable import SheetModel

@Suite struct TextRowWriterTests {
    private func line(
        _ cells: [(String?, TextForm, ColumnType)], zone: TimeZoneRules = .utc
    ) throws -> (text: String, warnings: [ConversionWarning]) {
        let columns = try cells.enumerated().map { (column: try Column(name: "c\($0)", type: $1.2), form: $1.1) }
        // Room for nothing, so that each write has to make it.
        var writer = TextRowWriter(sheet: 0, columns: columns, timeZone: zone, capacity: 0)
        writer.beginRow()
        for (text, _, _) in cells {
            if let text { try writer.append(text.utf8Span.span) } else { try writer.append(nil) }
        }
        writer.endRow()
        return (String(decoding: writer.bytes, as: UTF8.self), writer.warnings(sheet: "s"))
    }

    @Test func writesWhatJSONAllowsAsItIs() throws {
        for (text, form, type, written) in [
            ("-12", .integer, .number, "-12"), ("1.50", .decimal, .number, "1.50"),
            ("1e+20", .float, .number, "1e+20"), ("t", .boolean, .boolean, "true"),
            ("f", .boolean, .boolean, "false"), ("f", .boolean, .text, #""false""#), (nil, .text, .text, "null"),
            ("", .text, .text, "null"), ("a\"\\\u{1}\u{1f}\n", .text, .text, #""a\"\\\u0001\u001f\n""#),
            ("2026-11-22", .date, .date, "46348"), ("06:00:00", .time, .time, "0.25"),
            ("2026-11-22 12:00:00.25", .timestamp, .datetime, "46348.500002893517"),
            ("26:30:00", .time, .time, "1.1041666666666667"), ("24:00:00", .time, .time, "1"),
            ("null", .json, .auto, "null"), ("null", .json, .number, "null"), ("12.50", .json, .auto, "12.5"),
            (#""=1""#, .json, .auto, #""=1""#), ("true", .json, .auto, "true"), (#""x""#, .json, .text, #""x""#),
            (#"{"a": [1]}"#, .json, .auto, #""{\"a\": [1]}""#),
            ("-0", .float, .number, "0"), (#"{"text": "x"}"#, .text, .link, #"["x"]"#),
        ] as [(String?, TextForm, ColumnType, String)] {
            let (line, warnings) = try line([(text, form, type)])
            #expect(line == "[\(written)]\n")
            #expect(warnings.isEmpty, "\(warnings)")
        }
        let three = try line([("1", .integer, .number), (nil, .text, .text), ("x", .text, .text)])
        #expect(three.text == "[1,null,\"x\"]\n")
    }

    @Test func keepsTheDigitsOfNumbers() throws {
        for (text, form, type, written, warning) in [
            ("9007199254740992", .integer, .number, "9007199254740992", nil),
            ("-9007199254740992", .integer, .integer, "-9007199254740992", nil),
            ("9007199254740993", .integer, .number, #""9007199254740993""#, .longIntegerAsText),
            ("-9223372036854775808", .integer, .currency, #""-9223372036854775808""#, .longIntegerAsText),
            ("12345678901234567890", .decimal, .number, #""12345678901234567890""#, .longIntegerAsText),
            ("0.30000000000000000000", .decimal, .number, "0.3", nil),
            ("100.00000000000000000000", .decimal, .integer, "100", nil),
            ("0.1234567890123456", .decimal, .number, "0.1234567890123456", nil),
            ("3.33333333333333333", .decimal, .percent, #""3.33333333333333333""#, .longDecimalAsText),
        ] as [(String, TextForm, ColumnType, String, CellWarning?)] {
            let (line, warnings) = try line([(text, form, type)])
            #expect(line == "[\(written)]\n", "\(text)")
            #expect(warnings.map(\.kind) == (warning.map { [$0] } ?? []), "\(text): \(warnings)")
        }
    }

    @Test func whatIsNoNumberIsTextWithAWarning() throws {
        for (text, form, type) in [
            ("NaN", .float, .number), ("-Infinity", .decimal, .number), ("Infinity", .float, .integer),
            ("NaN", .decimal, .percent), ("NaN", .float, .boolean), ("NaN", .text, .date), ("NaN", .float, .auto),
        ] as [(String, TextForm, ColumnType)] {
            let (line, warnings) = try line([(text, form, type)])
            #expect(line == "[\"\(text)\"]\n")
            #expect(warnings.map(\.kind) == [.notANumberAsText], "\(text)")
        }
    }

    @Test func datesThatNoSheetHoldsAreTextWithAWarning() throws {
        for (text, form, type) in [
            ("infinity", .date, .date), ("-infinity", .timestamp, .datetime),
            ("infinity", .timestampWithOffset, .datetime),
            ("0044-03-15 BC", .date, .date), ("10000-01-01", .date, .date),
            ("12026-01-01 00:00:00", .timestamp, .datetime),
            ("2026-01-01 00:00:00+00 BC", .timestampWithOffset, .datetime),
            ("0044-03-15 10:00:00 BC", .timestamp, .datetime),
        ] as [(String, TextForm, ColumnType)] {
            let (line, warnings) = try line([(text, form, type)])
            #expect(line == "[\"\(text)\"]\n")
            #expect(warnings.map(\.kind) == [.dateAsText], "\(text)")
        }
    }

    /// The fast way and the converter's agree on every date and time, in zones with and without summer time.
    @Test func datesAreThoseOfTheConverter() throws {
        var random = SystemRandomNumberGenerator()
        for name in ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Monrovia"] {
            let zone = try TimeZoneRules(named: name)
            let columns = [
                (column: try Column(name: "a", type: .datetime), form: TextForm.timestampWithOffset),
                (column: try Column(name: "b", type: .datetime), form: TextForm.timestamp),
                (column: try Column(name: "c", type: .date), form: TextForm.date),
                (column: try Column(name: "d", type: .time), form: TextForm.time),
            ]
            var writer = TextRowWriter(sheet: 0, columns: columns, timeZone: zone, capacity: 1000)
            for _ in 0..<3000 {
                func padded(_ range: ClosedRange<Int>, _ width: Int = 2) -> String {
                    let digits = String(Int.random(in: range, using: &random))
                    return String(repeating: "0", count: width - digits.count) + digits
                }
                let year = Bool.random() ? padded(1...9999, 4) : padded(1960...2040, 4)
                let date = "\(year)-\(padded(1...12))-\(padded(1...28))"
                let fraction = ["", ".5", ".\(padded(1...999_999, 6))"].randomElement(using: &random) ?? ""
                let time = "\(padded(0...23)):\(padded(0...59)):\(padded(0...59))\(fraction)"
                let offset = ["+00", "+05:30", "-03:30:52", "-11"].randomElement(using: &random) ?? "+00"
                let texts = ["\(date) \(time)\(offset)", "\(date) \(time)", date, time]
                writer.removeAll()
                writer.beginRow()
                for text in texts { try writer.append(text.utf8Span.span) }
                writer.endRow()
                let line = try JSON(parsing: Array(writer.bytes))
                for (index, text) in texts.enumerated() {
                    let cell = try CellConverter(type: columns[index].column.type, timeZone: zone)
                        .convert(.string(text)).cell
                    #expect(cell.value == .number(line[index]?.double ?? .nan), "\(name): \(text)")
                }
            }
        }
    }

    @Test func refusesWithoutSayingTheValue() throws {
        for (text, type, message) in [
            ("soon", .date, "expected a date such as 2026-11-22, got a string"),
            (
                "2026-11-22 09:30:00", .date,
                "expected a date such as 2026-11-22, got a date with a time of day that is not "
                    + "midnight, which the type datetime takes"
            ),
            ("javascript:x", .link, "expected a URL that begins with https://, http:// or mailto:"),
            ("1.5", .integer, "expected a whole number, got a string"),
        ] as [(String, ColumnType, String)] {
            let error = #expect(throws: SheetModelError.self) { try line([(nil, .text, .text), (text, .text, type)]) }
            #expect(error?.place == .cell(row: 0, column: 1, sheet: 0))
            #expect(error?.message == message)
        }
        let error = #expect(throws: SheetModelError.self) {
            try line([(String(repeating: "x", count: 50_001), .text, .text)])
        }
        #expect(error?.code == .cellTooLong)
        // 50,000 of these have twice as many bytes.
        #expect(try line([(String(repeating: "é", count: 50_000), .text, .text)]).text.utf8.count == 100_005)
    }

    @Test func bytesThatAreNotUTF8AreMarked() throws {
        var writer = TextRowWriter(
            sheet: 0, columns: [(column: try Column(name: "a", type: .text), form: .text)], timeZone: .utc,
            checksEncoding: true, capacity: 8)
        writer.beginRow()
        let bytes: [UInt8] = [0x61, 0xFF, 0x62]
        try writer.append(bytes.span)
        writer.endRow()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[\"a\u{FFFD}b\"]\n")
    }
}
