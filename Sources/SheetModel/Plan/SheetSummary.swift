/// What a plan makes of one sheet.
public struct SheetSummary: Sendable, Hashable {
    /// The name on the tab.
    public let name: String
    /// Google's `sheetId`.
    public let id: Int
    /// The rows of data, without the header.
    public let rows: Int
    /// The columns of data.
    public let columns: Int
    /// The cells that are written, with the header.
    public let cells: Int
    /// What a mirror changed; nil in other modes.
    public var changes: MirrorComparison.Counts?

    /// Makes a summary.
    public init(name: String, id: Int, rows: Int, columns: Int, cells: Int) {
        self.name = name
        self.id = id
        self.rows = rows
        self.columns = columns
        self.cells = cells
    }
}
