/// A rectangle of cells, open to the end of the sheet where Google allows it.
///
/// The forms are `A1:B2`, `A1` (one cell), `A:B` (whole columns), `2:5` (whole rows), `A2:B` (columns from a row on)
/// and a quoted sheet's name alone (all of it).
public struct A1Range: Sendable, Hashable, CustomStringConvertible {
    /// The sheet's name; nil for the sheet that the reader means anyway.
    public let sheet: String?
    /// The columns' indices from 0; nil for all.
    public let columns: Range<Int>?
    /// The first row's index from 0.
    public let startRow: Int
    /// The index behind the last row; nil for all below.
    public let endRow: Int?

    /// Makes a range; nil for one that A1 notation cannot say or that is empty.
    public init?(sheet: String? = nil, columns: Range<Int>? = nil, startRow: Int = 0, endRow: Int? = nil) {
        if let columns, columns.isEmpty || columns.lowerBound < 0 { return nil }
        guard startRow >= 0, endRow.map({ $0 > startRow }) ?? true else { return nil }
        if columns == nil, endRow == nil, startRow > 0 || sheet == nil { return nil }
        self.sheet = sheet
        self.columns = columns
        self.startRow = startRow
        self.endRow = endRow
    }

    /// Reads a range; swapped corners are put right.
    public init(parsing text: String) throws(SheetModelError) {
        let (sheet, rest) = try A1.splitSheet(text)
        guard let range = Self(sheet: sheet, rest: rest) else { throw A1.refusal(text) }
        self = range
    }

    private init?(sheet: String?, rest: Substring) {
        if rest.isEmpty {
            self.init(sheet: sheet)
            return
        }
        let corners = rest.split(separator: ":", omittingEmptySubsequences: false).map(A1.corner)
        guard let first = corners[0], corners.count <= 2, let last = corners.count == 2 ? corners[1] : first else {
            return nil
        }
        var columns: Range<Int>?
        switch (first.column, last.column) {
        case (nil, nil): break
        case (let left?, let right?): columns = min(left, right)..<max(left, right) + 1
        default: return nil
        }
        switch (first.row, last.row) {
        case (let top?, let bottom?) where columns != nil || corners.count == 2:
            self.init(sheet: sheet, columns: columns, startRow: min(top, bottom), endRow: max(top, bottom) + 1)
        case (nil, nil) where corners.count == 2: self.init(sheet: sheet, columns: columns)
        case (let top?, nil): self.init(sheet: sheet, columns: columns, startRow: top)
        default: return nil
        }
    }

    /// The range in A1 notation.
    public var description: String {
        guard columns != nil || endRow != nil else { return A1.quoted(sheet ?? "") }
        let left = columns.map { A1.letters(ofColumn: $0.lowerBound) } ?? ""
        let right = columns.map { A1.letters(ofColumn: $0.upperBound - 1) } ?? ""
        let top = endRow == nil && startRow == 0 ? "" : String(startRow + 1)
        return (sheet.map { A1.quoted($0) + "!" } ?? "") + left + top + ":" + right + (endRow.map(String.init) ?? "")
    }
}
