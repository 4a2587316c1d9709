/// What a mirror wrote into a sheet the last time: a digest of each row by a digest of its key.
///
/// It takes 32 bytes a row, and where changes of people are kept 4 more a cell: so small that it stays in the queue's database.
public struct MirrorBase: Sendable, Hashable {
    /// A row as it was written.
    struct Row: Sendable, Hashable {
        let key: Digest128
        /// The digest of its cells; `none` where it may have been written or not.
        var cells: Digest128
    }

    /// The rows by their keys, in ascending order.
    private(set) var rows: [Row]
    /// What stands for each cell, as many a row as there are columns; empty where nobody asks for it.
    private(set) var cells: [UInt32]
    /// How many cells a row has.
    let width: Int

    /// The base of a sheet in which nothing was ever written.
    public static let empty = MirrorBase(rows: [], cells: [], width: 0)

    /// Takes rows in any order.
    ///
    /// - Parameter cells: Gives what stands for the cells of a row, by its place among the rows given; nil to keep none.
    init(rows: [Row], width: Int, cells: ((Int) -> ArraySlice<UInt32>)? = nil) {
        let order = rows.indices.sorted { rows[$0].key < rows[$1].key }
        self.init(
            rows: order.map { rows[$0] }, cells: cells.map { cells in order.flatMap { cells($0) } } ?? [],
            width: cells == nil ? 0 : width)
    }

    private init(rows: [Row], cells: [UInt32], width: Int) {
        (self.rows, self.cells, self.width) = (rows, cells, width)
    }

    /// How many rows there are.
    public var count: Int { rows.count }

    /// The place of a row among the rows; nil where a mirror has never written it.
    func index(of key: Digest128) -> Int? {
        let place = rows.sortedIndex(behind: { $0.key < key })
        return place < rows.count && rows[place].key == key ? place : nil
    }

    /// What stands for the cells of a row; nil where they were not kept.
    func cells(of index: Int) -> ArraySlice<UInt32>? {
        width > 0 ? cells[index * width..<(index + 1) * width] : nil
    }

    /// The same base with some of its rows.
    func filtered(_ isKept: (Digest128) -> Bool) -> MirrorBase {
        let kept = rows.indices.filter { isKept(rows[$0].key) }
        return MirrorBase(
            rows: kept.map { rows[$0] }, width: width, cells: width > 0 ? { cells(of: kept[$0]) ?? [] } : nil)
    }

    /// The same base with the rows of another one, whose rows count where both have one.
    public func merging(_ other: MirrorBase) -> MirrorBase {
        guard other.count > 0 else { return self }
        let width = max(width, other.width)
        let none = Array(repeating: UInt32(0), count: width)[...]
        var all = rows.indices.filter { other.index(of: rows[$0].key) == nil }.map { (rows[$0], cells(of: $0)) }
        all += other.rows.indices.map { (other.rows[$0], other.cells(of: $0)) }
        return MirrorBase(
            rows: all.map(\.0), width: width,
            cells: width > 0 ? { all[$0].1?.count == width ? all[$0].1 ?? none : none } : nil)
    }

    /// The bytes in which it is kept: the width, then for each row its two digests and its cells.
    public var packed: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 + rows.count * (32 + 4 * width))
        func append(_ number: UInt64, bytes count: Int) {
            for shift in 0..<count { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * shift))) }
        }
        append(UInt64(width), bytes: 4)
        for (index, row) in rows.enumerated() {
            for half in [row.key.high, row.key.low, row.cells.high, row.cells.low] { append(half, bytes: 8) }
            for cell in cells(of: index) ?? [] { append(UInt64(cell), bytes: 4) }
        }
        return bytes
    }

    /// Reads what `packed` gave; nil for any other bytes.
    public init?(packed bytes: [UInt8]) {
        var offset = 0
        func number(bytes count: Int) -> UInt64 {
            defer { offset += count }
            return (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
        }
        guard bytes.count >= 4 else { return nil }
        let width = Int(number(bytes: 4))
        guard width <= Limits.columns, (bytes.count - 4).isMultiple(of: 32 + 4 * width) else { return nil }
        let count = (bytes.count - 4) / (32 + 4 * width)
        var rows: [Row] = []
        var cells: [UInt32] = []
        rows.reserveCapacity(count)
        cells.reserveCapacity(count * width)
        for _ in 0..<count {
            let key = Digest128(high: number(bytes: 8), low: number(bytes: 8))
            rows.append(Row(key: key, cells: Digest128(high: number(bytes: 8), low: number(bytes: 8))))
            for _ in 0..<width { cells.append(UInt32(number(bytes: 4))) }
        }
        guard zip(rows, rows.dropFirst()).allSatisfy({ $0.key < $1.key }) else { return nil }
        self.init(rows: rows, cells: cells, width: width)
    }
}
