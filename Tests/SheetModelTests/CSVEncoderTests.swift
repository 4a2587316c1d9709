import Arithmetic
import JSON
import Testing

@testable import SheetModel

@Suite struct CSVEncoderTests {
    private func csv(_ cells: [(JSON, ColumnType)]) throws -> String {
        let columns = try cells.map { try Column(name: "c", type: $0.1) }
        var checker = RowChecker(sheet: 0, columns: columns, timeZone: .utc)
        try checker.take(.array(cells.map(\.0)))
        return String(decoding: try CSVEncoder(columns: columns).row(checker.rows.lines.bytes[...]), as: UTF8.self)
    }

    @Test func textIsQuotedAndNeverAFormula() throws {
        for (text, written) in [
            ("plain", "plain"), ("a,b", "a,b"), ("q\"q", "q\"\"q"), ("two\nlines", "two\nlines"),
            ("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("\tx", "'\tx"), ("\rx", "'\rx"),
            ("\n=1", "'\n=1"), ("\r\n=1", "'\r\n=1"), ("=a,b", "'=a,b"), ("é", "é"), ("1", "1"),
        ] {
            #expect(try csv([(.string(text), .text)]) == "\"\(written)\"\r\n", "\(text)")
        }
        #expect(try csv([("=A1", .formula)]) == "\"'=A1\"\r\n")
        #expect(
            try csv([(["url": "https://a.b", "text": "go"], .link), ("https://a.b", .link)])
                == "\"go <https://a.b>\",\"https://a.b\"\r\n")
    }

    @Test func valuesAreThoseOfTheirColumns() throws {
        #expect(
            try csv([
                (-2.5, .number), (1, .integer), (nil, .text), (true, .boolean), (0.25, .percent),
                ("12.50", .currency), ("2026-11-22", .date), ("09:30:15.25", .time), ("2026-11-22T09:30:00", .datetime),
                ("1815-12-10", .date), ("0001-01-01", .date), ("9999-12-31T23:59:59.125", .datetime),
            ])
                == [
                    "-2.5", "1", "", "TRUE", "0.25", "12.5", "2026-11-22", "09:30:15.25", "2026-11-22 09:30:00",
                    "1815-12-10", "0001-01-01", "9999-12-31 23:59:59.125",
                ].map { "\"\($0)\"" }.joined(separator: ",") + "\r\n")
    }

    @Test func everyDayComesBack() {
        for days in stride(from: -719_162, through: 2_932_896, by: 97) {
            #expect(CivilDate(daysSinceEpoch: days).daysSinceEpoch == days)
        }
    }
}
