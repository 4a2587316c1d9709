public import JSON

/// Checks the rows of one sheet and makes lines of them, one row after another.
public struct RowChecker: Sendable {
    private let sheet: Int
    private let columns: [Column]
    private let converters: [CellConverter]
    private var row = 0
    private var tally: WarningTally

    /// Makes a checker.
    ///
    /// - Parameter sheet: The index of the sheet, for errors.
    public init(sheet: Int, columns: [Column], timeZone: TimeZoneRules) {
        self.sheet = sheet
        self.columns = columns
        converters = columns.map { CellConverter(type: $0.type, timeZone: timeZone) }
        tally = WarningTally(columns: columns.count)
    }

    /// The line of the next row, which a short row fills with empty cells.
    public mutating func line(of values: [JSON]) throws(SheetModelError) -> [UInt8] {
        guard values.count <= columns.count else {
            throw SheetModelError(
                .rowTooLong, at: .row(row, sheet: sheet),
                "has \(values.count) \(values.count == 1 ? "value" : "values"), but there "
                    + (columns.count == 1 ? "is 1 column" : "are \(columns.count) columns"))
        }
        var cells = [Cell](repeating: Cell(.empty), count: columns.count)
        for (column, value) in values.enumerated() {
            do throws(SheetModelError) {
                let (cell, warning) = try converters[column].convert(value)
                cells[column] = cell
                if let warning { tally.add(warning, column: column) }
            } catch {
                throw SheetModelError(
                    error.code, at: .cell(row: row, column: column, sheet: sheet), error.message)
            }
        }
        row += 1
        var writer = JSONWriter(reserving: cells.count * 16)
        RowLine.write(cells, to: &writer)
        return writer.bytes
    }

    /// What was not taken over quite as it came, one for each column and kind.
    public func warnings(sheet name: String) -> [ConversionWarning] {
        tally.warnings(sheet: name, columns: columns)
    }
}
