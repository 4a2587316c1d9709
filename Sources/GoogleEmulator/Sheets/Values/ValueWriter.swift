import JSON

/// Writes the values of Google's `ValueRange` into a spreadsheet.
struct ValueWriter {
    /// What was written.
    struct Update {
        let range: GridRange
        /// The place of the range's sheet.
        let sheet: Int
        let rows: Int
        let columns: Int
        let cells: Int
    }

    private let parses: Bool

    /// Takes `valueInputOption`.
    init(inputOption: String?) throws(RequestError) {
        switch inputOption {
        case "RAW": parses = false
        case "USER_ENTERED": parses = true
        default: throw RequestError("'valueInputOption' is required but not specified")
        }
    }

    /// The lines of a `ValueRange` as rows.
    static func rows(_ json: JSON) -> [[JSON]] {
        let lines = json["values"]?.array?.map { $0.array ?? [] } ?? []
        guard json["majorDimension"]?.string == "COLUMNS" else { return lines }
        let count = lines.reduce(0) { max($0, $1.count) }
        return (0..<count).map { row in lines.map { row < $0.count ? $0[row] : .null } }
    }

    /// Writes rows into a range, from its first cell on.
    ///
    /// Null leaves a cell as it is, an empty text clears it. A range of one cell takes as many values as come.
    func write(_ rows: [[JSON]], to range: GridRange, in spreadsheet: inout Spreadsheet) throws(RequestError) -> Update
    {
        let index = try spreadsheet.grid(range.sheetID)
        try CellRequests.check(range, in: spreadsheet.sheets[index])
        let place = range.bounded(by: spreadsheet.sheets[index].grid)
        let (top, left) = (place.startRow ?? 0, place.startColumn ?? 0)
        try checkSize(rows, range, place, spreadsheet.sheets[index])
        let width = rows.reduce(1) { max($0, $1.count) }
        var isTouched = [Bool](repeating: false, count: width)
        var touchedRows = 0
        var cells = 0
        let dayFirst = !["en_US", "en_PH", "en_BZ"].contains(spreadsheet.locale)
        var formats = spreadsheet.formats
        defer { spreadsheet.formats = formats }
        for (offset, values) in rows.enumerated() {
            var changes: [(column: Int, entry: UserEntry)] = []
            changes.reserveCapacity(values.count)
            for (column, value) in values.enumerated() where !value.isNull {
                guard let entry = try entry(value, dayFirst) else {
                    let kind = value.array == nil ? "struct_value" : "list_value"
                    throw RequestError("Invalid values[\(offset)][\(column)]: \(kind) {\n}\n")
                }
                changes.append((left + column, entry))
                isTouched[column] = true
            }
            guard !changes.isEmpty else { continue }
            touchedRows += 1
            cells += changes.count
            spreadsheet.sheets[index].grid.update(row: top + offset) { row in
                row.reserve((changes.last?.column ?? -1) + 1)
                for change in changes { Self.set(change.entry, column: change.column, in: &row, &formats) }
            }
        }
        return Update(
            range: GridRange(
                sheetID: range.sheetID, rows: top..<top + max(rows.count, 1), columns: left..<left + width),
            sheet: index, rows: touchedRows, columns: isTouched.count { $0 }, cells: cells)
    }

    private func entry(_ value: JSON, _ dayFirst: Bool) throws(RequestError) -> UserEntry? {
        switch value {
        case .string(let text):
            try CellChange.check(.text(text))
            return parses ? UserEntry(text, dayFirst: dayFirst) : UserEntry(raw: .text(text))
        case .number(let number): return UserEntry(raw: .number(number.double))
        case .bool(let value): return UserEntry(raw: .boolean(value))
        default: return nil
        }
    }

    private static func set(
        _ entry: UserEntry, column: Int, in row: inout Grid.Row, _ formats: inout FormatTable
    ) {
        var cell = row[column]
        cell.value = entry.value
        // A format that somebody chose stays; only the automatic one makes way.
        if let new = entry.format, formats[cell.format]["numberFormat"] == nil {
            var format = formats[cell.format]
            format["numberFormat"] = ["type": .string(new.type), "pattern": .string(new.pattern)]
            cell.format = formats.number(of: format)
        }
        row[column] = cell
    }

    private func checkSize(
        _ rows: [[JSON]], _ asked: GridRange, _ place: GridRange, _ sheet: Sheet
    ) throws(RequestError) {
        let isCell = place.endRow == (place.startRow ?? 0) + 1 && place.endColumn == (place.startColumn ?? 0) + 1
        let lastRow = isCell ? sheet.grid.rowCount : place.endRow ?? 0
        let lastColumn = isCell ? sheet.grid.columnCount : place.endColumn ?? 0
        let height = (place.startRow ?? 0) + rows.count
        guard height <= lastRow else {
            throw RequestError(
                "Requested writing within range [\(A1.text(place, title: sheet.title))], but tried writing to row "
                    + "[\(lastRow + 1)]")
        }
        let width = (place.startColumn ?? 0) + rows.reduce(0) { max($0, $1.count) }
        guard width <= lastColumn else {
            throw RequestError(
                "Requested writing within range [\(A1.text(place, title: sheet.title))], but tried writing to column "
                    + "[\(A1.letters(lastColumn))]")
        }
    }
}

extension UserEntry {
    /// A value that is taken as it is; an empty text clears the cell.
    fileprivate init(raw value: CellValue) { self.init(unparsed: value == .text("") ? .empty : value) }
}
