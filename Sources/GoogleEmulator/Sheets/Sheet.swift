import JSON

/// One sheet (a tab) of a spreadsheet.
struct Sheet: Sendable {
    let id: Int
    var title: String
    var grid: Grid
    /// The rest of `SheetProperties`: `hidden`, `tabColor`, `rightToLeft`.
    var properties = JSONObject()
    /// The rest of `GridProperties`: `frozenRowCount`, `frozenColumnCount`, `hideGridlines` and so on.
    var gridProperties = JSONObject()
    var bandings: [BandedRange] = []
    /// Google's `BasicFilter`.
    var basicFilter: JSONObject?
    /// `DimensionProperties` of rows that have any.
    var rowProperties: [Int: JSONObject] = [:]
    /// `DimensionProperties` of columns that have any.
    var columnProperties: [Int: JSONObject] = [:]

    static let usualRowHeight = 21
    static let usualColumnWidth = 100

    var frozenRowCount: Int { gridProperties["frozenRowCount"]?.int ?? 0 }
    var frozenColumnCount: Int { gridProperties["frozenColumnCount"]?.int ?? 0 }
    var isHidden: Bool { properties["hidden"]?.bool == true }

    /// Google's `SheetProperties`.
    func propertiesJSON(index: Int) -> JSON {
        var grid = JSONObject()
        grid["rowCount"] = JSON(self.grid.rowCount)
        grid["columnCount"] = JSON(self.grid.columnCount)
        for member in gridProperties { grid[member.name] = member.value }
        var object = JSONObject()
        object["sheetId"] = JSON(id)
        object["title"] = .string(title)
        object["index"] = JSON(index)
        object["sheetType"] = "GRID"
        object["gridProperties"] = .object(grid)
        for member in properties { object[member.name] = member.value }
        return .object(object)
    }

    /// The width of a column in pixels.
    func width(ofColumn column: Int) -> Int { columnProperties[column]?["pixelSize"]?.int ?? Self.usualColumnWidth }
    /// The height of a row in pixels.
    func height(ofRow row: Int) -> Int { rowProperties[row]?["pixelSize"]?.int ?? Self.usualRowHeight }

    /// Takes everything back into the grid's bounds after it shrank.
    mutating func clipToGrid() {
        let grid = self.grid
        rowProperties = rowProperties.filter { $0.key < grid.rowCount }
        columnProperties = columnProperties.filter { $0.key < grid.columnCount }
        bandings = bandings.compactMap { banding in
            var clipped = banding
            if let end = banding.range.endRow { clipped.range.endRow = min(end, grid.rowCount) }
            if let end = banding.range.endColumn { clipped.range.endColumn = min(end, grid.columnCount) }
            return clipped.range.rows(in: grid).isEmpty || clipped.range.columns(in: grid).isEmpty ? nil : clipped
        }
    }
}
