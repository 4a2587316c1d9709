import JSON

/// Writes rows as Google's `RowData`, from the bytes of their lines straight into those of a request.
struct RowEncoder: Sendable {
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
    func append(_ line: Span<UInt8>, isHeader: Bool, to row: inout LineBuffer) {
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
    func append(_ line: Span<UInt8>, _ columns: [Int], at cells: [Range<Int>], to row: inout LineBuffer) {
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

    private func append(_ cell: Span<UInt8>, as type: ColumnType, to row: inout LineBuffer) {
        switch cell[0] {
        case UInt8(ascii: "n"): return row.append("{}")
        case UInt8(ascii: "t"), UInt8(ascii: "f"): row.append(#"{"userEnteredValue":{"boolValue":"#)
        case UInt8(ascii: "\""):
            if type == .link { return append(text: cell, link: cell, to: &row) }
            // No form but the first one is ever read as a formula.
            if type == .formula {
                row.append(#"{"userEnteredValue":{"formulaValue":"#)
            } else {
                row.append(#"{"userEnteredValue":{"stringValue":"#)
            }
        case UInt8(ascii: "["):
            let middle = RowLine.end(ofCellAt: 1, in: cell)
            if cell[middle] == UInt8(ascii: "]") { return append(cell.extracting(1..<middle), as: .text, to: &row) }
            return append(
                text: cell.extracting(1..<middle), link: cell.extracting(middle + 1..<cell.count - 1), to: &row)
        default: row.append(#"{"userEnteredValue":{"numberValue":"#)
        }
        row.append(cell)
        row.append("}}")
    }

    private func append(text: Span<UInt8>, link: Span<UInt8>, to row: inout LineBuffer) {
        row.append(#"{"userEnteredValue":{"stringValue":"#)
        row.append(text)
        row.append(#"},"userEnteredFormat":{"textFormat":{"link":{"uri":"#)
        row.append(link)
        row.append("}}}}")
    }
}
