import JSON

/// The requests that merge cells.
enum MergeRequests {
    @Sendable static func mergeCells(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let (index, range) = try CellRequests.area(request["range"], spreadsheet)
        let rows = range.rows(in: spreadsheet.sheets[index].grid)
        let columns = range.columns(in: spreadsheet.sheets[index].grid)
        let parts: [(rows: Range<Int>, columns: Range<Int>)] =
            switch request["mergeType"]?.string {
            case "MERGE_ROWS": rows.map { ($0..<$0 + 1, columns) }
            case "MERGE_COLUMNS": columns.map { (rows, $0..<$0 + 1) }
            default: [(rows, columns)]
            }
        try checkPartial(range, spreadsheet.sheets[index])
        spreadsheet.sheets[index].merges.removeAll { range.contains($0) }
        for part in parts where part.rows.count * part.columns.count > 1 {
            spreadsheet.sheets[index].merges.append(
                GridRange(sheetID: range.sheetID, rows: part.rows, columns: part.columns))
            keepFirst(part.rows, part.columns, &spreadsheet.sheets[index].grid)
        }
        return [:]
    }

    @Sendable static func unmergeCells(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let (index, range) = try CellRequests.area(request["range"], spreadsheet)
        try checkPartial(range, spreadsheet.sheets[index])
        spreadsheet.sheets[index].merges.removeAll { range.contains($0) }
        return [:]
    }

    private static func checkPartial(_ range: GridRange, _ sheet: Sheet) throws(RequestError) {
        guard !sheet.merges.contains(where: { $0.overlaps(range) && !range.contains($0) }) else {
            throw RequestError("You must select all cells in a merged range to merge or unmerge them.")
        }
    }

    /// A merged cell keeps the value of its upper left cell, or of the first that has one.
    private static func keepFirst(_ rows: Range<Int>, _ columns: Range<Int>, _ grid: inout Grid) {
        var first: CellValue?
        for row in rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount))
        where !grid[row].cells.isEmpty {
            grid.update(row: row) { row in
                for column in columns.lowerBound..<max(columns.lowerBound, min(columns.upperBound, row.cells.count))
                where row.cells[column].value != .empty {
                    first = first ?? row.cells[column].value
                    row[column].value = .empty
                }
            }
        }
        guard let first else { return }
        grid.update(row: rows.lowerBound) { $0[columns.lowerBound].value = first }
    }
}
