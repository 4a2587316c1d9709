import JSON

/// The requests that copy, move and paste cells.
enum PasteRequests {
    /// Which parts of cells a paste brings.
    struct Parts {
        let values: Bool
        let formulas: Bool
        let formats: Bool
        /// `note` and the like, and whether data validation counts among them.
        let extras: Bool
        let validation: Bool

        init(_ type: String?) throws(RequestError) {
            let type = type ?? "PASTE_NORMAL"
            guard type != "PASTE_CONDITIONAL_FORMATTING" else {
                throw RequestError("The emulator does not play \(type).", code: 501)
            }
            let isWhole = ["PASTE_NORMAL", "PASTE_NO_BORDERS"].contains(type)
            values = isWhole || ["PASTE_VALUES", "PASTE_FORMULA"].contains(type)
            formulas = type != "PASTE_VALUES"
            formats = isWhole || type == "PASTE_FORMAT"
            extras = isWhole
            validation = isWhole || type == "PASTE_DATA_VALIDATION" || type == "PASTE_FORMAT"
        }
    }

    /// A cell with its other fields, lifted out of a grid.
    struct Content {
        var cell: Cell
        var extras: JSONObject
        /// What a formula comes to, for a paste of values only.
        var computed: CellValue
    }

    @Sendable static func copyPaste(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let parts = try Parts(request["pasteType"]?.string)
        let (source, from) = try CellRequests.area(request["source"], spreadsheet)
        let (target, to) = try CellRequests.area(request["destination"], spreadsheet)
        var block = lift(from, source, spreadsheet)
        let transposes = request["pasteOrientation"]?.string == "TRANSPOSE"
        if transposes { block = transposed(block) }
        let grid = spreadsheet.sheets[target].grid
        let (height, width) = (block.count, block.first?.count ?? 0)
        guard height > 0, width > 0 else { return [:] }
        // A destination that holds the source several times is filled with it.
        let wanted = (to.rows(in: grid).count, to.columns(in: grid).count)
        let times = (max(1, wanted.0 / height), max(1, wanted.1 / width))
        for down in 0..<times.0 {
            for across in 0..<times.1 {
                try put(
                    block, parts, row: (to.startRow ?? 0) + down * height,
                    column: (to.startColumn ?? 0) + across * width,
                    target, &spreadsheet, origin: transposes ? nil : (from.startRow ?? 0, from.startColumn ?? 0))
            }
        }
        if parts.extras { copyMerges(from, source, to, target, &spreadsheet) }
        return [:]
    }

    @Sendable static func cutPaste(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        let parts = try Parts(request["pasteType"]?.string)
        let (source, from) = try CellRequests.area(request["source"], spreadsheet)
        let destination = request["destination"] ?? [:]
        let target = try spreadsheet.grid(destination["sheetId"]?.int ?? 0)
        let block = lift(from, source, spreadsheet)
        let rows = from.rows(in: spreadsheet.sheets[source].grid)
        let columns = from.columns(in: spreadsheet.sheets[source].grid)
        let merges = spreadsheet.sheets[source].merges.filter { from.contains($0) }
        let blank = [[Content]](
            repeating: [Content](
                repeating: Content(cell: Cell(), extras: JSONObject(), computed: .empty), count: columns.count),
            count: rows.count)
        try put(blank, parts, row: rows.lowerBound, column: columns.lowerBound, source, &spreadsheet, origin: nil)
        let (row, column) = (destination["rowIndex"]?.int ?? 0, destination["columnIndex"]?.int ?? 0)
        try put(block, parts, row: row, column: column, target, &spreadsheet, origin: nil)
        if parts.extras {
            spreadsheet.sheets[source].merges.removeAll { from.contains($0) }
            for merge in merges {
                spreadsheet.sheets[target].merges.append(
                    merge.moved(
                        to: spreadsheet.sheets[target].id, rows: row - rows.lowerBound,
                        columns: column - columns.lowerBound))
            }
        }
        return [:]
    }

    @Sendable static func pasteData(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        guard request["html"]?.bool != true else {
            throw RequestError("The emulator does not play pasteData of HTML.", code: 501)
        }
        let delimiter = request["delimiter"]?.string ?? ""
        guard !delimiter.isEmpty else { throw RequestError("The delimiter must not be empty.") }
        let place = request["coordinate"] ?? [:]
        let sheet = try spreadsheet.grid(place["sheetId"]?.int ?? 0)
        let lines = DelimitedText.rows(request["data"]?.string ?? "", delimiter: delimiter)
        let (row, column) = (place["rowIndex"]?.int ?? 0, place["columnIndex"]?.int ?? 0)
        guard !lines.isEmpty else { return [:] }
        guard row >= 0, column >= 0 else { throw RequestError("The coordinate must not be negative.") }
        let width = lines.reduce(1) { max($0, $1.count) }
        let range = GridRange(
            sheetID: spreadsheet.sheets[sheet].id, rows: row..<row + lines.count, columns: column..<column + width)
        // As in the editor, the grid grows to take what is pasted.
        let grid = spreadsheet.sheets[sheet].grid
        spreadsheet.sheets[sheet].grid.resize(
            rowCount: max(grid.rowCount, row + lines.count), columnCount: max(grid.columnCount, column + width))
        try BatchUpdate.checkSize(of: spreadsheet)
        _ = try ValueWriter(inputOption: "USER_ENTERED").write(
            lines.map { $0.map { JSON.string($0) } }, to: range, in: &spreadsheet)
        return [:]
    }

