/// Values of one column that were not written quite as they came.
public struct ConversionWarning: Sendable, Hashable, CustomStringConvertible {
    /// The sheet's name.
    public let sheet: String
    /// The column's name, or its letters where it has none; of values without a column, the name of the member.
    public let column: String
    /// What happened to the values.
    public let kind: CellWarning
    /// How many values it happened to.
    public let count: Int

    /// One sentence for the reader of the sheet.
    public var description: String {
        "sheet \(excerpt(sheet)), \(kind == .noColumn ? "member" : "column") \(excerpt(column)): \(kind.sentence(count: count))"
    }
}
