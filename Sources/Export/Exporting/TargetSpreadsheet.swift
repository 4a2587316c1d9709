import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable {
    let url: String
    /// The sheets, without those that jobs hide.
    let sheets: [ExistingSheet]
    /// The ids of the hidden sheets in which jobs of this installation write, or have written when they died.
    let staged: [Int]

    private static let fields =
        "spreadsheetUrl,sheets(properties(sheetId,title,hidden,gridProperties(rowCount,columnCount)),"
        + "bandedRanges(bandedRangeId))"

    /// Reads it: one call.
    init(_ id: String, of installation: String, using client: SheetsClient) async throws(GoogleError) {
        let json = try await client.spreadsheet(id, fields: Self.fields)
        url = json["spreadsheetUrl"]?.string ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
        var sheets: [ExistingSheet] = []
        var staged: [Int] = []
        for sheet in json["sheets"]?.array ?? [] {
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            let existing = ExistingSheet(
                id: properties?["sheetId"]?.int ?? 0, title: properties?["title"]?.string ?? "",
                rows: grid?["rowCount"]?.int ?? 0, columns: grid?["columnCount"]?.int ?? 0,
                bandingIDs: (sheet["bandedRanges"]?.array ?? []).compactMap { $0["bandedRangeId"]?.int })
            if properties?["hidden"]?.bool == true, StagingMark.isOn(existing.title, of: installation) {
                staged.append(existing.id)
            } else {
                sheets.append(existing)
            }
        }
        self.sheets = sheets
        self.staged = staged
    }
}
