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

/// Reads lines of a source by their numbers; quick where they follow each other.
public struct LineReader: Sendable {
    private let rows: any RowSource
    private var cursor: (any RowCursor)?
    private var next = 0

    /// Makes a reader.
    public init(_ rows: any RowSource) { self.rows = rows }

    /// The line of a row; nil outside the source.
    public mutating func line(_ row: Int) throws -> ArraySlice<UInt8>? {
        if cursor == nil || next != row { cursor = rows.cursor(from: row) }
        next = row + 1
        return try cursor?.next()
    }
}
