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
        guard !isRows else {
            // Rows of one line have their usual height.
            for row in range {
                var properties = old(row, true, spreadsheet.sheets[index])
                properties["pixelSize"] = nil
                set(properties, row, true, &spreadsheet.sheets[index])
            }
            return [:]
        }
        let reader = CellReader(spreadsheet)
        var widest = [Int](repeating: 0, count: range.count)
        for row in 0..<spreadsheet.sheets[index].grid.usedRowCount {
            let cells = spreadsheet.sheets[index].grid[row]
            for (offset, column) in range.enumerated() where cells[column].value != .empty {
                let text = reader.text(cells[column], sheet: index, row: row, column: column)
                widest[offset] = max(widest[offset], TextWidth.pixels(text))
            }
        }
        for (column, width) in zip(range, widest) where width > 0 {
            var properties = old(column, false, spreadsheet.sheets[index])
            properties["pixelSize"] = JSON(max(21, width))
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

    @Sendable static func insertDimension(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let json = request["range"] ?? [:]
        let index = try spreadsheet.sheet(json["sheetId"]?.int ?? 0)
        let isRows = try isRows(json)
        let (start, end) = (json["startIndex"]?.int ?? 0, json["endIndex"]?.int ?? 0)
        guard start >= 0, end > start else { throw order(start, end) }
        let count = isRows ? spreadsheet.sheets[index].grid.rowCount : spreadsheet.sheets[index].grid.columnCount
        guard start <= count else { throw beyond(start, count, isRows) }
        let inherits = request["inheritFromBefore"]?.bool == true
        guard !inherits || start > 0 else {
            throw RequestError("Cannot set inheritFromBefore to true if inserting at the beginning of the sheet.")
        }
        try insert(start..<end, isRows, index, &spreadsheet)
        inherit(inherits ? start - 1 : end, start..<end, isRows, index, &spreadsheet)
        return [:]
    }

    private static func insert(
        _ range: Range<Int>, _ isRows: Bool, _ index: Int, _ spreadsheet: inout Spreadsheet
    ) throws(RequestError) {
        let grid = spreadsheet.sheets[index].grid
        let added = range.count * (isRows ? grid.columnCount : grid.rowCount)
        guard spreadsheet.cellCount + added <= Spreadsheet.greatestCellCount else {
            throw RequestError(
                "This action would increase the number of cells in the workbook above the limit of "
                    + "\(Spreadsheet.greatestCellCount) cells.")
        }
        spreadsheet.apply(
            DimensionShift(isRows: isRows, kind: .insert(range.lowerBound, count: range.count)), toSheet: index)
    }

    /// New rows and columns take formats and size from a neighbour, if it is there.
    private static func inherit(
        _ model: Int, _ range: Range<Int>, _ isRows: Bool, _ index: Int, _ spreadsheet: inout Spreadsheet
    ) {
        let properties = isRows ? spreadsheet.sheets[index].rowProperties : spreadsheet.sheets[index].columnProperties
        for position in range {
            if let size = properties[model]?["pixelSize"] {
                set(JSONObject([.init(name: "pixelSize", value: size)]), position, isRows, &spreadsheet.sheets[index])
            }
        }
        if isRows {
            let formats = spreadsheet.sheets[index].grid[model].cells.map(\.format)
            guard formats.contains(where: { $0 != 0 }) else { return }
            for row in range {
                spreadsheet.sheets[index].grid.update(row: row) { row in
                    for (column, format) in formats.enumerated() where format != 0 { row[column].format = format }
                }
            }
        } else {
            spreadsheet.sheets[index].grid.changeRows { row in
                let format = row[model].format
                guard format != 0 else { return }
                for column in range { row[column].format = format }
            }
        }
    }

    @Sendable static func deleteDimension(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let (index, isRows, range) = try span(request["range"] ?? [:], spreadsheet)
        let sheet = spreadsheet.sheets[index]
        let count = isRows ? sheet.grid.rowCount : sheet.grid.columnCount
        let frozen = isRows ? sheet.frozenRowCount : sheet.frozenColumnCount
        guard range.count < count else {
            throw RequestError("You can't delete all the \(isRows ? "rows" : "columns") on the sheet.")
        }
        guard frozen == 0 || range.lowerBound > frozen || range.upperBound < count else {
            throw RequestError("Sorry, it is not possible to delete all non-frozen \(isRows ? "rows" : "columns").")
        }
        spreadsheet.apply(DimensionShift(isRows: isRows, kind: .delete(range)), toSheet: index)
        return [:]
    }

    @Sendable static func moveDimension(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let (index, isRows, range) = try span(request["source"] ?? [:], spreadsheet)
        let target = request["destinationIndex"]?.int ?? 0
        let count = isRows ? spreadsheet.sheets[index].grid.rowCount : spreadsheet.sheets[index].grid.columnCount
        guard (0...count).contains(target) else { throw beyond(target, count, isRows) }
        guard target < range.lowerBound || target > range.upperBound else { return [:] }
        let parts = spreadsheet.sheets[index].merges.contains { merge in
            let part = (isRows ? merge.startRow : merge.startColumn) ?? 0
            let end = (isRows ? merge.endRow : merge.endColumn) ?? .max
            return (part..<end).overlaps(range) && !range.contains(part..<end)
        }
        guard !parts else { throw RequestError("You can't move cells that are part of a merged range.") }
        spreadsheet.apply(DimensionShift(isRows: isRows, kind: .move(range, to: target)), toSheet: index)
        return [:]
    }

    private static func order(_ start: Int, _ end: Int) -> RequestError {
        RequestError("DimensionRange.endIndex[\(end)] must be after DimensionRange.startIndex[\(start)]")
    }

    private static func beyond(_ index: Int, _ count: Int, _ isRows: Bool) -> RequestError {
        let name = isRows ? "rows" : "columns"
        return RequestError("range.startIndex[\(index)] must not be greater than the number of \(name): \(count)")
    }

    static func isRows(_ json: JSON) throws(RequestError) -> Bool {
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
        guard start >= 0, end > start else { throw order(start, end) }
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
