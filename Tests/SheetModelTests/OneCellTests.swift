import JSON
import TestSupport
import Testing

@testable import SheetModel

/// One value becomes one cell, whether it comes in a payload's rows, from a query or in a CSV file.
@Suite struct OneCellTests {
    /// A value as each way spells it.
    private struct Value {
        let inline: JSON
        let queried: String
        let form: TextForm
        let field: String

        /// A text, which all ways spell alike.
        init(_ text: String, _ form: TextForm = .text) {
            (inline, queried, self.form, field) = (.string(text), text, form, text)
        }

        init(_ inline: JSON, _ queried: String, _ form: TextForm, field: String? = nil) {
            (self.inline, self.queried, self.form, self.field) = (inline, queried, form, field ?? queried)
        }
    }

    /// What became of a value.
    private enum Outcome: Equatable, CustomStringConvertible {
        case cell(Cell, [CellWarning])
        case refused(SheetModelError.Code)

        var description: String {
            switch self {
            case .cell(let cell, let warnings): "\(cell.value) \(cell.link ?? "") \(warnings)"
            case .refused(let code): "refused with \(code)"
            }
        }
    }

    private static let zone = try? TimeZoneRules(named: "America/St_Johns")

    private func outcome(_ column: Column, _ body: () throws -> ([UInt8], [ConversionWarning])) throws -> Outcome {
        do {
            let (line, warnings) = try body()
            return .cell(try RowDecoder([column]).cells(of: line[...])[0], warnings.map(\.kind))
        } catch let error as SheetModelError {
            return .refused(error.code)
        }
    }

