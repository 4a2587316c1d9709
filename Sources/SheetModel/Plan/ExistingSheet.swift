/// A sheet that the target has already, as `spreadsheets.get` tells of it.
public struct ExistingSheet: Sendable, Hashable {
    /// Google's `sheetId`.
    public var id: Int
    /// The name on the tab.
    public var title: String
    /// The rows of its grid; 0 for a sheet that is a chart.
    public var rows: Int
    /// The columns of its grid; 0 for a sheet that is a chart.
    public var columns: Int
    /// The `bandedRangeId` of each of its banded ranges.
    public var bandingIDs: [Int]

    /// Makes a description of a sheet.
    public init(id: Int, title: String, rows: Int, columns: Int, bandingIDs: [Int] = []) {
        self.id = id
        self.title = title
        self.rows = rows
        self.columns = columns
        self.bandingIDs = bandingIDs
    }

    /// The one sheet that Google gives a new spreadsheet.
    public static let ofNewSpreadsheet = ExistingSheet(id: 0, title: "Sheet1", rows: 1_000, columns: 26)
}
