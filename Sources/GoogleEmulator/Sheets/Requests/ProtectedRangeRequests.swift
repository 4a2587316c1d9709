import JSON

/// The requests about protected ranges.
///
/// They are kept, not enforced: every caller of the emulator owns the files it sees. Where a request says that the caller may not
/// edit, the answers say so too, as they do of ranges that somebody else protected.
enum ProtectedRangeRequests {
    @Sendable static func addProtectedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let json = request["protectedRange"]?.object ?? JSONObject()
        let id = json["protectedRangeId"]?.int ?? Identifiers.number()
        guard place(id, spreadsheet) == nil else {
            throw RequestError("A protected range with the id \(id) already exists.")
        }
        let (index, range) = try area(json, spreadsheet)
        let new = completed(json, id: id, range: range)
        spreadsheet.sheets[index].protectedRanges.append(new)
        return ["addProtectedRange": ["protectedRange": .object(new)]]
    }

    @Sendable static func updateProtectedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let fields = try BatchUpdate.fields(request, of: "ProtectedRange")
        let new = request["protectedRange"]?.object ?? JSONObject()
        let id = new["protectedRangeId"]?.int ?? 0
        guard let (sheet, index) = place(id, spreadsheet) else { throw unknown(id) }
        var merged = spreadsheet.sheets[sheet].protectedRanges[index]
        fields.merge(new, into: &merged)
        let (target, range) = try area(merged, spreadsheet)
        guard target == sheet else { throw RequestError("A protected range cannot move to another sheet.") }
        spreadsheet.sheets[sheet].protectedRanges[index] = completed(merged, id: id, range: range)
        return [:]
    }

    @Sendable static func deleteProtectedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let id = request["protectedRangeId"]?.int ?? 0
        guard let (sheet, index) = place(id, spreadsheet) else { throw unknown(id) }
        spreadsheet.sheets[sheet].protectedRanges.remove(at: index)
        return [:]
    }

    /// The protected cells, which may be those of a named range or of a table.
    private static func area(
        _ json: JSONObject, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> (sheet: Int, range: GridRange) {
        var range = json["range"]
        if let id = json["namedRangeId"]?.string, range == nil {
            range = spreadsheet.namedRanges.first { $0["namedRangeId"]?.string == id }?["range"]
        } else if let id = json["tableId"]?.string, range == nil {
            range = spreadsheet.sheets.lazy.flatMap(\.tables).first { $0["tableId"]?.string == id }?["range"]
        }
        return try CellRequests.area(range, spreadsheet)
    }

    /// The caller may edit unless the request says otherwise; a description that is empty and a false warning are not shown.
    private static func completed(_ json: JSONObject, id: Int, range: GridRange) -> JSONObject {
        var object = JSONObject()
        object["protectedRangeId"] = JSON(id)
        object["range"] = range.json
        for name in ["namedRangeId", "tableId", "description"] where json[name]?.string?.isEmpty == false {
            object[name] = json[name]
        }
        if json["warningOnly"]?.bool == true { object["warningOnly"] = true }
        object["requestingUserCanEdit"] = json["requestingUserCanEdit"]?.bool == false ? nil : true
        if let unprotected = json["unprotectedRanges"]?.array, !unprotected.isEmpty {
            object["unprotectedRanges"] = .array(unprotected)
        }
        let editors = json["editors"]?.object ?? JSONObject()
        object["editors"] = .object(
            JSONObject(editors.filter { $0.value.array?.isEmpty != true && $0.value != false }))
        return object
    }

    private static func place(_ id: Int, _ spreadsheet: Spreadsheet) -> (sheet: Int, index: Int)? {
        for (sheet, value) in spreadsheet.sheets.enumerated() {
            if let index = value.protectedRanges.firstIndex(where: { $0["protectedRangeId"]?.int == id }) {
                return (sheet, index)
            }
        }
        return nil
    }

    private static func unknown(_ id: Int) -> RequestError { RequestError("No protected range with id: \(id)") }
}
