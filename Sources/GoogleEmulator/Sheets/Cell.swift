/// What somebody entered into a cell.
enum CellValue: Sendable, Hashable {
    case empty
    case number(Double)
    case text(String)
    case boolean(Bool)
    /// A formula with its equals sign; it is computed when somebody reads it.
    case formula(String)
}

/// One cell, in 24 bytes.
///
/// The rest of what a cell may have (notes, data validation, ...) is rare and lives beside the row.
struct Cell: Sendable, Hashable {
    var value: CellValue = .empty
    /// The format's number in the spreadsheet's table; 0 for none.
    var format: UInt32 = 0

    /// Whether nothing was entered and nothing formatted.
    var isBlank: Bool {
        if case .empty = value { return format == 0 }
        return false
    }
}
