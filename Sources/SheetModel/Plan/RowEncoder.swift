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
    func append(_ line: ArraySlice<UInt8>, isHeader: Bool, to bytes: inout [UInt8]) {
        let span = line.span
        // Behind the bracket that opens the line.
        var offset = 1
        bytes += Self.row
        for column in types.indices {
            if column > 0 { bytes.append(UInt8(ascii: ",")) }
            guard offset < span.count, span[offset] != UInt8(ascii: "]") else {
                bytes += Self.empty
                continue
            }
            let end = RowLine.end(ofCellAt: offset, in: span)
            let place = line.startIndex + offset..<line.startIndex + end
            switch span[offset] {
            case UInt8(ascii: "n"): bytes += Self.empty
            case UInt8(ascii: "t"), UInt8(ascii: "f"): append(line[place], as: Self.boolean, to: &bytes)
            case UInt8(ascii: "\""):
                switch isHeader ? .text : types[column] {
                // No form but this one is ever read as a formula.
                case .formula: append(line[place], as: Self.formula, to: &bytes)
                case .link: append(text: line[place], link: line[place], to: &bytes)
                default: append(line[place], as: Self.text, to: &bytes)
                }
            case UInt8(ascii: "["):
                let middle = line.startIndex + RowLine.end(ofCellAt: offset + 1, in: span)
                append(
                    text: line[place.lowerBound + 1..<middle], link: line[middle + 1..<place.upperBound - 1], to: &bytes
                )
            default: append(line[place], as: Self.number, to: &bytes)
            }
            offset = end + 1
        }
        bytes += Self.rowEnd
    }

    private static let row = Array(#"{"values":["#.utf8)
    private static let rowEnd = Array("]}".utf8)
    private static let empty = Array("{}".utf8)
    private static let text = Array(#"{"userEnteredValue":{"stringValue":"#.utf8)
    private static let number = Array(#"{"userEnteredValue":{"numberValue":"#.utf8)
    private static let boolean = Array(#"{"userEnteredValue":{"boolValue":"#.utf8)
    private static let formula = Array(#"{"userEnteredValue":{"formulaValue":"#.utf8)
    private static let cellEnd = Array("}}".utf8)
    private static let link = Array(#"},"userEnteredFormat":{"textFormat":{"link":{"uri":"#.utf8)
    private static let linkEnd = Array("}}}}".utf8)

    private func append(_ value: ArraySlice<UInt8>, as form: [UInt8], to bytes: inout [UInt8]) {
        bytes += form
        bytes += value
        bytes += Self.cellEnd
    }

    private func append(text: ArraySlice<UInt8>, link: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes += Self.text
        bytes += text
        bytes += Self.link
        bytes += link
        bytes += Self.linkEnd
    }
}
