import JSON

/// Rows in memory.
///
/// A run of empty cells takes four bytes, however long it is, and becomes the cells of a line when the row is read: a payload
/// of a few bytes may name many columns that its rows lack.
struct RowBuffer: RowSource {
    /// Stands before the length of a run of empty cells; JSON has no such byte, inside of strings or outside.
    private static let gap: UInt8 = 1
    /// A shorter run is written out.
    private static let shortestGap = 3

    /// The lines one behind the other; whoever has written one says so by `endLine`.
    var lines = JSONWriter(reserving: 0)
    /// Where each line ends.
    private var ends: [UInt32] = []
    private var hasGaps = false

    var count: Int { ends.count }

    /// Makes room for a number of rows that is known.
    mutating func reserve(rows: Int) { ends.reserveCapacity(rows) }

    /// Makes a row of what was written since the last one.
    mutating func endLine() { ends.append(UInt32(lines.count)) }

    /// Writes so many empty cells, with commas between.
    mutating func appendEmptyCells(_ count: Int) {
        if count < Self.shortestGap {
            for index in 0..<count { lines.append(index == 0 ? "null" : ",null") }
            return
        }
        hasGaps = true
        lines.append(Self.gap)
        for shift in [16, 8, 0] { lines.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }

    /// A line with its runs of empty cells written out.
    private static func whole(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard var gap = line.firstIndex(of: Self.gap) else { return line }
        var whole: [UInt8] = []
        var start = line.startIndex
        while true {
            whole += line[start..<gap]
            let count = Int(line[gap + 1]) << 16 | Int(line[gap + 2]) << 8 | Int(line[gap + 3])
            whole.reserveCapacity(whole.count + count * 5)
            for index in 0..<count { whole += (index == 0 ? "null" : ",null").utf8 }
            start = gap + 4
            guard let next = line[start...].firstIndex(of: Self.gap) else { break }
            gap = next
        }
        return (whole + line[start...])[...]
    }

    func cursor(from row: Int) -> any RowCursor { Cursor(buffer: self, row: row) }

    private struct Cursor: RowCursor {
        let buffer: RowBuffer
        var row: Int

        mutating func next() -> ArraySlice<UInt8>? {
            guard row < buffer.count else { return nil }
            defer { row += 1 }
            let line = buffer.lines.bytes[(row == 0 ? 0 : Int(buffer.ends[row - 1]))..<Int(buffer.ends[row])]
            return buffer.hasGaps ? RowBuffer.whole(line) : line
        }
    }
}
