import JobQueue
import SheetModel

/// Rows on disk.
struct SpooledRows: RowSource {
    /// Every so many rows the index knows where one begins.
    static let stride = 256
    /// How much is read or written at once.
    static let blockSize = 256 * 1024
    /// How much a cursor reads first: many look at a single row, which mostly lies in there.
    private static let firstBlockSize = 32 * 1024

    let count: Int
    private let file: SpoolFile
    private let length: Int
    private let index: [Int]
    /// Held for as long as the rows are.
    private let share: SpoolSpace.Share

    fileprivate init(_ writer: borrowing SpoolWriter, rows: Int) {
        count = rows
        file = writer.file
        length = writer.length
        index = writer.index
        share = writer.share
    }

    func cursor(from row: Int) -> any RowCursor {
        guard row < count else { return Cursor(rows: self, left: 0, skipped: 0, offset: length) }
        let entry = row / Self.stride
        return Cursor(rows: self, left: count - row, skipped: row - entry * Self.stride, offset: index[entry])
    }

    private struct Cursor: RowCursor {
        let rows: SpooledRows
        var left: Int
        /// Rows between the index's and the first that is wanted.
        var skipped: Int
        /// Where in the file the next block begins.
        var offset: Int
        var block: [UInt8] = []
        var position = 0
        var filled = 0

        mutating func next() throws -> ArraySlice<UInt8>? {
            guard left > 0 else { return nil }
            while skipped > 0 {
                _ = try line()
                skipped -= 1
            }
            left -= 1
            return block[try line()]
        }

        private mutating func line() throws -> Range<Int> {
            var searched = position
            while true {
                if let end = SpoolFile.lineFeed(in: block, searched..<filled) {
                    defer { position = end + 1 }
                    return position..<end
                }
                searched = filled - position
                try fill()
            }
        }

        /// Reads on behind what is left of the block, which grows where one line fills it.
        private mutating func fill() throws {
            let rest = filled - position
            let size = block.isEmpty ? SpooledRows.firstBlockSize : SpooledRows.blockSize
            var next = [UInt8](repeating: 0, count: max(size, rest * 2))
            next.replaceSubrange(0..<rest, with: block[position..<filled])
            let count = try rows.file.read(into: &next, rest..<next.count, at: offset)
            guard count > 0 else {
                throw JobFailure(
                    .spoolFailed, "The file with the query's rows ends too early; the query runs again.",
                    retry: .backoff)
            }
            block = next
            position = 0
            filled = rest + count
            offset += count
        }
    }
}

/// Writes rows to disk, block by block.
struct SpoolWriter: ~Copyable {
    fileprivate let file: SpoolFile
    fileprivate let share: SpoolSpace.Share
    fileprivate var index: [Int] = []
    /// The bytes in the file.
    fileprivate var length = 0

    init(_ share: SpoolSpace.Share) throws(JobFailure) {
        file = try SpoolFile(in: share.space.directory)
        self.share = share
    }

    /// Notes that a row begins behind the bytes that a writer holds; to be told of every row.
    mutating func note(row: Int, behind pending: Int) {
        if row % SpooledRows.stride == 0 { index.append(length + pending) }
    }

    /// Writes lines.
    mutating func write(_ lines: ArraySlice<UInt8>) throws(JobFailure) {
        try share.take(lines.count)
        try file.write(lines, at: length)
        length += lines.count
    }

    /// Ends the file.
    consuming func rows(_ count: Int) -> SpooledRows { SpooledRows(self, rows: count) }
}
