/// Widths for the columns of a sheet, from their headings and a sample of their values.
enum ColumnWidths {
    private static let narrowest = 60
    private static let widest = 400
    private static let widestHeader = 200
    private static let padding = 18
    private static let sampledRows = 200
    private static let sampledCells = 20_000

    /// The width of each column in pixels; a column's own `width` wins, then the template's.
    static func pixels(of sheet: CheckedSheet, template: [Int]) -> [Int] {
        let columns = sheet.columns
        // Rows from all over the sheet, fewer of them where it is very wide.
        let count = min(sheet.rows.count, max(10, min(sampledRows, sampledCells / max(1, columns.count))))
        let decoder = RowDecoder(columns)
        let sample = (0..<count).map { index -> [Cell] in
            var cursor = sheet.rows.cursor(from: index * sheet.rows.count / count)
            return (try? cursor.next().map(decoder.cells)) ?? []
        }
        return columns.enumerated().map { index, column in
            if let width = column.width { return width }
            if index < template.count { return template[index] }
            var characters = 0
            for row in sample where index < row.count {
                characters = max(characters, self.characters(of: row[index].value, in: column))
            }
            // Bold letters are about a tenth wider than the 7 pixels of a plain one.
            let header = TextWidth.ofWidestLine(in: column.name, limit: widestHeader) * 8
            let width = max(characters * 7, min(header, widestHeader)) + padding
            return min(max((width + 4) / 5 * 5, narrowest), widest)
        }
    }

    /// How long a value is as it is shown, about.
    private static func characters(of value: CellValue, in column: Column) -> Int {
        switch value {
        case .empty: return 0
        case .text(let text): return TextWidth.ofWidestLine(in: text, limit: widest / 7)
        case .boolean: return 5
        case .formula: return 12
        case .number(let number):
            // With a comma for each three digits.
            let digits = number.magnitude < 1e15 ? Int(number.magnitude).description.utf8.count : 15
            let grouped = digits + (digits - 1) / 3 + (number < 0 ? 1 : 0)
            return switch column.type {
            case .date: 10
            case .time: 8
            case .datetime: 19
            case .currency: grouped + 3 + (column.format.map { min($0.utf8.count, 5) } ?? 1)
            case .percent: grouped + 6
            case .integer: grouped
            case .auto, .text, .number, .boolean, .link, .formula:
                max(min(number.description.utf8.count, 12), column.format == nil ? 0 : grouped + 3)
            }
        }
    }
}
