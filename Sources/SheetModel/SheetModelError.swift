/// Why something cannot become a sheet, and where.
public struct SheetModelError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable name of a reason.
    public enum Code: String, Sendable, Hashable {
        case invalidReference = "a1.invalid"
        /// The task was cancelled in the middle of a long check.
        case cancelled
        case cellType = "cell.type"
        case cellTooLong = "cell.too_long"
        case columnFormat = "column.format"
        case columnWidth = "column.width"
        case columnNote = "column.note"
        case malformedCSV = "csv.malformed"
        case header = "sheet.header"
        case key = "sheet.key"
        case sheetName = "sheet.name"
        case rowTooLong = "sheet.row_too_long"
        case tooManyColumns = "sheet.too_many_columns"
        case sheetCount = "spreadsheet.sheet_count"
        case tooManyCells = "spreadsheet.too_many_cells"
        case tooManyFormats = "spreadsheet.too_many_formats"
        case template = "template.invalid"
        case unknownTimeZone = "time_zone.unknown"
    }

    /// The part of a spreadsheet that an error is about; every index counts from 0, rows without the header.
    public enum Place: Sendable, Hashable {
        case sheet(Int)
        case column(Int, sheet: Int)
        case row(Int, sheet: Int)
        case cell(row: Int, column: Int, sheet: Int)
    }

    /// The stable name of the reason.
    public let code: Code
    /// What it is about; nil where the caller knows.
    public let place: Place?
    /// What is wrong, as the part of a sentence that stands behind "place:"; never what a cell holds.
    public let message: String

    init(_ code: Code, at place: Place? = nil, _ message: String) {
        self.code = code
        self.place = place
        self.message = message
    }

    /// Ends a long check whose task is cancelled.
    static func checkCancellation() throws(SheetModelError) {
        if Task.isCancelled { throw SheetModelError(.cancelled, "the check was cancelled") }
    }

    /// One sentence, with the place as a person counts (from 1).
    public var description: String {
        switch place {
        case nil: message
        case .sheet(let sheet): "sheet \(sheet + 1): \(message)"
        case .column(let column, let sheet): "sheet \(sheet + 1), column \(column + 1): \(message)"
        case .row(let row, let sheet): "sheet \(sheet + 1), row \(row + 1): \(message)"
        case .cell(let row, let column, let sheet):
            "sheet \(sheet + 1), row \(row + 1), column \(column + 1): \(message)"
        }
    }
}
