import JSON

/// The requests about whole rows and columns.
enum DimensionRequests {
    @Sendable static func updateDimensionProperties(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let fields = try BatchUpdate.fields(request, of: "DimensionProperties")
        let (index, isRows, range) = try span(request["range"] ?? [:], spreadsheet)
        let new = request["properties"]?.object ?? JSONObject()
        guard new["pixelSize"]?.int ?? 0 >= 0 else { throw RequestError("The pixel size must not be negative.") }
        for position in range {
            var properties = old(position, isRows, spreadsheet.sheets[index])
            fields.merge(new, into: &properties)
            set(properties, position, isRows, &spreadsheet.sheets[index])
        }
        return [:]
    }

    @Sendable static func autoResizeDimensions(
        _ request: JSON, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) -> JSON {
        let (index, isRows, range) = try span(request["dimensions"] ?? [:], spreadsheet)
        // Rows of one line have their usual height anyway; columns get about as wide as their longest text.
        guard !isRows else { return [:] }
        let formatter = CellFormatter(spreadsheet)
        var longest = [Int](repeating: 0, count: range.count)
        for row in 0..<spreadsheet.sheets[index].grid.usedRowCount {
            let cells = spreadsheet.sheets[index].grid[row]
            for (offset, column) in range.enumerated() where cells[column].value != .empty {
                longest[offset] = max(longest[offset], formatter.text(cells[column]).count)
            }
        }
        for (column, length) in zip(range, longest) where length > 0 {
            var properties = old(column, false, spreadsheet.sheets[index])
            properties["pixelSize"] = JSON(max(21, 12 + length * 8))
            set(properties, column, false, &spreadsheet.sheets[index])
        }
        return [:]
    }

    @Sendable static func appendDimension(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let index = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        let length = request["length"]?.int ?? 0
        guard length > 0 else { throw RequestError("The length must be greater than 0.") }
        let isRows = try isRows(request)
        let grid = spreadsheet.sheets[index].grid
        spreadsheet.sheets[index].grid.resize(
            rowCount: grid.rowCount + (isRows ? length : 0), columnCount: grid.columnCount + (isRows ? 0 : length))
        return [:]
    }

    private static func isRows(_ json: JSON) throws(RequestError) -> Bool {
        switch json["dimension"]?.string {
        case "ROWS": true
        case "COLUMNS": false
        default: throw RequestError("Invalid dimension: \(json["dimension"]?.string ?? "DIMENSION_UNSPECIFIED")")
        }
    }

    /// Google's `DimensionRange`: the sheet's place, the dimension, and the positions within the grid.
    static func span(
        _ range: JSON, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> (index: Int, isRows: Bool, range: Range<Int>) {
        let index = try spreadsheet.sheet(range["sheetId"]?.int ?? 0)
        let isRows = try isRows(range)
        let count = isRows ? spreadsheet.sheets[index].grid.rowCount : spreadsheet.sheets[index].grid.columnCount
        let start = range["startIndex"]?.int ?? 0
        let end = range["endIndex"]?.int ?? count
        guard start >= 0, end > start else {
            throw RequestError("DimensionRange.endIndex[\(end)] must be after DimensionRange.startIndex[\(start)]")
        }
        guard start < count else {
            throw RequestError("DimensionRange.startIndex[\(start)] is beyond the last \(isRows ? "row" : "column")")
        }
        return (index, isRows, start..<min(end, count))
    }

    private static func old(_ position: Int, _ isRows: Bool, _ sheet: Sheet) -> JSONObject {
        (isRows ? sheet.rowProperties[position] : sheet.columnProperties[position]) ?? JSONObject()
    }

    private static func set(_ properties: JSONObject, _ position: Int, _ isRows: Bool, _ sheet: inout Sheet) {
        let kept = JSONObject(properties.filter { $0.value != false })
        if isRows {
            sheet.rowProperties[position] = kept.isEmpty ? nil : kept
        } else {
            sheet.columnProperties[position] = kept.isEmpty ? nil : kept
        }
    }
}
