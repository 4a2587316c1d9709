import JSON

/// The requests about alternating colours.
enum BandingRequests {
    @Sendable static func addBanding(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let banding = request["bandedRange"] ?? [:]
        guard let json = banding["range"] else { throw RequestError("The range is required.") }
        let range = try GridRange(json)
        let index = try spreadsheet.grid(range.sheetID)
        try CellRequests.check(range, in: spreadsheet.sheets[index])
        let id = banding["bandedRangeId"]?.int ?? Identifiers.number()
        guard place(of: id, in: spreadsheet) == nil else {
            throw RequestError("A banded range with the id \(id) already exists.")
        }
        let new = BandedRange(
            id: id, range: range.bounded(by: spreadsheet.sheets[index].grid), properties: try properties(banding))
        try checkOverlap(new, in: spreadsheet.sheets[index])
        spreadsheet.sheets[index].bandings.append(new)
        return ["addBanding": ["bandedRange": new.json]]
    }

    @Sendable static func updateBanding(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let fields = ColorPairs.complete(try BatchUpdate.fields(request, of: "BandedRange"))
        let banding = request["bandedRange"] ?? [:]
        let id = banding["bandedRangeId"]?.int ?? 0
        guard let (sheet, index) = place(of: id, in: spreadsheet) else { throw unknown(id) }
        var old = spreadsheet.sheets[sheet].bandings[index]
        var merged = old.json.object ?? JSONObject()
        fields.merge(ColorPairs.complete(banding.object ?? JSONObject()), into: &merged)
        guard let json = merged["range"] else { throw RequestError("The range is required.") }
        let range = try GridRange(json)
        guard range.sheetID == spreadsheet.sheets[sheet].id else {
            throw RequestError("A banded range cannot move to another sheet.")
        }
        try CellRequests.check(range, in: spreadsheet.sheets[sheet])
        old.range = range.bounded(by: spreadsheet.sheets[sheet].grid)
        old.properties = try properties(.object(merged))
        spreadsheet.sheets[sheet].bandings.remove(at: index)
        try checkOverlap(old, in: spreadsheet.sheets[sheet])
        spreadsheet.sheets[sheet].bandings.insert(old, at: index)
        return [:]
    }

    @Sendable static func deleteBanding(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let id = request["bandedRangeId"]?.int ?? 0
        guard let (sheet, index) = place(of: id, in: spreadsheet) else { throw unknown(id) }
        spreadsheet.sheets[sheet].bandings.remove(at: index)
        return [:]
    }

    private static func properties(_ banding: JSON) throws(RequestError) -> JSONObject {
        let kept = (banding.object ?? JSONObject()).filter { ["rowProperties", "columnProperties"].contains($0.name) }
        guard !kept.isEmpty else {
            throw RequestError("At least one of rowProperties or columnProperties must be specified.")
        }
        return ColorPairs.complete(JSONObject(kept))
    }

    private static func checkOverlap(_ banding: BandedRange, in sheet: Sheet) throws(RequestError) {
        guard !sheet.bandings.contains(where: { $0.range.overlaps(banding.range) }) else {
            throw RequestError(
                "You cannot add alternating background colors to a range that already has alternating background colors."
            )
        }
    }

    private static func place(of id: Int, in spreadsheet: Spreadsheet) -> (sheet: Int, index: Int)? {
        for (sheet, value) in spreadsheet.sheets.enumerated() {
            if let index = value.bandings.firstIndex(where: { $0.id == id }) { return (sheet, index) }
        }
        return nil
    }

    private static func unknown(_ id: Int) -> RequestError { RequestError("No banded range with id: \(id)") }
}
