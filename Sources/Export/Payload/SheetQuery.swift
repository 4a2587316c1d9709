public import JSON
public import SheetModel

/// A statement that gives a sheet its rows.
public struct SheetQuery: Sendable {
    /// The name on the tab.
    public let sheet: String
    /// The index of the sheet in the payload.
    public let index: Int
    /// The place of the sheet in the payload.
    public let path: String
    /// One statement of SQL.
    public let statement: String
    /// The values of `$1`, `$2` and so on.
    public let parameters: [JSON]
    /// The columns; nil to take names and types from the statement's result.
    public let columns: [Column]?
}
