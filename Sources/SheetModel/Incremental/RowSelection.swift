/// Some rows of a source, in their order.
struct RowSelection: RowSource {
    private let rows: any RowSource
    /// The chosen rows' indices in the source.
    private let indices: [Int32]

    init(of rows: any RowSource, _ indices: [Int32]) {
        self.rows = rows
        self.indices = indices
    }

    var count: Int { indices.count }

    func cursor(from row: Int) -> any RowCursor {
        Cursor(lines: LineReader(rows), indices: indices, row: row)
    }

    private struct Cursor: RowCursor {
        var lines: LineReader
        let indices: [Int32]
        var row: Int

        mutating func next() throws -> ArraySlice<UInt8>? {
            guard row < indices.count else { return nil }
            defer { row += 1 }
            return try lines.line(Int(indices[row]))
        }
    }
}
