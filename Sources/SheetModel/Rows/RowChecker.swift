import JSON

/// Checks the rows of one sheet and makes lines of them, one row after another.
///
/// What is as usual is written as it came; only the rest becomes a `Cell` on its way.
struct RowChecker {
    private let sheet: Int
    private let columns: [Column]
    private let converters: [CellConverter]
    private var tally: WarningTally
    /// The index of the column of each name; nil as long as no row was an object.
    private var places: [String: Int]?
    /// How many cells of the row that is being written are there.
    private var written = 0
    /// The rows that have been checked.
    private(set) var rows = RowBuffer()

    /// Makes a checker.
    ///
    /// - Parameters:
    ///   - sheet: The index of the sheet, for errors.
    ///   - count: How many rows will come, where that is known.
    init(sheet: Int, columns: [Column], timeZone: TimeZoneRules, rows count: Int = 0) {
        self.sheet = sheet
        self.columns = columns
        converters = columns.map { CellConverter(type: $0.type, timeZone: timeZone) }
        tally = WarningTally(columns: columns.count)
        rows.reserve(rows: count)
    }

    /// Takes the next row, an array or an object, which is filled with empty cells where it lacks some.
    mutating func take(_ row: JSON) throws(SheetModelError) {
        if rows.count.isMultiple(of: Self.rowsBetweenLooks) { try SheetModelError.checkCancellation() }
        written = 0
        rows.lines.append(UInt8(ascii: "["))
        switch row {
        case .array(let values): try take(values)
        case .text(let text): try take(Array(text))
        case .object(let members): try take(members)
        case .null, .bool, .number, .string:
            throw SheetModelError(
                .cellType, at: .row(rows.count, sheet: sheet), "expected an array or an object, got \(row.kind)")
        }
        fill(upTo: columns.count)
        rows.lines.append(UInt8(ascii: "]"))
        rows.endLine()
    }

    /// How many rows are taken between two looks whether the task is cancelled.
    private static let rowsBetweenLooks = 1_000

    private mutating func take(_ values: [JSON]) throws(SheetModelError) {
        guard values.count <= columns.count else {
            throw SheetModelError(
                .rowTooLong, at: .row(rows.count, sheet: sheet),
                "has \(values.count) \(values.count == 1 ? "value" : "values"), but there "
                    + (columns.count == 1 ? "is 1 column" : "are \(columns.count) columns"))
        }
        for (column, value) in values.enumerated() { try take(value, column) }
    }

    /// Brings the members of an object into the columns' order; of a repeated one the last counts.
    private mutating func take(_ members: JSONObject) throws(SheetModelError) {
        let places = places ?? Dictionary(columns.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { $1 })
        self.places = places
        let found = members.indices.compactMap { index in places[members[index].name].map { (column: $0, index: index) }
        }
        .sorted { ($0.column, $0.index) < ($1.column, $1.index) }
        for (place, member) in found.enumerated()
        where place + 1 == found.count || found[place + 1].column != member.column {
            try take(members[member.index].value, member.column)
        }
    }

    /// Writes a value behind empty cells up to its column; `null` becomes one of those that follow.
    private mutating func take(_ value: JSON, _ column: Int) throws(SheetModelError) {
        if case .null = value { return }
        fill(upTo: column)
        if column > 0 { rows.lines.append(UInt8(ascii: ",")) }
        if !write(plain: value, as: columns[column].type) { try convert(value, column) }
        written = column + 1
    }

    private mutating func fill(upTo column: Int) {
        guard written < column else { return }
        if written > 0 { rows.lines.append(UInt8(ascii: ",")) }
        rows.appendEmptyCells(column - written)
        written = column
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
        case .array, .text, .object: return false
        }
        return true
    }

    private mutating func convert(_ value: JSON, _ column: Int) throws(SheetModelError) {
        do throws(SheetModelError) {
            let (cell, warning) = try converters[column].convert(value)
            if let warning { tally.add(warning, column: column) }
            var writer = JSONWriter(reserving: 32)
            RowLine.write(cell, as: columns[column].type, to: &writer)
            rows.lines.append(writer.bytes.span)
        } catch {
            throw SheetModelError(error.code, at: .cell(row: rows.count, column: column, sheet: sheet), error.message)
        }
    }
}
