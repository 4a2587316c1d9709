import JSON

/// The requests about a sheet's basic filter.
///
/// It is kept, not computed: no row is hidden by it.
enum FilterRequests {
    @Sendable static func setBasicFilter(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        var filter = request["filter"]?.object ?? JSONObject()
        let range = try GridRange(filter["range"] ?? [:])
        let index = try spreadsheet.grid(range.sheetID)
        try CellRequests.check(range, in: spreadsheet.sheets[index])
        filter["range"] = range.bounded(by: spreadsheet.sheets[index].grid).json
        spreadsheet.sheets[index].basicFilter = filter
        return [:]
    }

    @Sendable static func clearBasicFilter(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let index = try spreadsheet.sheet(request["sheetId"]?.int ?? 0)
        spreadsheet.sheets[index].basicFilter = nil
        return [:]
    }
}
