import JSON

/// The requests that change texts in cells.
enum TextRequests {
    @Sendable static func findReplace(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON {
        guard let find = request["find"]?.string, !find.isEmpty else {
            throw RequestError("The string to find must not be empty.")
        }
        guard request["searchByRegex"]?.bool != true else {
            throw RequestError("The emulator does not play findReplace with searchByRegex.", code: 501)
        }
        let replacement = request["replacement"]?.string ?? ""
        let matchesCase = request["matchCase"]?.bool == true
        let matchesEntire = request["matchEntireCell"]?.bool == true
        var values = 0
        var formulas = 0
        var rows = 0
        var sheets = 0
        var occurrences = 0
        for (sheet, range) in try scope(request, spreadsheet) {
            var touchedRows = 0
            try change(range, sheet, &spreadsheet) { cell, isFirstOfRow in
                let (text, isFormula) = Self.text(cell)
                guard let text, !isFormula || request["includeFormulas"]?.bool == true else { return nil }
                let (result, count) = text.replacing(
                    find, with: replacement, matchesCase: matchesCase, matchesEntire: matchesEntire)
                guard count > 0 else { return nil }
                occurrences += count
                if isFormula { formulas += 1 } else { values += 1 }
                if isFirstOfRow { touchedRows += 1 }
                return UserEntry(result).value
            }
            rows += touchedRows
            if touchedRows > 0 { sheets += 1 }
        }
        var reply = JSONObject()
        for (name, count) in [
            ("valuesChanged", values), ("formulasChanged", formulas), ("rowsChanged", rows), ("sheetsChanged", sheets),
            ("occurrencesChanged", occurrences),
        ] where count > 0 {
            reply[name] = JSON(count)
        }
        return ["findReplace": .object(reply)]
    }

    private static func scope(
        _ request: JSON, _ spreadsheet: Spreadsheet
    ) throws(RequestError) -> [(sheet: Int, range: GridRange)] {
        if let range = request["range"] { return [try CellRequests.area(range, spreadsheet)] }
        if let id = request["sheetId"]?.int { return [(try spreadsheet.sheet(id), GridRange(sheetID: id))] }
        guard request["allSheets"]?.bool == true else {
            throw RequestError("Must specify one of range, sheetId or allSheets.")
        }
        return spreadsheet.sheets.enumerated().map { ($0, GridRange(sheetID: $1.id)) }
    }

    private static func text(_ cell: Cell) -> (text: String?, isFormula: Bool) {
        switch cell.value {
        case .empty: (nil, false)
        case .text(let text): (text, false)
        case .number(let number): (NumberPattern("").text(number), false)
        case .boolean(let value): (value ? "TRUE" : "FALSE", false)
        case .formula(let text): (text, true)
        }
    }

    @Sendable static func trimWhitespace(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let (sheet, range) = try CellRequests.area(request["range"], spreadsheet)
        var count = 0
        try change(range, sheet, &spreadsheet) { cell, _ in
            guard case .text(let text) = cell.value else { return nil }
            let trimmed = text.split(whereSeparator: { $0 == " " || $0.isNewline || $0 == "\t" }).joined(separator: " ")
            guard trimmed != text else { return nil }
            count += 1
            return trimmed.isEmpty ? .empty : .text(trimmed)
        }
        return ["trimWhitespace": count > 0 ? ["cellsChangedCount": JSON(count)] : [:]]
    }

    @Sendable static func textToColumns(_ request: JSON, _ spreadsheet: inout Spreadsheet) throws(RequestError) -> JSON
    {
        let (sheet, range) = try CellRequests.area(request["source"], spreadsheet)
        let columns = range.columns(in: spreadsheet.sheets[sheet].grid)
        guard columns.count == 1 else { throw RequestError("The source must span exactly one column.") }
        let delimiter: String? =
            switch request["delimiterType"]?.string {
            case "COMMA": ","
            case "SEMICOLON": ";"
            case "PERIOD": "."
            case "SPACE": " "
            case "CUSTOM": request["delimiter"]?.string
            default: nil
            }
        let grid = spreadsheet.sheets[sheet].grid
        let rows = range.rows(in: grid)
        for row in rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount)) {
            guard case .text(let text) = grid[row][columns.lowerBound].value else { continue }
            let mark = delimiter ?? [",", ";", "."].first { text.contains($0) } ?? " "
            let parts = text.split(separator: mark, omittingEmptySubsequences: false)
            let current = spreadsheet.sheets[sheet].grid
            spreadsheet.sheets[sheet].grid.resize(
                rowCount: current.rowCount, columnCount: max(current.columnCount, columns.lowerBound + parts.count))
            spreadsheet.sheets[sheet].grid.update(row: row) { cells in
                for (offset, part) in parts.enumerated() {
                    cells[columns.lowerBound + offset].value = UserEntry(String(part)).value
                }
            }
        }
        return [:]
    }

    /// Changes the values of cells; nil leaves one as it is.
    private static func change(
        _ range: GridRange, _ sheet: Int, _ spreadsheet: inout Spreadsheet,
        _ change: (Cell, _ isFirstOfRow: Bool) -> CellValue?
    ) throws(RequestError) {
        let grid = spreadsheet.sheets[sheet].grid
        let rows = range.rows(in: grid)
        let columns = range.columns(in: grid)
        for row in rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, grid.usedRowCount)) {
            let cells = grid[row]
            var changed: [(column: Int, value: CellValue)] = []
            for column in columns.lowerBound..<max(columns.lowerBound, min(columns.upperBound, cells.cells.count)) {
                guard let value = change(cells[column], changed.isEmpty) else { continue }
                try CellChange.check(value)
                changed.append((column, value))
            }
            guard !changed.isEmpty else { continue }
            spreadsheet.sheets[sheet].grid.update(row: row) { row in
                for change in changed { row[change.column].value = change.value }
            }
        }
    }
}

extension String {
    /// The text with each occurrence of another one replaced, and how many there were.
    fileprivate func replacing(
        _ find: String, with replacement: String, matchesCase: Bool, matchesEntire: Bool
    ) -> (String, Int) {
        let source = Array(self)
        let pattern = Array(matchesCase ? find : find.lowercased())
        func fits(_ offset: Int) -> Bool {
            guard offset + pattern.count <= source.count else { return false }
            return pattern.indices.allSatisfy { index in
                let character = source[offset + index]
                return (matchesCase ? String(character) : character.lowercased()) == String(pattern[index])
            }
        }
        if matchesEntire { return source.count == pattern.count && fits(0) ? (replacement, 1) : (self, 0) }
        var result = ""
        var count = 0
        var offset = 0
        while offset < source.count {
            if fits(offset) {
                result += replacement
                count += 1
                offset += pattern.count
            } else {
                result.append(source[offset])
                offset += 1
            }
        }
        return (result, count)
    }
}
