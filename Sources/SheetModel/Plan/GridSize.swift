/// The size of a sheet's grid, cut to what it holds.
struct GridSize: Hashable {
    /// The rows above the data: 1 with a header, else 0.
    let headerRows: Int
    /// All rows; at least one below the header, since Sheets refuses to freeze every row.
    private(set) var rows: Int
    /// All columns, at least one.
    private(set) var columns: Int

    init(rows: Int, columns: Int, hasHeader: Bool) {
        headerRows = hasHeader ? 1 : 0
        self.rows = headerRows + max(1, rows)
        self.columns = max(1, columns)
    }

    var cells: Int { rows * columns }

    /// The grid of a sheet that keeps all it has and grows where the data needs it.
    func grown(from sheet: ExistingSheet) -> GridSize {
        var grown = self
        grown.rows = max(rows, sheet.rows)
        grown.columns = max(columns, sheet.columns)
        return grown
    }

    /// The grid of a sheet that other people use too, with so many rows and columns in use.
    init(of sheet: ExistingSheet, rows: Int, columns: Int) {
        headerRows = 0
        self.rows = max(sheet.rows, rows)
        self.columns = max(sheet.columns, columns)
    }
}
