import JSON

/// The request that writes rows below those in use.
enum AppendRequests {
    @Sendable static func appendCells(
        _ request: JSON, rows: [[CellInput]], _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        var sheet = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        var start = (row: 0, column: 0)
        var table: Int?
        if let id = request["tableId"]?.string {
            guard
                let place = spreadsheet.sheets.firstIndex(where: { $0.tables.contains { $0["tableId"]?.string == id } }
                ),
                let index = spreadsheet.sheets[place].tables.firstIndex(where: { $0["tableId"]?.string == id }),
                let range = spreadsheet.sheets[place].tables[index]["range"].flatMap({ try? GridRange($0) })
            else { throw RequestError("No table with id: \(id)") }
            sheet = place
            table = index
            start = (range.endRow ?? 0, range.startColumn ?? 0)
        } else {
            start.row = spreadsheet.sheets[sheet].grid.rowCountWithValues
        }
        let grid = spreadsheet.sheets[sheet].grid
        let width = rows.reduce(0) { max($0, $1.count) }
        spreadsheet.sheets[sheet].grid.resize(
            rowCount: max(grid.rowCount, start.row + rows.count),
            columnCount: max(grid.columnCount, start.column + width))
        // The limit is checked before anything is written into so large a grid.
        try BatchUpdate.checkSize(of: spreadsheet)
        if let table, !rows.isEmpty {
            spreadsheet.sheets[sheet].tables[table] =
                spreadsheet.sheets[sheet].tables[table].mappingRanges { range in
                    var range = range
                    range.endRow = start.row + rows.count
                    return range
                } ?? spreadsheet.sheets[sheet].tables[table]
        }
        return try CellRequests.updateCells(
            [
                "start": [
                    "sheetId": JSON(spreadsheet.sheets[sheet].id), "rowIndex": JSON(start.row),
                    "columnIndex": JSON(start.column),
                ],
                "fields": request["fields"] ?? "",
            ], rows: rows, &spreadsheet)
    }
}

extension Grid {
    /// The number of rows up to the last with a value.
    fileprivate var rowCountWithValues: Int {
        var row = usedRowCount
        while row > 0, !self[row - 1].cells.contains(where: { $0.value != .empty }) { row -= 1 }
        return row
    }
}
