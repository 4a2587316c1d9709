import JSON

/// Checks the rows of one sheet and makes lines of them, one row after another.
///
/// What is as usual is written as it came; only the rest becomes a `Cell` on its way.
struct RowChecker {
    private let sheet: Int
    private let columns: [Column]
    private let converters: [CellConverter]
    private var tally: WarningTally
    /// The rows that have been checked.
    private(set) var rows = RowBuffer()

    /// Makes a checker.
    ///
    /// - Parameter sheet: The index of the sheet, for errors.
    init(sheet: Int, columns: [Column], timeZone: TimeZoneRules) {
        self.sheet = sheet
        self.columns = columns
        converters = columns.map { CellConverter(type: $0.type, timeZone: timeZone) }
        tally = WarningTally(columns: columns.count)
    }

    /// Takes the next row, which is filled with empty cells where it is short.
    mutating func take(_ values: [JSON]) throws(SheetModelError) {
        guard values.count <= columns.count else {
            throw SheetModelError(
                .rowTooLong, at: .row(rows.count, sheet: sheet),
                "has \(values.count) \(values.count == 1 ? "value" : "values"), but there "
                    + (columns.count == 1 ? "is 1 column" : "are \(columns.count) columns"))
        }
        rows.lines.append(UInt8(ascii: "["))
        for column in columns.indices {
            if column > 0 { rows.lines.append(UInt8(ascii: ",")) }
            let value = column < values.count ? values[column] : JSON.null
            if !write(plain: value, as: columns[column].type) { try convert(value, column) }
        }
        rows.lines.append(UInt8(ascii: "]"))
        rows.endLine()
    }

    /// What was not taken over quite as it came, one for each column and kind.
    func warnings(sheet name: String) -> [ConversionWarning] {
        tally.warnings(sheet: name, columns: columns)
    }

    /// Writes a value as it came; false, with nothing written, where it is for its column's converter.
    private mutating func write(plain value: JSON, as type: ColumnType) -> Bool {
        switch value {
        case .null:
            rows.lines.append("null")
        case .bool(let truth):
            guard type == .auto || type == .boolean else { return false }
            rows.lines.append(truth ? "true" : "false")
        case .string(let text):
            // UTF-8 is never shorter than UTF-16.
            guard type == .auto || type == .text, text.utf8.count <= Limits.cellLength else { return false }
            if text.isEmpty { rows.lines.append("null") } else { rows.lines.appendString(text.utf8Span.span) }
        case .number(let number):
            guard type == .auto || type == .number || type == .currency || type == .percent else { return false }
            let text = number.text.utf8Span.span
            guard let plain = PlainNumeral(text) else { return false }
            rows.lines.append(text.extracting(0..<plain.count))
        case .array, .object: return false
        }
        return true
    }

    private mutating func convert(_ value: JSON, _ column: Int) throws(SheetModelError) {
        do throws(SheetModelError) {
            let (cell, warning) = try converters[column].convert(value)
            if let warning { tally.add(warning, column: column) }
            var writer = JSONWriter(reserving: 32)
            RowLine.write(cell, to: &writer)
            rows.lines.append(writer.bytes.span)
        } catch {
            throw SheetModelError(error.code, at: .cell(row: rows.count, column: column, sheet: sheet), error.message)
        }
    }
}
