import JSON

/// Rows or columns that can be folded together.
struct DimensionGroup: Sendable, Hashable {
    var range: Range<Int>
    var depth: Int
    var isCollapsed = false

    /// Google's `DimensionGroup`.
    func json(sheetID: Int, isRows: Bool) -> JSON {
        var range = JSONObject()
        if sheetID != 0 { range["sheetId"] = JSON(sheetID) }
        range["dimension"] = isRows ? "ROWS" : "COLUMNS"
        range["startIndex"] = JSON(self.range.lowerBound)
        range["endIndex"] = JSON(self.range.upperBound)
        var object = JSONObject()
        object["range"] = .object(range)
        object["depth"] = JSON(depth)
        if isCollapsed { object["collapsed"] = true }
        return .object(object)
    }

    /// The group as far as the grid goes; nil where nothing of it is left.
    func clipped(to count: Int) -> DimensionGroup? {
        guard range.lowerBound < count else { return nil }
        var group = self
        group.range = range.lowerBound..<min(range.upperBound, count)
        return group
    }
}
