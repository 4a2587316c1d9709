/// Finds the block of data that `values.append` means.
struct TableFinder {
    private let grid: Grid

    init(_ grid: Grid) { self.grid = grid }

    /// The rows and columns of the last block that begins or ends within a range; nil where the range is empty.
    ///
    /// A block grows over all cells that touch it, be it at a corner.
    func table(in range: GridRange) -> (rows: Range<Int>, columns: Range<Int>)? {
        let columns = range.columns(in: grid)
        let rows = range.rows(in: grid)
        let end = max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount))
        for row in (rows.lowerBound..<end).reversed() {
            let cells = grid[row].cells
            let lastColumn = min(columns.upperBound, cells.count)
            guard columns.lowerBound < lastColumn else { continue }
            if let column = (columns.lowerBound..<lastColumn).last(where: { cells[$0].value != .empty }) {
                return grown(row..<row + 1, column..<column + 1)
            }
        }
        return nil
    }

    private func grown(_ rows: Range<Int>, _ columns: Range<Int>) -> (rows: Range<Int>, columns: Range<Int>) {
        var (top, bottom, left, right) = (rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
        var grows = true
        while grows {
            grows = false
            let around = max(0, left - 1)..<min(grid.columnCount, right + 1)
            if top > 0, isUsed(top - 1, around) {
                top -= 1
                grows = true
            }
            if bottom < grid.rowCount, isUsed(bottom, around) {
                bottom += 1
                grows = true
            }
            let beside = max(0, top - 1)..<min(grid.rowCount, bottom + 1)
            if left > 0, beside.contains(where: { isUsed($0, left - 1..<left) }) {
                left -= 1
                grows = true
            }
            if right < grid.columnCount, beside.contains(where: { isUsed($0, right..<right + 1) }) {
                right += 1
                grows = true
            }
        }
        return (top..<bottom, left..<right)
    }

    private func isUsed(_ row: Int, _ columns: Range<Int>) -> Bool {
        let cells = grid[row].cells
        return columns.lowerBound < cells.count
            && cells[columns.lowerBound..<min(columns.upperBound, cells.count)].contains { $0.value != .empty }
    }
}
