import JSON

/// The requests about tables.
enum TableRequests {
    @Sendable static func addTable(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let json = request["table"]?.object ?? JSONObject()
        let id = json["tableId"]?.string ?? String(Identifiers.number())
        guard place(id, spreadsheet) == nil else { throw RequestError("A table with the id \(id) already exists.") }
        let (sheet, table) = try completed(json, id: id, spreadsheet)
        spreadsheet.sheets[sheet].tables.append(table)
        return ["addTable": ["table": .object(table)]]
    }

    @Sendable static func updateTable(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let fields = try BatchUpdate.fields(request, of: "Table")
        let new = request["table"]?.object ?? JSONObject()
        let id = new["tableId"]?.string ?? ""
        guard let (sheet, index) = place(id, spreadsheet) else { throw unknown(id) }
        var merged = spreadsheet.sheets[sheet].tables[index]
        fields.merge(new, into: &merged)
        let (target, table) = try completed(merged, id: id, spreadsheet)
        guard target == sheet else { throw RequestError("A table cannot move to another sheet.") }
        spreadsheet.sheets[sheet].tables[index] = table
        return [:]
    }

    @Sendable static func deleteTable(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let id = request["tableId"]?.string ?? ""
        guard let (sheet, index) = place(id, spreadsheet) else { throw unknown(id) }
        let table = spreadsheet.sheets[sheet].tables.remove(at: index)
        // The contents of a table go with it.
        if let range = table["range"].flatMap({ try? GridRange($0) }) {
            spreadsheet.sheets[sheet].grid.clearValues(range)
        }
        return [:]
    }

    private static func completed(
        _ json: JSONObject, id: String, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> (sheet: Int, table: JSONObject) {
        let (sheet, range) = try CellRequests.area(json["range"], spreadsheet)
        let bounded = range.bounded(by: spreadsheet.sheets[sheet].grid)
        let others = spreadsheet.sheets.flatMap(\.tables).filter { $0["tableId"]?.string != id }
        let overlaps = others.contains { other in
            (other["range"].flatMap { try? GridRange($0) })?.overlaps(bounded) == true
        }
        guard !overlaps else { throw RequestError("Tables cannot overlap another table.") }
        let name = json["name"]?.string ?? "Table\(others.count + 1)"
        guard !others.contains(where: { $0["name"]?.string?.lowercased() == name.lowercased() }) else {
            throw RequestError("A table with the name \"\(name)\" already exists.")
        }
        // Of a table's colours there is only the new form.
        var table = json
        table["tableId"] = .string(id)
        table["name"] = .string(name)
        table["range"] = bounded.json
        table["columnProperties"] = .array(columns(json, bounded, spreadsheet, sheet))
        return (sheet, table)
    }

    /// One entry a column: what was said of it, or else its header cell's text and no type.
    private static func columns(
        _ json: JSONObject, _ range: GridRange, _ spreadsheet: Spreadsheet, _ sheet: Int
    ) -> [JSON] {
        let grid = spreadsheet.sheets[sheet].grid
        let formatter = CellFormatter(spreadsheet)
        let said = json["columnProperties"]?.array ?? []
        return range.columns(in: grid).enumerated().map { offset, column in
            var object = said.first { ($0["columnIndex"]?.int ?? 0) == offset }?.object ?? JSONObject()
            object["columnIndex"] = JSON(offset)
            if object["columnName"] == nil {
                let header = formatter.text(grid[range.startRow ?? 0][column])
                object["columnName"] = .string(header.isEmpty ? "Column \(offset + 1)" : header)
            }
            return .object(object)
        }
    }

    private static func place(_ id: String, _ spreadsheet: Spreadsheet) -> (sheet: Int, index: Int)? {
        for (sheet, value) in spreadsheet.sheets.enumerated() {
            if let index = value.tables.firstIndex(where: { $0["tableId"]?.string == id }) { return (sheet, index) }
        }
        return nil
    }

    private static func unknown(_ id: String) -> RequestError { RequestError("No table with id: \(id)") }
}
