/// The rows that a mirror keeps a sheet at, found by their keys; of each there are digests and no values.
public struct MirrorSource: Sendable {
    private struct Entry {
        let key: Digest128
        let row: Int32
    }

    /// The rows.
    public let sheet: CheckedSheet
    /// The indices of the columns that make the key.
    public let keyColumns: [Int]
    /// A digest of all rows, whatever their order.
    public let digest: Digest128
    /// Ordered by their keys.
    private let entries: [Entry]
    /// The digest of each row, and its key, in the rows' order.
    let rows: [MirrorBase.Row]

    /// Reads the rows; refused are two whose keys a sheet does not tell apart.
    ///
    /// - Parameter key: The names of the columns that make the key.
    public init(_ sheet: CheckedSheet, key: [String]) throws {
        self.sheet = sheet
        keyColumns = key.compactMap { name in sheet.columns.firstIndex { $0.name == name } }
        let decoder = RowDecoder(sheet.columns)
        var rows: [MirrorBase.Row] = []
        rows.reserveCapacity(sheet.rows.count)
        var sum = Digest128.none
        var cursor = sheet.rows.cursor(from: 0)
        while let line = try cursor.next() {
            if rows.count.isMultiple(of: 1_000) { try SheetModelError.checkCancellation() }
            let row = Self.row(try decoder.cells(of: line), sheet.columns, keyColumns)
            sum = sum &+ row.cells
            rows.append(row)
        }
        digest = sum
        self.rows = rows
        entries = rows.enumerated().map { Entry(key: $1.key, row: Int32($0)) }.sorted {
            ($0.key, $0.row) < ($1.key, $1.row)
        }
        for (one, other) in zip(entries, entries.dropFirst()) where one.key == other.key {
            throw SheetModelError(
                .key,
                "rows[\(other.row)] has the same key as rows[\(one.row)], as a sheet tells keys apart; leave one of the two out"
            )
        }
    }

    /// The digests of a row.
    static func row(_ cells: [Cell], _ columns: [Column], _ keyColumns: [Int]) -> MirrorBase.Row {
        var digest = Digest128()
        for (cell, column) in zip(cells, columns) { CanonicalCell.add(cell, of: column, to: &digest) }
        return MirrorBase.Row(key: CanonicalCell.key(keyColumns.map { cells[$0].value }) ?? .none, cells: digest)
    }

    /// The row that has a key; nil for none.
    func row(withKey key: Digest128) -> Int? {
        let place = entries.sortedIndex(behind: { $0.key < key })
        return place < entries.count && entries[place].key == key ? Int(entries[place].row) : nil
    }

    /// What a mirror brings that writes all of them for the first time.
    public func begun() -> MirrorBase { MirrorBase(rows: rows, width: sheet.columns.count) }

    /// Whether a row has a key.
    public func hasRow(withKey key: Digest128) -> Bool { row(withKey: key) != nil }

    /// Whether cells of a sheet hold what a row holds.
    public func isRow(_ row: Int32, in cells: [Cell]) -> Bool {
        Self.row(cells, sheet.columns, keyColumns).cells == rows[Int(row)].cells
    }

    /// The digest of a key; `none` for one that is empty in all its columns.
    public static func key(_ values: [CellValue]) -> Digest128 { CanonicalCell.key(values) ?? .none }

    /// What a mirror wrote that wrote all of them.
    public func base(keepingCells: Bool) throws -> MirrorBase {
        guard keepingCells else { return MirrorBase(rows: rows, width: sheet.columns.count) }
        let cells = try shortCells()
        let width = sheet.columns.count
        return MirrorBase(rows: rows, width: width) { cells[$0 * width..<($0 + 1) * width] }
    }

    /// What stands for each cell of all rows.
    func shortCells() throws -> [UInt32] {
        let decoder = RowDecoder(sheet.columns)
        var cells: [UInt32] = []
        cells.reserveCapacity(sheet.rows.count * sheet.columns.count)
        var cursor = sheet.rows.cursor(from: 0)
        while let line = try cursor.next() {
            cells += zip(try decoder.cells(of: line), sheet.columns).map { CanonicalCell.short($0, of: $1) }
        }
        return cells
    }
}
