import JSON

/// The cells of one sheet.
///
/// Rows lie in blocks, and each ends at its last cell in use, so that an empty grid of any size costs nothing, and a copy
/// shares whatever neither side changes.
struct Grid: Sendable {
    /// The cells of one row up to the last in use.
    struct Row: Sendable {
        fileprivate(set) var cells: [Cell] = []
        /// The other fields of `CellData` by column: `note`, `dataValidation` and so on.
        fileprivate(set) var extras: [Int: JSONObject] = [:]

        var isBlank: Bool { cells.isEmpty && extras.isEmpty }

        /// The cell of a column, blank beyond the last in use.
        subscript(column: Int) -> Cell {
            get { column < cells.count ? cells[column] : Cell() }
            set {
                if column < cells.count {
                    cells[column] = newValue
                } else if !newValue.isBlank {
                    cells.reserveCapacity(column + 1)
                    while cells.count < column { cells.append(Cell()) }
                    cells.append(newValue)
                }
            }
        }

        /// Sets the other fields of a column's cell; none takes them away.
        mutating func setExtras(_ object: JSONObject, column: Int) {
            extras[column] = object.isEmpty ? nil : object
        }

        fileprivate mutating func trim(to count: Int) {
            if cells.count > count { cells.removeLast(cells.count - count) }
            while cells.last?.isBlank == true { cells.removeLast() }
            if !extras.isEmpty { extras = extras.filter { $0.key < count } }
        }
    }

    private static let blockSize = 256

    private(set) var rowCount: Int
    private(set) var columnCount: Int
    private var blocks: [[Row]] = []

    init(rowCount: Int, columnCount: Int) {
        self.rowCount = rowCount
        self.columnCount = columnCount
    }

    /// How many cells the grid has, the empty ones too.
    var cellCount: Int { rowCount * columnCount }

    /// The number of rows up to the last in use.
    var usedRowCount: Int {
        for (index, block) in blocks.enumerated().reversed() {
            if let last = block.lastIndex(where: { !$0.isBlank }) { return index * Self.blockSize + last + 1 }
        }
        return 0
    }

    /// The number of columns up to the last in use in any row.
    var usedColumnCount: Int {
        blocks.reduce(0) { $1.reduce($0) { max($0, $1.cells.count, ($1.extras.keys.max() ?? -1) + 1) } }
    }

    /// A row; blank beyond the last in use.
    subscript(row: Int) -> Row {
        let block = row / Self.blockSize
        guard block < blocks.count, row % Self.blockSize < blocks[block].count else { return Row() }
        return blocks[block][row % Self.blockSize]
    }

    /// Changes a row in place.
    mutating func update(row: Int, _ change: (inout Row) -> Void) {
        let block = row / Self.blockSize
        let index = row % Self.blockSize
        while blocks.count <= block { blocks.append([]) }
        while blocks[block].count <= index { blocks[block].append(Row()) }
        change(&blocks[block][index])
        blocks[block][index].trim(to: columnCount)
    }

    /// Makes the grid larger or smaller; what falls outside is gone.
    mutating func resize(rowCount: Int, columnCount: Int) {
        if rowCount < self.rowCount {
            blocks = Array(blocks.prefix((rowCount + Self.blockSize - 1) / Self.blockSize))
            let rest = rowCount % Self.blockSize
            if rest > 0, blocks.count == rowCount / Self.blockSize + 1 {
                blocks[blocks.count - 1] = Array(blocks[blocks.count - 1].prefix(rest))
            }
        }
        let isNarrower = columnCount < self.columnCount
        self.rowCount = rowCount
        self.columnCount = columnCount
        guard isNarrower else { return }
        for block in blocks.indices {
            for row in blocks[block].indices { blocks[block][row].trim(to: columnCount) }
        }
    }
}
