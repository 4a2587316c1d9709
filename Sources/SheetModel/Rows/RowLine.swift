import JSON

/// A row of cells as one line of compact JSON, small enough to keep and quick to send.
///
/// The line is an array with one element a column: a number, `true` or `false`, a string, or `null` for an empty cell. What a
/// string is, its column's type says: in a column of formulas it is one, in a column of links it is text that links to itself,
/// everywhere else it is text. A cell whose text is not the URL that it links to is an array of both, the text first; one of
/// plain text in a column of formulas or links is an array of the text alone. Such a line is what `values.update` takes as a row,
/// as long as no column has links or formulas.
enum RowLine {
    /// Writes one cell of a row, for a column of a type.
    static func write(_ cell: Cell, as type: ColumnType, to row: inout JSONWriter) {
        switch cell.value {
        case .empty: row.element(.null)
        case .number(let number): row.element(JSON(number))
        case .boolean(let truth): row.element(.bool(truth))
        case .formula(let formula): row.string(formula)
        case .text(let text):
            if let link = cell.link, link != text {
                row.array {
                    $0.string(text)
                    $0.string(link)
                }
            } else if cell.link == nil, type == .link || type == .formula {
                row.array { $0.string(text) }
            } else {
                row.string(text)
            }
        }
    }

    /// Reads the cell that comes next.
    static func cell(from reader: inout JSONReader, type: ColumnType) throws(JSONError) -> Cell {
        switch reader.peek() {
        case UInt8(ascii: "\""):
            let text = try reader.string()
            if type == .formula { return Cell(.formula(text)) }
            return Cell(.text(text), link: type == .link ? text : nil)
        case UInt8(ascii: "["):
            try reader.beginArray()
            _ = try reader.nextElement()
            let text = try reader.string()
            guard try reader.nextElement() else { return Cell(.text(text)) }
            let link = try reader.string()
            _ = try reader.nextElement()
            return Cell(.text(text), link: link)
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return Cell(.boolean(try reader.bool()))
        case UInt8(ascii: "n"):
            _ = try reader.value()
            return Cell(.empty)
        default: return Cell(.number(try reader.number().double))
        }
    }

    /// Where a cell ends that begins at an offset of a line.
    static func end(ofCellAt start: Int, in line: Span<UInt8>) -> Int {
        var offset = start
        switch line[start] {
        case UInt8(ascii: "\""):
            offset += 1
            while line[offset] != UInt8(ascii: "\"") { offset += line[offset] == UInt8(ascii: "\\") ? 2 : 1 }
            return offset + 1
        case UInt8(ascii: "["):
            while line[offset] != UInt8(ascii: "]") { offset = end(ofCellAt: offset + 1, in: line) }
            return offset + 1
        default:
            while line[offset] != UInt8(ascii: ","), line[offset] != UInt8(ascii: "]") { offset += 1 }
            return offset
        }
    }
}
