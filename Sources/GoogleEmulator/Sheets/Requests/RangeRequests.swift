import JSON

/// The requests that shift a part of the cells, or put its rows into another order.
enum RangeRequests {
    @Sendable static func insertRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let isRows = try shiftsRows(request)
        let rows = range.rows(in: spreadsheet.sheets[sheet].grid)
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        try checkMerges(rows, columns, isRows, spreadsheet.sheets[sheet])
        // Cells that are pushed over the edge make the grid larger.
        var grid = spreadsheet.sheets[sheet].grid
        if isRows {
            let end = max(rows.lowerBound, grid.usedRowCount)
            let parts = (rows.lowerBound..<end).map { grid[$0].part(columns) }
            grid.resize(rowCount: max(grid.rowCount, end + rows.count), columnCount: grid.columnCount)
            for row in rows { grid.update(row: row) { $0.replace(columns, with: Grid.Row(), count: columns.count) } }
            for (offset, part) in parts.enumerated() {
                grid.update(row: rows.upperBound + offset) { $0.replace(columns, with: part, count: columns.count) }
            }
        } else {
            let last = rows.reduce(0) { max($0, grid[$1].cells.count) }
            grid.resize(
                rowCount: grid.rowCount,
                columnCount: max(grid.columnCount, last > columns.lowerBound ? last + columns.count : 0))
            let place = columns.lowerBound..<columns.lowerBound
            for row in rows { grid.update(row: row) { $0.replace(place, with: Grid.Row(), count: columns.count) } }
        }
        spreadsheet.sheets[sheet].grid = grid
        let shift = DimensionShift(
            isRows: isRows,
            kind: isRows
                ? .insert(rows.lowerBound, count: rows.count) : .insert(columns.lowerBound, count: columns.count))
        spreadsheet.sheets[sheet].shiftTables(shift, within: range)
        return [:]
    }

    @Sendable static func deleteRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let isRows = try shiftsRows(request)
        let rows = range.rows(in: spreadsheet.sheets[sheet].grid)
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        try checkMerges(rows, columns, isRows, spreadsheet.sheets[sheet])
        delete(rows, columns, isRows, &spreadsheet.sheets[sheet].grid)
        return [:]
    }

    private static func delete(_ rows: Range<Int>, _ columns: Range<Int>, _ isRows: Bool, _ grid: inout Grid) {
        guard isRows else {
            for row in rows { grid.update(row: row) { $0.replace(columns, with: Grid.Row(), count: 0) } }
            return
        }
        for row in rows.lowerBound..<max(rows.lowerBound, grid.usedRowCount) {
            let below = row + rows.count
            let part = below < grid.rowCount ? grid[below].part(columns) : Grid.Row()
            grid.update(row: row) { $0.replace(columns, with: part, count: columns.count) }
        }
    }

    private static func shiftsRows(_ request: JSON) throws(RequestError) -> Bool {
        try DimensionRequests.isRows(["dimension": request["shiftDimension"] ?? ""])
    }

    /// Merged cells may not stand where cells move.
    private static func checkMerges(
        _ rows: Range<Int>, _ columns: Range<Int>, _ isRows: Bool, _ sheet: Sheet
    ) throws(RequestError) {
        let moving = GridRange(
            sheetID: sheet.id, rows: isRows ? rows.lowerBound..<Int.max : rows,
            columns: isRows ? columns : columns.lowerBound..<Int.max)
        guard !sheet.merges.contains(where: { $0.overlaps(moving) }) else {
            throw RequestError("You can't shift cells that would split a merged range.")
        }
    }

    @Sendable static func sortRange(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let grid = spreadsheet.sheets[sheet].grid
        let columns = range.columns(in: grid)
        let allRows = range.rows(in: grid)
        let rows = allRows.lowerBound..<max(allRows.lowerBound, min(allRows.upperBound, grid.usedRowCount))
        var keys: [(column: Int, isDescending: Bool)] = []
        for spec in request["sortSpecs"]?.array ?? [] {
            let column = spec["dimensionIndex"]?.int ?? 0
            guard columns.contains(column) else {
                throw RequestError("Sort column \(column) is outside of the range being sorted.")
            }
            keys.append((column, spec["sortOrder"]?.string == "DESCENDING"))
        }
        guard !keys.isEmpty else { throw RequestError("Must specify at least one sort spec.") }
        let reader = CellReader(spreadsheet)
        let lines = rows.map { row in
            let cells = grid[row]
            return (
                part: cells.part(columns), row: row,
                keys: keys.map { SortKey(reader.value(cells[$0.column], sheet: sheet, row: row, column: $0.column)) }
            )
        }
        let sorted = lines.sorted { first, second in
            for (index, key) in keys.enumerated() where first.keys[index] != second.keys[index] {
                return SortKey.precedes(first.keys[index], second.keys[index], isDescending: key.isDescending)
            }
            return first.row < second.row
        }
        for (row, line) in zip(rows, sorted) {
            var part = line.part
            // A formula takes its references to its own row along.
            for column in part.cells.indices {
                guard case .formula(let text) = part.cells[column].value else { continue }
                part[column].value = .formula(FormulaReferences.moved(text, rows: row - line.row, columns: 0))
            }
            spreadsheet.sheets[sheet].grid.update(row: row) {
                $0.replace(columns, with: part, count: columns.count)
            }
        }
        return [:]
    }

    @Sendable static func deleteDuplicates(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError)
        -> JSON
    {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        let grid = spreadsheet.sheets[sheet].grid
        let columns = range.columns(in: grid)
        let rows = range.rows(in: grid)
        var compared: [Int] = []
        for json in request["comparisonColumns"]?.array ?? [] {
            let (_, isRows, span) = try DimensionRequests.span(json, spreadsheet)
            guard !isRows, columns.lowerBound <= span.lowerBound, span.upperBound <= columns.upperBound else {
                throw RequestError("Comparison columns must be columns within the range.")
            }
            compared += span
        }
        if compared.isEmpty { compared = Array(columns) }
        let reader = CellReader(spreadsheet)
        var seen: Set<[FormulaValue]> = []
        var kept: [Grid.Row] = []
        let end = max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount))
        for row in rows.lowerBound..<end {
            let cells = grid[row]
            let values = compared.map { column -> FormulaValue in
                let value = reader.value(cells[column], sheet: sheet, row: row, column: column)
                if case .text(let text) = value { return .text(text.lowercased()) }
                return value
            }
            if seen.insert(values).inserted { kept.append(cells.part(columns)) }
        }
        let removed = end - rows.lowerBound - kept.count
        for row in rows.lowerBound..<end {
            let offset = row - rows.lowerBound
            let part = offset < kept.count ? kept[offset] : Grid.Row()
            spreadsheet.sheets[sheet].grid.update(row: row) {
                $0.replace(columns, with: part, count: columns.count)
            }
        }
        return ["deleteDuplicates": removed > 0 ? ["duplicatesRemovedCount": JSON(removed)] : [:]]
    }
}

