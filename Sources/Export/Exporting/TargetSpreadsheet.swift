import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable, Hashable {
    let url: String
    /// The sheets, without those that jobs hide.
    let sheets: [ExistingSheet]
    /// The ids of the hidden sheets in which jobs of this installation write, or have written when they died.
    let staged: [Int]
    /// Google's `DeveloperMetadata` of each sheet that has any, by the sheet's id.
    let metadata: [Int: [JSON]]

    private static let fields =
        "spreadsheetUrl,sheets(properties(sheetId,title,hidden,gridProperties(rowCount,columnCount)),"
        + "bandedRanges(bandedRangeId),developerMetadata(metadataId,metadataKey,metadataValue))"

    /// Reads it: one call.
    init(_ id: String, of installation: String, using client: SheetsClient) async throws(GoogleError) {
        let json = try await client.spreadsheet(id, fields: Self.fields)
        url = json["spreadsheetUrl"]?.string ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
        var sheets: [ExistingSheet] = []
        var staged: [Int] = []
        var metadata: [Int: [JSON]] = [:]
        for sheet in json["sheets"]?.array ?? [] {
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            let existing = ExistingSheet(
                id: properties?["sheetId"]?.int ?? 0, title: properties?["title"]?.string ?? "",
                rows: grid?["rowCount"]?.int ?? 0, columns: grid?["columnCount"]?.int ?? 0,
                bandingIDs: (sheet["bandedRanges"]?.array ?? []).compactMap { $0["bandedRangeId"]?.int })
            metadata[existing.id] = sheet["developerMetadata"]?.array
            if properties?["hidden"]?.bool == true, StagingMark.isOn(existing.title, of: installation) {
                staged.append(existing.id)
            } else {
                sheets.append(existing)
            }
        }
        self.sheets = sheets
        self.staged = staged
        self.metadata = metadata
    }

    /// The sheet of a name, which Sheets tells from others without regard to case.
    func sheet(named name: String) -> ExistingSheet? {
        sheets.first { $0.title.lowercased() == name.lowercased() }
    }
}
