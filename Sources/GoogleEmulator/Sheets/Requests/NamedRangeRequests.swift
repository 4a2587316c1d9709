import JSON

/// The requests about named ranges.
enum NamedRangeRequests {
    @Sendable static func addNamedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let json = request["namedRange"] ?? [:]
        let id = json["namedRangeId"]?.string ?? String(Identifiers.number())
        guard !spreadsheet.namedRanges.contains(where: { $0["namedRangeId"]?.string == id }) else {
            throw RequestError("A named range with the id \(id) already exists.")
        }
        let named = try checked(json, id: id, in: spreadsheet)
        spreadsheet.namedRanges.append(named)
        return ["addNamedRange": ["namedRange": .object(named)]]
    }

    @Sendable static func updateNamedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let fields = try BatchUpdate.fields(request, of: "NamedRange")
        let new = request["namedRange"]?.object ?? JSONObject()
        let id = new["namedRangeId"]?.string ?? ""
        let index = try place(id, spreadsheet)
        var merged = spreadsheet.namedRanges[index]
        fields.merge(new, into: &merged)
        spreadsheet.namedRanges[index] = try checked(.object(merged), id: id, in: spreadsheet)
        return [:]
    }

    @Sendable static func deleteNamedRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        spreadsheet.namedRanges.remove(at: try place(request["namedRangeId"]?.string ?? "", spreadsheet))
        return [:]
    }

    private static func place(_ id: String, _ spreadsheet: Spreadsheet) throws(RequestError) -> Int {
        guard let index = spreadsheet.namedRanges.firstIndex(where: { $0["namedRangeId"]?.string == id }) else {
            throw RequestError("Cannot find a named range with ID: \(id)")
        }
        return index
    }

    private static func checked(_ json: JSON, id: String, in spreadsheet: Spreadsheet) throws(RequestError)
        -> JSONObject
    {
        let name = json["name"]?.string ?? ""
        let isName =
            name.utf8.first.map { A1.isLetter($0) || $0 == UInt8(ascii: "_") || $0 > 127 } == true
            && name.utf8.allSatisfy { A1.isLetter($0) || A1.isDigit($0) || $0 == UInt8(ascii: "_") || $0 > 127 }
            && name.utf16.count <= 250 && A1.cells(name[...], sheetID: 0) == nil
            && !["true", "false"].contains(name.lowercased())
        guard isName else { throw RequestError("The name \(name) is invalid.") }
        let isTaken = spreadsheet.namedRanges.contains {
            $0["namedRangeId"]?.string != id && $0["name"]?.string?.lowercased() == name.lowercased()
        }
        guard !isTaken else {
            throw RequestError("Cannot add a named range with name: \(name) because it already exists.")
        }
        let (index, range) = try CellRequests.area(json["range"], spreadsheet)
        var object = JSONObject()
        object["namedRangeId"] = .string(id)
        object["name"] = .string(name)
        object["range"] = range.bounded(by: spreadsheet.sheets[index].grid).json
        return object
    }
}
