import JSON

/// The requests that set one property of many cells: data validation, and borders.
enum CellPropertyRequests {
    @Sendable static func setDataValidation(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let rule = request["rule"]
        if let rule {
            guard let type = rule["condition"]?["type"]?.string, type != "CONDITION_TYPE_UNSPECIFIED" else {
                throw RequestError("The condition of a data validation rule is required.")
            }
            if type == "ONE_OF_LIST", rule["condition"]?["values"]?.array?.isEmpty != false {
                throw RequestError("ConditionType '\(type)' requires at least one ConditionValue.")
            }
        }
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        for row in range.rows(in: spreadsheet.sheets[sheet].grid) {
            if rule == nil, spreadsheet.sheets[sheet].grid[row].extras.isEmpty { continue }
            spreadsheet.sheets[sheet].grid.update(row: row) { row in
                for column in columns {
                    var extras = row.extras[column] ?? JSONObject()
                    extras["dataValidation"] = rule
                    row.setExtras(extras, column: column)
                }
            }
        }
        return [:]
    }

    @Sendable static func updateBorders(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let rows = range.rows(in: spreadsheet.sheets[sheet].grid)
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        var formats = spreadsheet.formats
        for row in rows {
            spreadsheet.sheets[sheet].grid.update(row: row) { cells in
                for column in columns {
                    let sides = [
                        ("top", row == rows.lowerBound ? "top" : "innerHorizontal"),
                        ("bottom", row == rows.upperBound - 1 ? "bottom" : "innerHorizontal"),
                        ("left", column == columns.lowerBound ? "left" : "innerVertical"),
                        ("right", column == columns.upperBound - 1 ? "right" : "innerVertical"),
                    ]
                    var format = formats[cells[column].format]
                    var borders = format["borders"]?.object ?? JSONObject()
                    for (side, field) in sides {
                        guard let border = request[field]?.object else { continue }
                        borders[side] =
                            border["style"]?.string == "NONE" ? nil : .object(ColorPairs.complete(border))
                    }
                    format["borders"] = borders.isEmpty ? nil : JSON.object(borders)
                    cells[column].format = formats.number(of: format)
                }
            }
        }
        spreadsheet.formats = formats
        return [:]
    }
}
