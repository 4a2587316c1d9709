/// Rows in memory.
struct RowBuffer: RowSource {
    /// The lines one behind the other; whoever has written one says so by `endLine`.
    var lines = LineBuffer(capacity: 0)
    /// Where each line ends.
    private var ends: [Int] = []

    var count: Int { ends.count }

    /// Makes a row of what was written since the last one.
    mutating func endLine() { ends.append(lines.count) }

    func cursor(from row: Int) -> any RowCursor { Cursor(buffer: self, row: row) }

    private struct Cursor: RowCursor {
        let buffer: RowBuffer
        var row: Int

        mutating func next() -> ArraySlice<UInt8>? {
            guard row < buffer.count else { return nil }
            defer { row += 1 }
            return buffer.lines.bytes[(row == 0 ? 0 : buffer.ends[row - 1])..<buffer.ends[row]]
        }
    }
}
