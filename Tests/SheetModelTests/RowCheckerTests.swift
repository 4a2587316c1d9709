import JSON
import Testing

@testable import SheetModel

@Suite struct RowCheckerTests {
    private static let numbers = [
        "0", "-0", "0.0", "-0.0", "7", "-7", "5.0", "5.50", "100", "100.00", "0.5", "-0.50", "0.05", "0.0001",
        "0.00001",
        "-12.340", "1e3", "1E-7", "1.5e300", "1e400", "123456789012345", "1234567890123456", "9007199254740993",
        "99999999999999.9", "0.30000000000000004", "0.1234567890123456789", "-1234567.25", "1234567.8912340",
    ]
    private static let texts = [
        "", "plain", "=1+1", "a\"b\\c", "two\nlines\r\ttab", "\u{1}\u{1F}\u{7F}", "é ü 漢字 😀", "12.50", "true", "-7",
        String(repeating: "x", count: Limits.cellLength), String(repeating: "é", count: Limits.cellLength),
    ]

    /// The line of a single value as it is by way of a cell.
    private func converted(_ value: JSON, as type: ColumnType) throws -> String {
        let (cell, _) = try CellConverter(type: type, timeZone: .utc).convert(value)
        var writer = JSONWriter()
        writer.array { RowLine.write(cell, as: type, to: &$0) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private func checked(_ value: JSON, as type: ColumnType) throws -> String {
        var checker = RowChecker(sheet: 0, columns: [try Column(name: "c", type: type)], timeZone: .utc)
        try checker.take([value])
        return String(decoding: checker.rows.lines.bytes, as: UTF8.self)
    }

    @Test(arguments: ColumnType.allCases) func theQuickWayWritesWhatACellWould(type: ColumnType) throws {
        var values: [JSON] = try Self.numbers.map { try JSON(parsing: $0) } + Self.texts.map(JSON.string)
        values += [nil, true, false, [1, "a"], ["url": "https://a.b", "text": "go"]]
        for value in values {
            let wanted = Result { try converted(value, as: type) }
            let found = Result { try checked(value, as: type) }
            switch (wanted, found) {
            case (.success(let wanted), .success(let found)):
                #expect(found == wanted, "\(value.description.prefix(40))")
            case (.failure(let wanted as SheetModelError), .failure(let found as SheetModelError)):
                #expect(found.message == wanted.message && found.place == .cell(row: 0, column: 0, sheet: 0))
            default: Issue.record("\(value.description.prefix(40)): \(found) where \(wanted) was expected")
            }
        }
    }

    @Test func manyDecimalsAreSpelledAsTheirDoublesAre() throws {
        for number in stride(from: -4_000_000, through: 4_000_000, by: 12_373) {
            for places in 0...9 {
                let digits = String(number.magnitude)
                let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
                let text =
                    (number < 0 ? "-" : "") + padded.dropLast(places) + (places > 0 ? "." : "") + padded.suffix(places)
                let value = try JSON(parsing: text)
                #expect(try checked(value, as: .number) == converted(value, as: .number), "\(text)")
            }
        }
    }

    @Test func aNumberIsPlainWhereItsDoubleIsSpelledAlike() throws {
        let plain = [
            ("0", 1, 1), ("0.0", 1, 1), ("12", 2, 2), ("-12.340", 6, 3), ("5.0", 1, 1), ("0.50", 3, 1), ("100", 3, 3),
        ]
        for (text, count, wholeCount) in plain {
            let numeral = PlainNumeral(text.utf8Span.span)
            #expect(
                numeral?.count == count && numeral?.wholeCount == wholeCount, "\(text): \(String(describing: numeral))")
        }
        for text in ["-0", "-0.0", "1e3", "1E3", "0.00001", "1234567890123456"] {
            #expect(PlainNumeral(text.utf8Span.span) == nil, "\(text)")
        }
    }

    @Test func aColumnIsAsWideAsItsCellsWhateverTheirSpelling() throws {
        // Of each pair both are equally wide; the second one has to be read to be measured.
        let pairs: [(JSON, JSON, ColumnType)] = [
            (.string(String(repeating: "a", count: 30)), .string(String(repeating: "é", count: 30)), .text),
            (.string(String(repeating: "a", count: 80)), .string("\n" + String(repeating: "a", count: 80)), .auto),
            ("https://a.example/abc", ["url": "https://b.example", "text": "https://a.example/abc"], .link),
            (0.25, 0.05, .auto), (-0.25, -0.05, .percent), (7.25, 0.05, .currency),
            (1_234_567.890625, 1_234_567.123456789, .number), (1_234_567, 0.0123456, .auto),
        ]
        for (one, other, type) in pairs {
            let column = try Column(name: "c", type: type)
            let widths = try [one, other].map { value in
                let sheet = Sheet(name: "S", columns: [column], rows: [[value]])
                return ColumnWidths.pixels(of: try CheckedSheet(sheet, index: 0, timeZone: .utc), template: [])
            }
            #expect(widths[0] == widths[1] && widths[0][0] >= 60, "\(one), \(other): \(widths)")
        }
    }

    @Test func missingCellsCostNothing() throws {
        let columns = try (0..<Limits.columns).map { try Column(name: "c\($0)") }
        var checker = RowChecker(sheet: 0, columns: columns, timeZone: .utc)
        let rows: [JSON] = [
            [], [1], [nil, nil], [nil, 2], [:], ["c18277": 3], ["c5": "x", "c7": "\u{1}", "c2": nil],
        ]
        for row in rows { try checker.take(row) }
        // A row takes what it says, and some bytes for each gap.
        #expect(checker.rows.lines.count < 200)
        var cursor = checker.rows.cursor(from: 0)
        let decoder = RowDecoder(columns)
        for row in rows {
            let line = try #require(try cursor.next())
            #expect(try JSON(parsing: Array(line)).array?.count == Limits.columns)
            let cells = try decoder.cells(of: line)
            for (index, cell) in cells.enumerated() {
                let value = (row.object == nil ? row[index] : row["c\(index)"]) ?? nil
                let wanted = try CellConverter(type: .auto, timeZone: .utc).convert(value).cell
                guard cell != wanted else { continue }
                Issue.record("column \(index) of \(row): \(cell) instead of \(wanted)")
            }
        }
        #expect(try cursor.next() == nil)
    }
}
