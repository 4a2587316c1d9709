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
                    while cells.count < column { cells.append(Cell()) }
                    cells.append(newValue)
                }
            }
        }

        /// Enters a value into a column's cell, whose format stays.
        mutating func setValue(_ value: CellValue, column: Int) {
            if column < cells.count { cells[column].value = value } else { self[column] = Cell(value: value) }
        }

        /// Makes room for so many cells at once in a row that has none, so that none is left over when they are there.
        mutating func reserve(_ count: Int) {
            if cells.isEmpty { cells.reserveCapacity(count) }
        }

        /// Sets the other fields of a column's cell; none takes them away.
        mutating func setExtras(_ object: JSONObject, column: Int) {
            extras[column] = object.isEmpty ? nil : object
        }

        /// Puts cells, with their other fields, in the place of a range of columns.
        mutating func replace(_ columns: Range<Int>, with row: Row, count: Int) {
            let delta = count - columns.count
            if cells.count > columns.lowerBound {
                let end = min(columns.upperBound, cells.count)
                var middle = Array(row.cells.prefix(count))
                while middle.count < count { middle.append(Cell()) }
                cells.replaceSubrange(columns.lowerBound..<end, with: middle)
            } else {
                for (index, cell) in row.cells.prefix(count).enumerated() { self[columns.lowerBound + index] = cell }
            }
            while cells.last?.isBlank == true { cells.removeLast() }
            if extras.isEmpty, row.extras.isEmpty { return }
            var moved: [Int: JSONObject] = [:]
            for (column, extra) in extras where !columns.contains(column) {
                moved[column < columns.lowerBound ? column : column + delta] = extra
            }
            for (column, extra) in row.extras where column < count { moved[columns.lowerBound + column] = extra }
            extras = moved
        }

        /// The cells of a range of columns, counted from its start.
        func part(_ columns: Range<Int>) -> Row {
            var row = Row()
            if columns.lowerBound < cells.count {
                row.cells = Array(cells[columns.lowerBound..<min(columns.upperBound, cells.count)])
                while row.cells.last?.isBlank == true { row.cells.removeLast() }
            }
            for (column, extra) in extras where columns.contains(column) {
                row.extras[column - columns.lowerBound] = extra
            }
            return row
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
    mutating func update<Failure>(
        row: Int, _ change: (inout Row) throws(Failure) -> Void
    ) throws(Failure) {
        let block = row / Self.blockSize
        let index = row % Self.blockSize
        while blocks.count <= block { blocks.append([]) }
        while blocks[block].count <= index { blocks[block].append(Row()) }
        try change(&blocks[block][index])
        blocks[block][index].trim(to: columnCount)
    }

    /// The rows of a range, blank ones too.
    func part(_ rows: Range<Int>) -> [Row] { rows.map { self[$0] } }

    /// Puts rows in the place of a range of rows; the grid becomes larger or smaller by the difference.
    mutating func replace(_ range: Range<Int>, with rows: [Row]) {
        var all = blocks.enumerated().flatMap { index, block in
            // Every block but the last counts in full.
            index + 1 < blocks.count ? block + [Row](repeating: Row(), count: Self.blockSize - block.count) : block
        }
        if all.count < range.upperBound {
            all.append(contentsOf: [Row](repeating: Row(), count: range.upperBound - all.count))
        }
        all.replaceSubrange(range, with: rows)
        while all.last?.isBlank == true { all.removeLast() }
        rowCount += rows.count - range.count
        blocks = stride(from: 0, to: all.count, by: Self.blockSize).map {
            Array(all[$0..<min($0 + Self.blockSize, all.count)])
        }
    }

    /// Puts so many blank columns in the place of a range of columns.
    mutating func replaceColumns(_ range: Range<Int>, count: Int) {
        changeRows { $0.replace(range, with: Row(), count: count) }
        columnCount += count - range.count
    }

    /// Changes each row in use.
    mutating func changeRows(_ change: (inout Row) -> Void) {
        for block in blocks.indices {
            for row in blocks[block].indices where !blocks[block][row].isBlank { change(&blocks[block][row]) }
        }
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
