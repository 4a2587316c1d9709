public import JSON

/// One sheet as somebody wants it: a name, columns, and rows of JSON values.
public struct Sheet: Sendable {
    /// The name on the tab.
    public var name: String
    /// The columns, whose names become a header row; nil for a sheet without a header, whose values all are `auto`.
    public var columns: [Column]?
    /// The rows: arrays, whose values stand in the columns' order, or objects, whose members go by the columns' names.
    ///
    /// What a row does not have is an empty cell; members that no column names are left out.
    public var rows: JSONElements

    /// Makes a sheet of rows that are arrays.
    public init(name: String, columns: [Column]?, rows: [[JSON]]) {
        self.init(name: name, columns: columns, objectsOrArrays: JSONElements(rows.map(JSON.array)))
    }

    /// Makes a sheet of rows as a payload has them.
    public init(name: String, columns: [Column]?, objectsOrArrays rows: JSONElements) {
        self.name = name
        self.columns = columns
        self.rows = rows
    }

    /// The columns, without a header as many as the longest row has values.
    var resolvedColumns: [Column] {
        columns ?? Array(repeating: .unnamed, count: rows.lazy.map { $0.elements?.count ?? 0 }.max() ?? 0)
    }
}
