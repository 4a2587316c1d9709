import JSON

/// Alternating colours over a range.
struct BandedRange: Sendable {
    let id: Int
    var range: GridRange
    /// `rowProperties` and `columnProperties`.
    var properties: JSONObject

    /// Google's `BandedRange`.
    var json: JSON {
        var object = JSONObject()
        object["bandedRangeId"] = JSON(id)
        object["range"] = range.json
        for member in properties { object[member.name] = member.value }
        return .object(object)
    }

    /// The background of a cell, as `red`, `green` and `blue`; nil where the banding leaves it alone.
    func color(row: Int, column: Int, in grid: Grid) -> JSONObject? {
        let rows = range.rows(in: grid)
        let columns = range.columns(in: grid)
        guard rows.contains(row), columns.contains(column) else { return nil }
        return Self.color(properties["rowProperties"], row - rows.lowerBound, rows.count)
            ?? Self.color(properties["columnProperties"], column - columns.lowerBound, columns.count)
    }

    private static func color(_ properties: JSON?, _ offset: Int, _ count: Int) -> JSONObject? {
        guard let properties else { return nil }
        if offset == 0, let header = properties["headerColor"]?.object { return header }
        if offset == count - 1, let footer = properties["footerColor"]?.object { return footer }
        let isFirst = (offset - (properties["headerColor"] == nil ? 0 : 1)) % 2 == 0
        return properties[isFirst ? "firstBandColor" : "secondBandColor"]?.object
    }
}
