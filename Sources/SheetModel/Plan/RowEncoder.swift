import JSON

/// Writes rows as Google's `RowData`, from the bytes of their lines straight into those of a request.
struct RowEncoder: Sendable {
    /// A place in a row of the sheet.
    struct Place {
        /// The column that stands there; nil for none of the job's.
        let column: Int?
        /// Google's `NumberFormat` as JSON; nil to write none.
        let format: [UInt8]?
    }

    /// The header as a line like those of a sheet's rows.
    let headerLine: [UInt8]
    private let types: [ColumnType]

    init(columns: [Column]) {
        types = columns.map(\.type)
        headerLine = JSON.array(columns.map { JSON($0.name.isEmpty ? nil : $0.name) }).bytes
    }

    /// Writes a row of data, filled up with empty cells; of a header every cell is a text.
    ///
    /// Empty cells are written too: a row says what each of its cells is, whatever stood there before.
    func append(_ line: Span<UInt8>, isHeader: Bool, to row: inout JSONWriter) {
        // Behind the bracket that opens the line.
        var offset = 1
        row.append(#"{"values":["#)
        for column in types.indices {
            if column > 0 { row.append(UInt8(ascii: ",")) }
            guard offset < line.count, line[offset] != UInt8(ascii: "]") else {
                row.append("{}")
                continue
            }
            let end = RowLine.end(ofCellAt: offset, in: line)
            append(line.extracting(offset..<end), as: isHeader ? .text : types[column], to: &row)
            offset = end + 1
        }
        row.append("]}")
    }

    /// Where each cell of a line stands in it; those that it lacks at its end are left out.
    func cells(of line: Span<UInt8>) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        cells.reserveCapacity(types.count)
        var offset = 1
        while cells.count < types.count, offset < line.count, line[offset] != UInt8(ascii: "]") {
            let end = RowLine.end(ofCellAt: offset, in: line)
            cells.append(offset..<end)
            offset = end + 1
        }
        return cells
    }

    /// Writes some columns of a row of data, in an order of their own.
    func append(_ line: Span<UInt8>, _ columns: [Int], at cells: [Range<Int>], to row: inout JSONWriter) {
        row.append(#"{"values":["#)
        for (index, column) in columns.enumerated() {
            if index > 0 { row.append(UInt8(ascii: ",")) }
            if column < cells.count {
                append(line.extracting(cells[column]), as: types[column], to: &row)
            } else {
                row.append("{}")
            }
        }
        row.append("]}")
    }

    /// Writes the cells of places that stand beside each other, in the sheet's order, with their number formats.
    func append(_ line: Span<UInt8>, _ places: [Place], at cells: [Range<Int>], to row: inout JSONWriter) {
        row.append(#"{"values":["#)
        for (index, place) in places.enumerated() {
            if index > 0 { row.append(UInt8(ascii: ",")) }
            if let column = place.column, column < cells.count {
                append(line.extracting(cells[column]), as: types[column], place.format, to: &row)
            } else {
                appendEmptyCell(place.format, to: &row)
            }
        }
        row.append("]}")
    }

    private func append(_ cell: Span<UInt8>, as type: ColumnType, _ format: [UInt8]? = nil, to row: inout JSONWriter) {
        switch cell[0] {
        case UInt8(ascii: "n"): appendEmptyCell(format, to: &row)
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            append(#"{"userEnteredValue":{"boolValue":"#, cell, format, to: &row)
        case UInt8(ascii: "\"") where type == .link: append(text: cell, link: cell, format, to: &row)
        // No form but this one is ever read as a formula.
        case UInt8(ascii: "\"") where type == .formula:
            append(#"{"userEnteredValue":{"formulaValue":"#, cell, format, to: &row)
        case UInt8(ascii: "\""): append(#"{"userEnteredValue":{"stringValue":"#, cell, format, to: &row)
        case UInt8(ascii: "["):
            let middle = RowLine.end(ofCellAt: 1, in: cell)
            let text = cell.extracting(1..<middle)
            if cell[middle] == UInt8(ascii: "]") { return append(text, as: .text, format, to: &row) }
            append(text: text, link: cell.extracting(middle + 1..<cell.count - 1), format, to: &row)
        default: append(#"{"userEnteredValue":{"numberValue":"#, cell, format, to: &row)
        }
    }

    @inline(__always)
    private func append(
        _ opening: StaticString, _ value: Span<UInt8>, _ format: [UInt8]?, to row: inout JSONWriter
    ) {
        guard let format else { return row.append(opening, value, "}}") }
        row.append(opening, value, #"},"userEnteredFormat":{"numberFormat":"#)
        row.append("", format.span, "}}")
    }

    private func append(text: Span<UInt8>, link: Span<UInt8>, _ format: [UInt8]?, to row: inout JSONWriter) {
        row.append(#"{"userEnteredValue":{"stringValue":"#, text, #"},"userEnteredFormat":{"#)
        if let format { row.append(#""numberFormat":"#, format.span, ",") }
        row.append(#""textFormat":{"link":{"uri":"#, link, "}}}}")
    }

    private func appendEmptyCell(_ format: [UInt8]?, to row: inout JSONWriter) {
        guard let format else { return row.append("{}") }
        row.append(#"{"userEnteredFormat":{"numberFormat":"#, format.span, "}}")
    }
}
