public import JSON

/// One sheet as somebody wants it: a name, columns, and rows of JSON values.
public struct Sheet: Sendable {
    /// The name on the tab.
    public var name: String
    /// The columns, whose names become a header row; nil for a sheet without a header, whose values all are `auto`.
    public var columns: [Column]?
    /// The values row by row; a short row is filled with empty cells.
    public var rows: [[JSON]]

    /// Makes a sheet.
    public init(name: String, columns: [Column]?, rows: [[JSON]]) {
        self.name = name
        self.columns = columns
        self.rows = rows
    }

    /// The columns, without a header as many as the longest row has values.
    var resolvedColumns: [Column] {
        columns ?? Array(repeating: .unnamed, count: rows.lazy.map(\.count).max() ?? 0)
    }
}
