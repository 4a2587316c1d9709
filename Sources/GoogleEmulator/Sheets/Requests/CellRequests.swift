import JSON

/// The requests that write cells.
enum CellRequests {
    @Sendable static func updateCells(
        _ request: JSON, rows: [[CellInput]], _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let change = CellChange(fields: try BatchUpdate.fields(request, of: "CellData"))
        if let start = request["start"] {
            let index = try spreadsheet.grid(start["sheetId"]?.int ?? 0)
            guard start["rowIndex"]?.int ?? 0 >= 0, start["columnIndex"]?.int ?? 0 >= 0 else {
                throw RequestError("GridCoordinate.rowIndex and columnIndex must not be negative.")
            }
            try write(
                rows, change, row: start["rowIndex"]?.int ?? 0, column: start["columnIndex"]?.int ?? 0,
                to: &spreadsheet.sheets[index], &spreadsheet.formats)
        } else if let range = request["range"] {
            let range = try GridRange(range)
            let index = try spreadsheet.grid(range.sheetID)
            try fill(rows, change, range, &spreadsheet.sheets[index], &spreadsheet.formats)
        } else {
            throw RequestError("Must set one of 'start' or 'range'.")
        }
        return [:]
    }

    @Sendable static func repeatCell(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let change = CellChange(fields: try BatchUpdate.fields(request, of: "CellData"))
        guard let json = request["range"] else { throw RequestError("The range is required.") }
        let range = try GridRange(json)
        let index = try spreadsheet.grid(range.sheetID)
        try check(range, in: spreadsheet.sheets[index])
        var content = try change.content(request["cell"] ?? [:])
        let rows = range.rows(in: spreadsheet.sheets[index].grid)
        let columns = range.columns(in: spreadsheet.sheets[index].grid)
        var formats = spreadsheet.formats
        for row in rows {
            spreadsheet.sheets[index].grid.update(row: row) { row in
                for column in columns { change.apply(&content, to: &row, column: column, formats: &formats) }
            }
        }
        spreadsheet.formats = formats
        return [:]
    }

    /// The cells that a request means, which must begin in the grid; the sheet by its place.
    static func area(
        _ json: JSON?, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> (sheet: Int, range: GridRange) {
        guard let json else { throw RequestError("The range is required.") }
        let range = try GridRange(json)
        let index = try spreadsheet.grid(range.sheetID)
        try check(range, in: spreadsheet.sheets[index])
        return (index, range)
    }

    /// A range may end outside the grid, but not begin there.
    static func check(_ range: GridRange, in sheet: Sheet) throws(RequestError) {
        guard range.startRow ?? 0 < sheet.grid.rowCount, range.startColumn ?? 0 < sheet.grid.columnCount else {
            throw RequestError(
                "Range (\(A1.text(range, title: sheet.title))) exceeds grid limits. Max rows: \(sheet.grid.rowCount), "
                    + "max columns: \(sheet.grid.columnCount)")
        }
    }

    /// Writes rows from a cell on; each as far as it goes.
    private static func write(
        _ rows: [[CellInput]], _ change: CellChange, row firstRow: Int, column firstColumn: Int, to sheet: inout Sheet,
        _ formats: inout FormatTable
    ) throws(RequestError) {
        try checkEnd(firstRow + rows.count, sheet.grid.rowCount, "row")
        for (offset, cells) in rows.enumerated() {
            try checkEnd(firstColumn + cells.count, sheet.grid.columnCount, "column")
            try write(cells, change, row: firstRow + offset, column: firstColumn, &sheet.grid, &formats)
        }
    }

    /// Fills a range; cells of it that the rows do not reach lose the fields.
    private static func fill(
        _ rows: [[CellInput]], _ change: CellChange, _ range: GridRange, _ sheet: inout Sheet,
        _ formats: inout FormatTable
    ) throws(RequestError) {
        try check(range, in: sheet)
        let rowRange = range.rows(in: sheet.grid)
        let columnRange = range.columns(in: sheet.grid)
        try checkEnd(rowRange.lowerBound + rows.count, rowRange.upperBound, "row")
        for row in rowRange {
            let offset = row - rowRange.lowerBound
            var cells = offset < rows.count ? rows[offset] : []
            try checkEnd(columnRange.lowerBound + cells.count, columnRange.upperBound, "column")
            if cells.isEmpty, sheet.grid[row].isBlank { continue }
            while cells.count < columnRange.count { cells.append(.value(.empty)) }
            try write(cells, change, row: row, column: columnRange.lowerBound, &sheet.grid, &formats)
        }
    }

    private static func write(
        _ cells: [CellInput], _ change: CellChange, row: Int, column: Int, _ grid: inout Grid,
        _ formats: inout FormatTable
    ) throws(RequestError) {
        guard !cells.isEmpty else { return }
        try grid.update(row: row) { (row) throws(RequestError) in
            row.reserve(column + cells.count)
            for (offset, cell) in cells.enumerated() {
                try change.apply(cell, to: &row, column: column + offset, formats: &formats)
            }
        }
    }

    private static func checkEnd(_ end: Int, _ limit: Int, _ name: String) throws(RequestError) {
        guard end > limit else { return }
        throw RequestError("Attempting to write \(name): \(limit), beyond the last requested \(name) of: \(limit - 1)")
    }
}
