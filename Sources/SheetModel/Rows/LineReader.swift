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
