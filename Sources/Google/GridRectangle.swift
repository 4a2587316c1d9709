import JSON

/// Cells of one sheet, by Google's `sheetId`, which a new name of the sheet does not change.
public struct GridRectangle: Sendable, Hashable {
    /// Google's `sheetId`.
    public let sheetID: Int
    /// The rows, from 0.
    public let rows: Range<Int>
    /// The columns, from 0.
    public let columns: Range<Int>

    /// Makes a rectangle.
    public init(sheetID: Int, rows: Range<Int>, columns: Range<Int>) {
        self.sheetID = sheetID
        self.rows = rows
        self.columns = columns
    }

    /// Google's `DataFilter` that selects it.
    var filter: JSON {
        [
            "gridRange": [
                "sheetId": JSON(sheetID), "startRowIndex": JSON(rows.lowerBound), "endRowIndex": JSON(rows.upperBound),
                "startColumnIndex": JSON(columns.lowerBound), "endColumnIndex": JSON(columns.upperBound),
            ]
        ]
    }
}
