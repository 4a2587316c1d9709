import Google
import JSON
import SheetModel

/// What Sheets tells of a spreadsheet before something is written into it.
struct TargetSpreadsheet: Sendable, Hashable {
    let url: String
    let sheets: [ExistingSheet]
    /// Google's `DeveloperMetadata` of each sheet that has any, by the sheet's id.
    let metadata: [Int: [JSON]]

    private static let fields =
        "spreadsheetUrl,sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),bandedRanges(bandedRangeId),"
        + "developerMetadata(metadataId,metadataKey,metadataValue))"

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
        metadata = Dictionary(
            (json["sheets"]?.array ?? []).compactMap { sheet in
                sheet["developerMetadata"]?.array.map { (sheet["properties"]?["sheetId"]?.int ?? 0, $0) }
            }, uniquingKeysWith: { one, _ in one })
    }

    /// The sheet of a name, which Sheets tells from others without regard to case.
    func sheet(named name: String) -> ExistingSheet? {
        sheets.first { $0.title.lowercased() == name.lowercased() }
    }
}
