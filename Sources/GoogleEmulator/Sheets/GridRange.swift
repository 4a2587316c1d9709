import JSON

/// A rectangle of a sheet, half open; a side that is nil has no bound.
struct GridRange: Sendable, Hashable {
    var sheetID: Int
    var startRow: Int?
    var endRow: Int?
    var startColumn: Int?
    var endColumn: Int?

    init(sheetID: Int, rows: Range<Int>? = nil, columns: Range<Int>? = nil) {
        self.sheetID = sheetID
        startRow = rows?.lowerBound
        endRow = rows?.upperBound
        startColumn = columns?.lowerBound
        endColumn = columns?.upperBound
    }

    /// Reads Google's `GridRange`.
    init(_ json: JSON) throws(RequestError) {
        sheetID = json["sheetId"]?.int ?? 0
        startRow = json["startRowIndex"]?.int
        endRow = json["endRowIndex"]?.int
        startColumn = json["startColumnIndex"]?.int
        endColumn = json["endColumnIndex"]?.int
        try Self.check("Row", startRow, endRow)
        try Self.check("Column", startColumn, endColumn)
    }

    /// Google's `GridRange`, which leaves a sheet id of 0 out.
    var json: JSON {
        var object = JSONObject()
        if sheetID != 0 { object["sheetId"] = JSON(sheetID) }
        object["startRowIndex"] = startRow.map { JSON($0) }
        object["endRowIndex"] = endRow.map { JSON($0) }
        object["startColumnIndex"] = startColumn.map { JSON($0) }
        object["endColumnIndex"] = endColumn.map { JSON($0) }
        return .object(object)
    }

    /// The rows within a grid.
    func rows(in grid: Grid) -> Range<Int> { Self.clamp(startRow, endRow, grid.rowCount) }
    /// The columns within a grid.
    func columns(in grid: Grid) -> Range<Int> { Self.clamp(startColumn, endColumn, grid.columnCount) }

    /// The same range with every bound said, as far as the grid goes.
    func bounded(by grid: Grid) -> GridRange {
        GridRange(sheetID: sheetID, rows: rows(in: grid), columns: columns(in: grid))
    }

    /// Whether two ranges of the same sheet share a cell.
    func overlaps(_ other: GridRange) -> Bool {
        func meet(_ start: Int?, _ end: Int?, _ otherStart: Int?, _ otherEnd: Int?) -> Bool {
            (start ?? 0) < (otherEnd ?? .max) && (otherStart ?? 0) < (end ?? .max)
        }
        return sheetID == other.sheetID && meet(startRow, endRow, other.startRow, other.endRow)
            && meet(startColumn, endColumn, other.startColumn, other.endColumn)
    }

    /// The range as far as the grid goes, open sides kept; nil where nothing of it lies there.
    func clipped(to grid: Grid) -> GridRange? {
        guard !rows(in: grid).isEmpty, !columns(in: grid).isEmpty else { return nil }
        var range = self
        range.endRow = endRow.map { min($0, grid.rowCount) }
        range.endColumn = endColumn.map { min($0, grid.columnCount) }
        return range
    }

    /// Whether the other range lies within this one, both of the same sheet.
    func contains(_ other: GridRange) -> Bool {
        sheetID == other.sheetID && (startRow ?? 0) <= (other.startRow ?? 0)
            && (endRow ?? .max) >= (other.endRow ?? .max) && (startColumn ?? 0) <= (other.startColumn ?? 0)
            && (endColumn ?? .max) >= (other.endColumn ?? .max)
    }

    private static func check(_ name: String, _ start: Int?, _ end: Int?) throws(RequestError) {
        guard start ?? 0 >= 0, end ?? 0 >= 0 else {
            throw RequestError("GridRange.start\(name)Index and end\(name)Index must not be negative.")
        }
        if let start, let end, end <= start {
            throw RequestError("GridRange.end\(name)Index[\(end)] must be after GridRange.start\(name)Index[\(start)]")
        }
    }

    private static func clamp(_ start: Int?, _ end: Int?, _ count: Int) -> Range<Int> {
        let lower = min(start ?? 0, count)
        return lower..<max(lower, min(end ?? count, count))
    }
}
