import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable, Hashable {
    let url: String
    /// The name of the time zone in which it shows times; nil where Sheets did not tell.
    let timeZone: String?
    /// The sheets, without those that jobs hide.
    let sheets: [ExistingSheet]
    /// The ids of the hidden sheets in which jobs of this installation write, or have written when they died.
    let staged: [Int]
    /// Google's `DeveloperMetadata` of each sheet that has any, by the sheet's id.
    let metadata: [Int: [JSON]]

    private static let fields =
        "spreadsheetUrl,properties.timeZone,sheets(properties(sheetId,title,hidden,gridProperties(rowCount,columnCount)),"
        + "bandedRanges(bandedRangeId),developerMetadata(metadataId,metadataKey,metadataValue))"

    /// Reads it: one call.
    init(_ id: String, of installation: String, using client: SheetsClient) async throws(GoogleError) {
        try self.init(id, of: installation, try await client.spreadsheet(id, fields: Self.fields))
    }

    /// Reads what Sheets told of it.
    init(_ id: String, of installation: String, _ json: JSON) throws(GoogleError) {
        url = json["spreadsheetUrl"]?.string ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
        timeZone = json["properties"]?["timeZone"]?.string
        var sheets: [ExistingSheet] = []
        var staged: [Int] = []
        var metadata: [Int: [JSON]] = [:]
        for sheet in json["sheets"]?.array ?? [] {
            let properties = sheet["properties"]
            let grid = properties?["gridProperties"]
            var bandingIDs: [Int] = []
            for banding in sheet["bandedRanges"]?.array ?? [] where banding["bandedRangeId"] != nil {
                bandingIDs.append(try GoogleNumber.id(banding["bandedRangeId"], "bandedRangeId"))
            }
            let existing = ExistingSheet(
                id: try GoogleNumber.id(properties?["sheetId"], "sheetId"),
                title: properties?["title"]?.string ?? "",
                rows: try GoogleNumber.count(grid?["rowCount"], "rowCount"),
                columns: try GoogleNumber.count(grid?["columnCount"], "columnCount"), bandingIDs: bandingIDs)
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
