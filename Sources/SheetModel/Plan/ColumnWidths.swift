import JSON

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
        var pixels = columns.enumerated().map { index, column in
            column.width ?? (index < template.count ? template[index] : nil)
        }
        guard pixels.contains(nil) else { return pixels.compactMap(\.self) }
        var characters = [Int](repeating: 0, count: columns.count)
        // Rows from all over the sheet, fewer of them where it is very wide.
        let count = min(sheet.rows.count, max(10, min(sampledRows, sampledCells / max(1, columns.count))))
        for index in 0..<count {
            var cursor = sheet.rows.cursor(from: index * sheet.rows.count / count)
            guard let line = try? cursor.next() else { continue }
            measure(line, columns, &characters)
        }
        for (index, column) in columns.enumerated() where pixels[index] == nil {
            // Bold letters are about a tenth wider than the 7 pixels of a plain one.
            let header = TextWidth.ofWidestLine(in: column.name, limit: widestHeader) * 8
            let width = max(characters[index] * 7, min(header, widestHeader)) + padding
            pixels[index] = min(max((width + 4) / 5 * 5, narrowest), widest)
        }
        return pixels.compactMap(\.self)
    }

    /// Takes note of how long the cells of a row are as they are shown, about.
    private static func measure(_ line: ArraySlice<UInt8>, _ columns: [Column], _ characters: inout [Int]) {
        let span = line.span
        // Behind the bracket that opens the line.
        var offset = 1
        for (index, column) in columns.enumerated() {
            guard offset < span.count, span[offset] != UInt8(ascii: "]") else { return }
            let end = RowLine.end(ofCellAt: offset, in: span)
            let length =
                self.characters(of: span.extracting(offset..<end), in: column)
                ?? self.characters(
                    ofDecoded: Array(line[line.startIndex + offset..<line.startIndex + end]), in: column)
            characters[index] = max(characters[index], length)
            offset = end + 1
        }
    }

    /// How long a cell is whose bytes tell that; nil for others.
    private static func characters(of cell: Span<UInt8>, in column: Column) -> Int? {
        switch cell[0] {
        case UInt8(ascii: "n"): return 0
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return 5
        case UInt8(ascii: "["): return nil
        case UInt8(ascii: "\""):
            if column.type == .formula { return 12 }
            for index in cell.indices where cell[index] >= 0x80 || cell[index] == UInt8(ascii: "\\") { return nil }
            return min(cell.count - 2, widest / 7)
        default:
            guard let plain = PlainNumeral(cell) else { return nil }
            let isNegative = cell[0] == UInt8(ascii: "-")
            // A double says of itself that it is one: 5.0.
            return characters(
                wholeDigits: plain.wholeCount - (isNegative ? 1 : 0), isNegative: isNegative,
                spelled: plain.count + (plain.count == plain.wholeCount ? 2 : 0), in: column)
        }
    }

    private static func characters(ofDecoded cell: [UInt8], in column: Column) -> Int {
        var reader = JSONReader(cell)
        switch (try? RowLine.cell(from: &reader, type: column.type))?.value {
        case nil, .empty?, .boolean?, .formula?: return 0
        case .text(let text)?: return TextWidth.ofWidestLine(in: text, limit: widest / 7)
        case .number(let number)?:
            return characters(
                wholeDigits: number.magnitude < 1e15 ? Int(number.magnitude).description.utf8.count : 15,
                isNegative: number < 0, spelled: number.description.utf8.count, in: column)
        }
    }

    private static func characters(wholeDigits digits: Int, isNegative: Bool, spelled: Int, in column: Column) -> Int {
        // With a comma for each three digits.
        let grouped = digits + (digits - 1) / 3 + (isNegative ? 1 : 0)
        return switch column.type {
        case .date: 10
        case .time: 8
        case .datetime: 19
        case .currency: grouped + 3 + (column.format.map { min($0.utf8.count, 5) } ?? 1)
        case .percent: grouped + 6
        case .integer: grouped
        case .auto, .text, .number, .boolean, .link, .formula:
            max(min(spelled, 12), column.format == nil ? 0 : grouped + 3)
        }
    }
}
