import JSON

/// The values of a range, as `values.get` shows them.
struct ValueRange {
    enum Rendering: String {
        case formatted = "FORMATTED_VALUE"
        case unformatted = "UNFORMATTED_VALUE"
        case formula = "FORMULA"
    }

    enum Dates {
        case serial
        case text
    }

    private let spreadsheet: Spreadsheet
    private let sheet: Sheet
    private let range: GridRange
    private let rendering: Rendering
    private let dates: Dates
    private let byColumns: Bool

    init(
        _ spreadsheet: Spreadsheet, sheet: Sheet, range: GridRange, rendering: Rendering, dates: Dates, byColumns: Bool
    ) {
        self.spreadsheet = spreadsheet
        self.sheet = sheet
        self.range = range.bounded(by: sheet.grid)
        self.rendering = rendering
        self.dates = dates
        self.byColumns = byColumns
    }

    /// Google's `ValueRange`: lines end at their last value, and the list at its last line that has one.
    var json: JSON {
        let formatter = CellFormatter(spreadsheet)
        let rows = range.rows(in: sheet.grid)
        let columns = range.columns(in: sheet.grid)
        let used = rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, sheet.grid.usedRowCount))
        var lines: [[JSON]] = used.map { row in
            let cells = sheet.grid[row]
            return Self.trimmed(columns.map { value(cells[$0], formatter) })
        }
        if byColumns {
            lines = columns.indices.map { column in
                let offset = column - columns.lowerBound
                return Self.trimmed(lines.map { offset < $0.count ? $0[offset] : "" })
            }
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        var object = JSONObject()
        object["range"] = .string(A1.text(range, title: sheet.title))
        object["majorDimension"] = byColumns ? "COLUMNS" : "ROWS"
        if !lines.isEmpty { object["values"] = .array(lines.map(JSON.array)) }
        return .object(object)
    }

    private static func trimmed(_ line: [JSON]) -> [JSON] {
        let end = line.lastIndex { $0 != "" } ?? -1
        return Array(line.prefix(end + 1))
    }

    private func value(_ cell: Cell, _ formatter: CellFormatter) -> JSON {
        switch cell.value {
        case .empty: return ""
        case .text(let text), .formula(let text): return .string(text)
        case .boolean(let value): return rendering == .formatted ? (value ? "TRUE" : "FALSE") : JSON(value)
        case .number(let number):
            let type = spreadsheet.formats[cell.format]["numberFormat"]?["type"]?.string ?? ""
            let showsDate = dates == .text && ["DATE", "TIME", "DATE_TIME"].contains(type)
            return rendering == .formatted || showsDate ? .string(formatter.text(cell)) : JSON(number)
        }
    }
}
