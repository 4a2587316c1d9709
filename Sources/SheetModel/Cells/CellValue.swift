/// What a cell holds, in the five forms that Google Sheets knows.
public enum CellValue: Sendable, Hashable {
    case empty
    case text(String)
    /// A number; dates, times and both together are serial numbers.
    case number(Double)
    case boolean(Bool)
    /// A formula with its leading `=`.
    case formula(String)
}
