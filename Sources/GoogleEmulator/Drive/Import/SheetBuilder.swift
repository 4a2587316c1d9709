import JSON

/// Fills a new spreadsheet with what an import reads.
struct SheetBuilder {
    private var spreadsheet: Spreadsheet
    private var sheets: [Sheet] = []
    private var formatNumbers: [JSON: UInt32] = [:]

    init(_ spreadsheet: Spreadsheet) { self.spreadsheet = spreadsheet }

    /// Begins the next sheet; imports have at least the size of a new one.
    mutating func begin(sheet title: String) {
        sheets.append(
            Sheet(id: Identifiers.number(), title: title, grid: Grid(rowCount: 1000, columnCount: 26)))
    }

    /// Sets a cell of the sheet begun last, which grows as needed.
    mutating func set(_ value: CellValue, format: JSON?, row: Int, column: Int) {
        let last = sheets.count - 1
        var cell = Cell()
        cell.value = value
        if let format { cell.format = number(of: format) }
        // Only the counts are read: a second reference to the grid would make each change copy it.
        let (rows, columns) = (sheets[last].grid.rowCount, sheets[last].grid.columnCount)
        if row >= rows || column >= columns {
            sheets[last].grid.resize(rowCount: max(rows, row + 1), columnCount: max(columns, column + 1))
        }
        sheets[last].grid.update(row: row) { $0[column] = cell }
    }

    /// Freezes rows and columns of the sheet begun last.
    mutating func freeze(rows: Int, columns: Int) {
        if rows > 0 { sheets[sheets.count - 1].gridProperties["frozenRowCount"] = JSON(rows) }
        if columns > 0 { sheets[sheets.count - 1].gridProperties["frozenColumnCount"] = JSON(columns) }
    }

    /// Sets the width in pixels of columns of the sheet begun last that lie in its grid.
    mutating func setWidth(_ pixels: Int, columns: Range<Int>) {
        let last = sheets.count - 1
        for column in columns.clamped(to: 0..<sheets[last].grid.columnCount) {
            sheets[last].columnProperties[column, default: JSONObject()]["pixelSize"] = JSON(pixels)
        }
    }

    /// The whole spreadsheet.
    mutating func finish() -> Spreadsheet {
        if sheets.isEmpty { begin(sheet: "Sheet1") }
        spreadsheet.sheets = sheets
        // Imports get the time zone of Google's head office rather than the account's.
        spreadsheet.timeZone = "America/Los_Angeles"
        return spreadsheet
    }

    private mutating func number(of format: JSON) -> UInt32 {
        if let number = formatNumbers[format] { return number }
        let number = spreadsheet.formats.number(of: format.object ?? JSONObject())
        formatNumbers[format] = number
        return number
    }
}