    private func inline(_ value: JSON, _ column: Column) throws -> Outcome {
        try outcome(column) {
            var checker = RowChecker(sheet: 0, columns: [column], timeZone: try #require(Self.zone))
            try checker.take([value])
            return (Array(checker.rows.lines.bytes), checker.warnings(sheet: "S"))
        }
    }

    private func queried(_ value: Value, _ column: Column) throws -> Outcome {
        try outcome(column) {
            var writer = TextRowWriter(
                sheet: 0, columns: [(column, value.form)], timeZone: try #require(Self.zone), capacity: 64)
            writer.beginRow()
            try writer.append(value.queried.utf8Span.span)
            writer.endRow()
            return (Array(writer.bytes.dropLast()), writer.warnings(sheet: "S"))
        }
    }

    private func filed(_ value: Value, _ column: Column) throws -> Outcome {
        let field = value.field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
        let table = try CSVReader.table(from: Array("c\n\"\(field)\"\n".utf8), delimiter: UInt8(ascii: ","))
        let payload = try table.payload(types: ["c": column.type])
        return try inline(payload["rows"]?[0]?[0] ?? nil, column)
    }

    // MARK: Values

    private static func number(_ random: inout SeededGenerator) throws -> Value {
        let texts = [
            "0", "-1", "1e16", "6.02214076e23", "9007199254740993", "9007199254740994", "0.1", "12345678901234567890",
            "0.1234567890123456789", "1e300", "1e-300", "602214076000000000000000",
        ]
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
            let double = Double(bitPattern: .random(in: 0...UInt64.max, using: &random))
            guard double.isFinite else {
                return Value(double.isNaN ? "NaN" : double < 0 ? "-Infinity" : "Infinity", .float)
            }
            return Value(try JSON(parsing: double.description), double.description, .float)
        case 1:
            let whole = Int.random(in: .min ... .max, using: &random)
            return Value(JSON(whole), String(whole), .integer)
        case 2:
            let whole = Int.random(in: -1 << 53...1 << 53, using: &random)
            return Value(JSON(whole), String(whole), .decimal)
        case 3:
            let digits = (0..<Int.random(in: 1...25, using: &random)).map { _ in
                String(Int.random(in: 0...9, using: &random))
            }
            let text = "\(Int.random(in: -99...99, using: &random)).\(digits.joined())"
            return Value(try JSON(parsing: text), text, .decimal)
        case 4:
            let word = ["NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"].randomElement(using: &random) ?? ""
            return Value(word, [.float, .decimal, .text].randomElement(using: &random) ?? .text)
        case 5:
            let whole = Int.random(in: 1...999, using: &random)
            let text = "\(whole)" + String(repeating: "0", count: Int.random(in: 10...30, using: &random))
            return Value(try JSON(parsing: text), text, .decimal)
        default:
            let text = texts.randomElement(using: &random) ?? ""
            return Value(try JSON(parsing: text), text, .text)
        }
    }

    private static func two(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> String {
        let digits = String(Int.random(in: range, using: &random))
        return digits.utf8.count < 2 ? "0" + digits : digits
    }

    private static func date(_ random: inout SeededGenerator) -> String {
        let year = String(Int.random(in: 1...9999, using: &random))
        return String(repeating: "0", count: 4 - year.utf8.count) + year
            + "-\(two(1...12, &random))-\(two(1...29, &random))"
    }

    private static func clock(_ random: inout SeededGenerator) -> String {
        let fraction = ["", ".5", ".\(Int.random(in: 100_000...999_999, using: &random))"].randomElement(using: &random)
        return "\(two(0...23, &random)):\(two(0...59, &random)):\(two(0...59, &random))\(fraction ?? "")"
    }

    private static func day(_ random: inout SeededGenerator) -> Value {
        let date = date(&random)
        let beyond = ["infinity", "-infinity", "0044-03-15 BC", "12026-01-01", "NaN", "soon"]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return Value(beyond.randomElement(using: &random) ?? "", .date)
        case 1: return Value(.string("\(date)T00:00:00.000Z"), "\(date) 00:00:00+00", .timestampWithOffset)
        case 2: return Value(.string("\(date)T00:00:00"), "\(date) 00:00:00", .timestamp)
        case 3: return Value("\(date) \(clock(&random))", .timestamp)
        default: return Value(date, .date)
        }
    }

    private static func moment(_ random: inout SeededGenerator) -> Value {
        let (date, clock) = (date(&random), clock(&random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0: return Value(date, .date)
        // Clocks west of UTC show a day that no sheet holds in the first hours of year 1.
        case 6: return Value("0001-01-01 \(clock)+00", .timestampWithOffset)
        case 1: return Value(.string("\(date)T\(clock)Z"), "\(date) \(clock)+00", .timestampWithOffset)
        case 2: return Value(.string("\(date)T\(clock)-03:30"), "\(date) \(clock)-03:30", .timestampWithOffset)
        case 3: return Value("\(date) \(clock)+05:30", .text)
        case 4: return Value(["infinity", "-infinity", "NaN"].randomElement(using: &random) ?? "", .timestamp)
        default: return Value(.string("\(date)T\(clock)"), "\(date) \(clock)", .timestamp)
        }
    }

    private static func time(_ random: inout SeededGenerator) -> Value {
        let clock = clock(&random)
        return switch Int.random(in: 0..<5, using: &random) {
        case 0: Value("\(Int.random(in: 24...9_999, using: &random)):\(two(0...59, &random)):00", .text)
        case 1: Value("-\(clock)", .text)
        case 2: Value("\(Int.random(in: 2...400, using: &random)) days \(clock)", .text)
        case 3: Value("24:00:00", .time)
        default: Value(clock, .time)
        }
    }

    private static func text(_ random: inout SeededGenerator) -> String {
        let pieces = [
            "=1", "+", "-", "007", "é", "😀", " ", "\n", "\"", ",", ";", "NaN", "true", "{", "[1]", "\\", "x", "1e5", "",
        ]
        return (0..<Int.random(in: 0...4, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
            .joined()
    }

    private static func link(_ random: inout SeededGenerator) -> Value {
        let url = "https://example.org/\(Int.random(in: 0...999, using: &random))"
        let objects: [JSON] = [
            ["url": .string(url), "text": "x"], ["text": .string(text(&random))], ["url": .string(" \(url) ")],
            ["url": nil, "text": "=1"], ["url": "javascript:1"], ["txet": "x"], ["url": .string(url), "text": 7],
        ]
        let texts = [url, " \(url)\n", "NaN", "https://a b", "", "mailto:a@b.c", "x"]
        guard Bool.random(using: &random), let object = objects.randomElement(using: &random) else {
            return Value(texts.randomElement(using: &random) ?? "")
        }
        return Value(object, object.description, .text)
    }

    private static func value(_ type: ColumnType, _ random: inout SeededGenerator) throws -> Value {
        switch type {
        case .auto, .text: return Value(text(&random))
        case .number, .integer, .currency, .percent: return try number(&random)
        case .boolean:
            let truth = Bool.random(using: &random)
            let word = truth ? "true" : "false"
            let values = [
                Value(.bool(truth), truth ? "t" : "f", .boolean),
                Value(.bool(truth), truth ? "t" : "f", .boolean, field: word),
                Value(truth ? 1 : 0, truth ? "1" : "0", .integer), Value(word), Value(word.uppercased()), Value("2"),
                Value("NaN", .float),
            ]
            return values.randomElement(using: &random) ?? values[0]
        case .date: return day(&random)
        case .time: return time(&random)
        case .datetime: return moment(&random)
        case .link: return link(&random)
        case .formula: return Value(Bool.random(using: &random) ? "=\(text(&random))" : text(&random))
        }
    }

    @Test(arguments: ColumnType.allCases) func theThreeWaysGiveTheSameCell(type: ColumnType) throws {
        var random = SeededGenerator(seed: 18)
        let column = try Column(name: "c", type: type)
        var cells = 0
        for _ in 0..<1_000 {
            let value = try Self.value(type, &random)
            // A column of JSON holds the value as a payload does.
            let json = Value(value.inline, value.inline.description, .json)
            let outcomes = [
                try inline(value.inline, column), try queried(value, column), try filed(value, column),
                try queried(json, column),
            ]
            if case .cell = outcomes[0] { cells += 1 }
            guard outcomes.contains(where: { $0 != outcomes[0] }) else { continue }
            Issue.record("\(value): \(outcomes.map(\.description).joined(separator: " | "))")
        }
        #expect(cells > 300, "of 1,000 values \(cells) became cells")
    }
}
