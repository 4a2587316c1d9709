/// Rows in memory.
struct RowBuffer: RowSource {
    private var bytes: [UInt8] = []
    /// Where each line ends.
    private var ends: [Int] = []

    var count: Int { ends.count }

    /// Puts a line behind the last one.
    mutating func append(_ line: [UInt8]) {
        bytes += line
        ends.append(bytes.count)
    }

    func cursor(from row: Int) -> any RowCursor { Cursor(buffer: self, row: row) }

    private struct Cursor: RowCursor {
        let buffer: RowBuffer
        var row: Int

        mutating func next() -> ArraySlice<UInt8>? {
            guard row < buffer.count else { return nil }
            defer { row += 1 }
            return buffer.bytes[(row == 0 ? 0 : buffer.ends[row - 1])..<buffer.ends[row]]
        }
    }
}