/// What rows are sorted by: numbers come before texts, texts before truth values, errors after those, blanks last.
private struct SortKey: Equatable {
    private let rank: Int
    private let number: Double
    private let text: String

    init(_ value: FormulaValue) {
        switch value {
        case .number(let number): (rank, self.number, text) = (0, number, "")
        case .text(let text): (rank, number, self.text) = (1, 0, text.lowercased())
        case .boolean(let value): (rank, number, text) = (2, value ? 1 : 0, "")
        case .error: (rank, number, text) = (3, 0, "")
        case .empty: (rank, number, text) = (4, 0, "")
        }
    }

    static func precedes(_ first: SortKey, _ second: SortKey, isDescending: Bool) -> Bool {
        if first.rank == 4 || second.rank == 4 { return first.rank < second.rank }
        let isLess = (first.rank, first.number, first.text) < (second.rank, second.number, second.text)
        return isDescending ? !isLess : isLess
    }
}

extension Sheet {
    /// Lets tables follow cells that were pushed aside, where all of their rows or columns were.
    fileprivate mutating func shiftTables(_ shift: DimensionShift, within range: GridRange) {
        tables = tables.compactMap { table in
            table.mappingRanges { block in
                let isWhole =
                    shift.isRows
                    ? (range.startColumn ?? 0) <= (block.startColumn ?? 0)
                        && (range.endColumn ?? .max) >= (block.endColumn ?? .max)
                    : (range.startRow ?? 0) <= (block.startRow ?? 0) && (range.endRow ?? .max) >= (block.endRow ?? .max)
                return isWhole ? shift.range(block) : block
            }
        }
    }
}