    /// The cells of a range.
    static func lift(_ range: GridRange, _ sheet: Int, _ spreadsheet: Spreadsheet) -> [[Content]] {
        let grid = spreadsheet.sheets[sheet].grid
        let reader = CellReader(spreadsheet)
        return range.rows(in: grid).map { row in
            let cells = grid[row]
            return range.columns(in: grid).map { column in
                let cell = cells[column]
                var computed = cell.value
                if case .formula = cell.value {
                    computed =
                        switch reader.value(cell, sheet: sheet, row: row, column: column) {
                        case .empty: .empty
                        case .number(let number): .number(number)
                        case .text(let text): .text(text)
                        case .boolean(let value): .boolean(value)
                        case .error(let error): .text(error.rawValue)
                        }
                }
                return Content(cell: cell, extras: cells.extras[column] ?? JSONObject(), computed: computed)
            }
        }
    }

    private static func transposed(_ block: [[Content]]) -> [[Content]] {
        (block.first?.indices ?? 0..<0).map { column in block.map { $0[column] } }
    }

    /// Puts lifted cells down; formulas that were copied from an origin refer to cells as far away as before.
    static func put(
        _ block: [[Content]], _ parts: Parts, row: Int, column: Int, _ sheet: Int, _ spreadsheet: inout Spreadsheet,
        origin: (row: Int, column: Int)?
    ) throws(RequestError) {
        let grid = spreadsheet.sheets[sheet].grid
        let end = (row + block.count, column + (block.first?.count ?? 0))
        guard row >= 0, column >= 0, end.0 <= grid.rowCount, end.1 <= grid.columnCount else {
            let range = GridRange(
                sheetID: spreadsheet.sheets[sheet].id, rows: row..<max(end.0, row + 1),
                columns: column..<max(end.1, column + 1))
            throw RequestError(
                "Range (\(A1.text(range, title: spreadsheet.sheets[sheet].title))) exceeds grid limits. "
                    + "Max rows: \(grid.rowCount), max columns: \(grid.columnCount)")
        }
        for (down, line) in block.enumerated() {
            spreadsheet.sheets[sheet].grid.update(row: row + down) { cells in
                for (across, content) in line.enumerated() {
                    var cell = cells[column + across]
                    if parts.values {
                        cell.value = parts.formulas ? content.cell.value : content.computed
                        if let origin, case .formula(let text) = cell.value {
                            cell.value = .formula(
                                FormulaReferences.moved(text, rows: row - origin.row, columns: column - origin.column))
                        }
                    }
                    if parts.formats { cell.format = content.cell.format }
                    cells[column + across] = cell
                    guard parts.extras || parts.validation else { continue }
                    var extras = parts.extras ? content.extras : cells.extras[column + across] ?? JSONObject()
                    if !parts.extras { extras["dataValidation"] = content.extras["dataValidation"] }
                    cells.setExtras(extras, column: column + across)
                }
            }
        }
    }

    private static func copyMerges(
        _ from: GridRange, _ source: Int, _ to: GridRange, _ target: Int, _ spreadsheet: inout Spreadsheet
    ) {
        let id = spreadsheet.sheets[target].id
        for merge in spreadsheet.sheets[source].merges where from.contains(merge) {
            let copy = merge.moved(
                to: id, rows: (to.startRow ?? 0) - (from.startRow ?? 0),
                columns: (to.startColumn ?? 0) - (from.startColumn ?? 0))
            guard !spreadsheet.sheets[target].merges.contains(where: { $0.overlaps(copy) }) else { continue }
            spreadsheet.sheets[target].merges.append(copy)
        }
    }
}

extension GridRange {
    /// The range so many rows and columns further, on a sheet.
    func moved(to sheetID: Int, rows: Int, columns: Int) -> GridRange {
        var range = self
        range.sheetID = sheetID
        range.startRow = startRow.map { $0 + rows }
        range.endRow = endRow.map { $0 + rows }
        range.startColumn = startColumn.map { $0 + columns }
        range.endColumn = endColumn.map { $0 + columns }
        return range
    }
}
