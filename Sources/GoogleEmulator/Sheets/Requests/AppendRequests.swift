import JSON

/// The request that writes rows below those in use.
enum AppendRequests {
    @Sendable static func appendCells(
        _ request: JSON, rows: [[CellInput]], _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        if let id = request["tableId"]?.string { return try append(rows, toTable: id, request, &spreadsheet) }
        let sheet = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        let start = (row: spreadsheet.sheets[sheet].grid.rowCountWithValues, column: 0)
        let grid = spreadsheet.sheets[sheet].grid
        let width = rows.reduce(0) { max($0, $1.count) }
        spreadsheet.sheets[sheet].grid.resize(
            rowCount: max(grid.rowCount, start.row + rows.count), columnCount: max(grid.columnCount, width))
        // The limit is checked before anything is written into so large a grid.
        try BatchUpdate.checkSize(of: spreadsheet)
        return try CellRequests.updateCells(
            [
                "start": [
                    "sheetId": JSON(spreadsheet.sheets[sheet].id), "rowIndex": JSON(start.row),
                    "columnIndex": JSON(start.column),
                ],
                "fields": request["fields"] ?? "",
            ], rows: rows, &spreadsheet)
    }

    /// Writes rows from the first free row of a table's body on; where there are too few, cells of the table's columns are
    /// inserted at its end and before its footer, and what stands below is pushed down.
    private static func append(
        _ rows: [[CellInput]], toTable id: String, _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        guard
            let sheet = spreadsheet.sheets.firstIndex(where: { $0.tables.contains { $0["tableId"]?.string == id } }),
            let index = spreadsheet.sheets[sheet].tables.firstIndex(where: { $0["tableId"]?.string == id }),
            let range = spreadsheet.sheets[sheet].tables[index]["range"].flatMap({ try? GridRange($0) })
        else { throw RequestError("No table with id: \(id)") }
        let table = spreadsheet.sheets[sheet].tables[index]
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        guard rows.allSatisfy({ $0.count <= columns.count }) else {
            throw RequestError("Attempting to write beyond the last column of the table.")
        }
        let end = (range.endRow ?? 0) - (table["rowsProperties"]?["footerColorStyle"] == nil ? 0 : 1)
        var first = end
        while first > (range.startRow ?? 0) + 1, spreadsheet.sheets[sheet].grid.isFree(first - 1, columns) {
            first -= 1
        }
        let missing = first + rows.count - end
        if missing > 0 {
            let grid = spreadsheet.sheets[sheet].grid
            spreadsheet.sheets[sheet].grid.resize(rowCount: grid.rowCount + missing, columnCount: grid.columnCount)
            try BatchUpdate.checkSize(of: spreadsheet)
            let below = GridRange(sheetID: range.sheetID, rows: end..<end + missing, columns: columns)
            _ = try RangeRequests.insertRange(["range": below.json, "shiftDimension": "ROWS"], &spreadsheet)
            // Cells inserted before a footer are in the table already.
            spreadsheet.sheets[sheet].tables[index]["range"] =
                GridRange(
                    sheetID: range.sheetID, rows: (range.startRow ?? 0)..<(range.endRow ?? 0) + missing,
                    columns: columns
                ).json
            // What the grid grew by is left over only where nothing was pushed beyond its end.
            let used = max(spreadsheet.sheets[sheet].grid.usedRowCount, end + missing, grid.rowCount)
            spreadsheet.sheets[sheet].grid.resize(rowCount: used, columnCount: grid.columnCount)
        }
        return try CellRequests.updateCells(
            [
                "start": [
                    "sheetId": JSON(range.sheetID), "rowIndex": JSON(first), "columnIndex": JSON(columns.lowerBound),
                ],
                "fields": request["fields"] ?? "",
            ], rows: rows, &spreadsheet)
    }
}

extension Grid {
    /// Whether some cells of a row hold nothing but boxes that nobody has ticked.
    fileprivate func isFree(_ row: Int, _ columns: Range<Int>) -> Bool {
        let cells = self[row]
        return columns.allSatisfy { column in
            let isBox = cells.extras[column]?["dataValidation"]?["condition"]?["type"] == "BOOLEAN"
            return cells[column].value == .empty || isBox && cells[column].value == .boolean(false)
        }
    }

    /// The number of rows up to the last with a value.
    fileprivate var rowCountWithValues: Int {
        var row = usedRowCount
        while row > 0, !self[row - 1].cells.contains(where: { $0.value != .empty }) { row -= 1 }
        return row
    }
}
