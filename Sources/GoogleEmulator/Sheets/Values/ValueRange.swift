import JSON

/// The values of a range, as `values.get` shows them.
struct ValueRange {
    enum Rendering: String {
        case formatted = "FORMATTED_VALUE"
        case unformatted = "UNFORMATTED_VALUE"
        case formula = "FORMULA"
    }

    /// How a caller wants values.
    struct Options {
        var rendering = Rendering.formatted
        /// Whether dates are text where other numbers stay numbers.
        var showsDates = false
        var byColumns = false

        /// Takes the spellings of the API.
        init(rendering: String?, dates: String?, dimension: String?) {
            self.rendering = rendering.flatMap(Rendering.init) ?? .formatted
            showsDates = dates == "FORMATTED_STRING"
            byColumns = dimension == "COLUMNS"
        }
    }

    private let reader: CellReader
    private let index: Int
    private let range: GridRange
    private let options: Options

    /// - Parameters:
    ///   - sheet: the place of the range's sheet
    init(_ reader: CellReader, sheet index: Int, range: GridRange, options: Options) {
        self.reader = reader
        self.index = index
        self.range = range.bounded(by: reader.spreadsheet.sheets[index].grid)
        self.options = options
    }

    /// Google's `ValueRange`: lines end at their last value, and the list at its last line that has one.
    var json: JSON {
        let sheet = reader.spreadsheet.sheets[index]
        let rows = range.rows(in: sheet.grid)
        let columns = range.columns(in: sheet.grid)
        let used = rows.lowerBound..<max(rows.lowerBound, min(rows.upperBound, sheet.grid.usedRowCount))
        var lines: [[JSON]] = used.map { line(sheet.grid[$0], row: $0, columns) }
        if options.byColumns {
            lines = columns.indices.map { column in
                let offset = column - columns.lowerBound
                return Self.trimmed(lines.map { offset < $0.count ? $0[offset] : "" })
            }
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        var object = JSONObject()
        object["range"] = .string(A1.text(range, title: sheet.title))
        object["majorDimension"] = options.byColumns ? "COLUMNS" : "ROWS"
        if !lines.isEmpty { object["values"] = .array(lines.map(JSON.array)) }
        return .object(object)
    }

    private func line(_ cells: Grid.Row, row: Int, _ columns: Range<Int>) -> [JSON] {
        let end = max(columns.lowerBound, min(columns.upperBound, cells.cells.count))
        return Self.trimmed(
            (columns.lowerBound..<end).map { column in
                reader.json(
                    cells[column], sheet: index, row: row, column: column, rendering: options.rendering,
                    showsDates: options.showsDates)
            })
    }

    private static func trimmed(_ line: [JSON]) -> [JSON] {
        let end = line.lastIndex { $0 != "" } ?? -1
        return Array(line.prefix(end + 1))
    }
}
