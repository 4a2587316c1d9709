import JSON

/// A cell as a request brings it.
enum CellInput: Sendable {
    /// A `CellData` of an entered value alone, which nearly every cell of a large request is.
    case value(CellValue)
    /// Any other `CellData`, checked and in canonical form.
    case data(JSON)

    /// The cells of a list of `RowData`.
    static func rows(_ rows: JSON?) -> [[CellInput]] {
        (rows?.array ?? []).map { row in (row["values"]?.array ?? []).map(CellInput.data) }
    }
}
