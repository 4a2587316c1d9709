import JSON

/// One sheet (a tab) of a spreadsheet.
struct Sheet: Sendable {
    var id: Int
    var title: String
    var grid: Grid
    /// The rest of `SheetProperties`: `hidden`, `tabColor`, `rightToLeft`.
    var properties = JSONObject()
    /// The rest of `GridProperties`: `frozenRowCount`, `frozenColumnCount`, `hideGridlines` and so on.
    var gridProperties = JSONObject()
    var bandings: [BandedRange] = []
    /// Google's `BasicFilter`.
    var basicFilter: JSONObject?
    var merges: [GridRange] = []
    /// Google's `ProtectedRange`s.
    var protectedRanges: [JSONObject] = []
    /// Google's `ConditionalFormatRule`s.
    var conditionalFormats: [JSONObject] = []
    /// Google's `Table`s.
    var tables: [JSONObject] = []
    var rowGroups: [DimensionGroup] = []
    var columnGroups: [DimensionGroup] = []
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
        mapRanges { $0.clipped(to: grid) }
        rowGroups = rowGroups.compactMap { $0.clipped(to: grid.rowCount) }
        columnGroups = columnGroups.compactMap { $0.clipped(to: grid.columnCount) }
    }

    /// Changes every range that something on the sheet has; what gets nil goes.
    mutating func mapRanges(_ change: (GridRange) -> GridRange?) {
        merges = merges.compactMap(change)
        bandings = bandings.compactMap { banding in
            guard let range = change(banding.range) else { return nil }
            var banding = banding
            banding.range = range
            return banding
        }
        basicFilter = basicFilter?.mappingRanges(change)
        protectedRanges = protectedRanges.compactMap { $0.mappingRanges(change) }
        conditionalFormats = conditionalFormats.compactMap { $0.mappingRanges(change) }
        tables = tables.compactMap { $0.mappingRanges(change) }
    }
}

extension JSONObject {
    /// The object with its `range` or its `ranges` changed; nil where none is left.
    func mappingRanges(_ change: (GridRange) -> GridRange?) -> JSONObject? {
        var result = self
        if let range = self["range"].flatMap({ try? GridRange($0) }) {
            guard let range = change(range) else { return nil }
            result["range"] = range.json
        }
        if let ranges = self["ranges"]?.array {
            let changed = ranges.compactMap { try? GridRange($0) }.compactMap(change)
            if changed.isEmpty, !ranges.isEmpty { return nil }
            result["ranges"] = .array(changed.map(\.json))
        }
        return result
    }
}
