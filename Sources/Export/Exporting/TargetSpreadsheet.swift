import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable {
    let url: String
    let sheets: [ExistingSheet]

    private static let fields =
        "spreadsheetUrl,sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),bandedRanges(bandedRangeId))"

    /// Reads it: one call.
    init(_ id: String, using client: SheetsClient) async throws(GoogleError) {
        let json = try await client.spreadsheet(id, fields: Self.fields)
        url = json["spreadsheetUrl"]?.string ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
        sheets = (json["sheets"]?.array ?? []).map { sheet in
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            return ExistingSheet(
                id: properties?["sheetId"]?.int ?? 0, title: properties?["title"]?.string ?? "",
                rows: grid?["rowCount"]?.int ?? 0, columns: grid?["columnCount"]?.int ?? 0,
                bandingIDs: (sheet["bandedRanges"]?.array ?? []).compactMap { $0["bandedRangeId"]?.int })
        }
    }
}
