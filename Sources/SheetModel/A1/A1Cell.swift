/// One cell by its place, as `B12` or `'Sheet 1'!B12`.
public struct A1Cell: Sendable, Hashable, CustomStringConvertible {
    /// The sheet's name; nil for the sheet that the reader means anyway.
    public var sheet: String?
    /// The row's index from 0.
    public var row: Int
    /// The column's index from 0.
    public var column: Int

    /// Makes a reference.
    public init(sheet: String? = nil, row: Int, column: Int) {
        self.sheet = sheet
        self.row = row
        self.column = column
    }

    /// Reads a reference.
    public init(parsing text: String) throws(SheetModelError) {
        let (sheet, rest) = try A1.splitSheet(text)
        guard let corner = A1.corner(rest), let row = corner.row, let column = corner.column else {
            throw A1.refusal(text)
        }
        self.init(sheet: sheet, row: row, column: column)
    }

    /// The reference in A1 notation.
    public var description: String {
        (sheet.map { A1.quoted($0) + "!" } ?? "") + A1.letters(ofColumn: column) + String(row + 1)
    }
}
