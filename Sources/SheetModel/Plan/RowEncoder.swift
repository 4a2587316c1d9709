import JSON

/// Writes rows as Google's `RowData`.
struct RowEncoder: Sendable {
    private let names: [String]
    private let types: [ColumnType]

    init(columns: [Column]) {
        names = columns.map(\.name)
        types = columns.map(\.type)
    }

    /// The header row.
    func header() -> [UInt8] { Self.encode(names.map { Cell($0.isEmpty ? .empty : .text($0)) }) }

    /// A row of data, filled up with empty cells.
    ///
    /// Empty cells are written too: a row says what each of its cells is, whatever stood there before.
    func row(_ line: ArraySlice<UInt8>) throws(JSONError) -> [UInt8] { Self.encode(try cells(of: line)) }

    /// The cells of a row.
    func cells(of line: ArraySlice<UInt8>) throws(JSONError) -> [Cell] {
        var cells = [Cell](repeating: Cell(.empty), count: types.count)
        var reader = JSONReader(Array(line))
        try reader.beginArray()
        for index in types.indices {
            guard try reader.nextElement() else { break }
            cells[index] = try RowLine.cell(from: &reader, type: types[index])
        }
        return cells
    }

    /// A row of these cells.
    static func encode(_ cells: [Cell]) -> [UInt8] {
        var writer = JSONWriter(reserving: cells.count * 48 + 16)
        writer.object { row in
            row.array("values") { values in
                for cell in cells {
                    values.object { object in
                        write(cell.value, to: &object)
                        if let link = cell.link {
                            object.member("userEnteredFormat", ["textFormat": ["link": ["uri": .string(link)]]])
                        }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// Writes a cell's value, where it has one.
    static func write(_ value: CellValue, to cell: inout JSONWriter) {
        // No form but the last one is ever read as a formula.
        let (name, json): (String, JSON) =
            switch value {
            case .empty: ("", .null)
            case .text(let text): ("stringValue", .string(text))
            case .number(let number): ("numberValue", JSON(number))
            case .boolean(let truth): ("boolValue", .bool(truth))
            case .formula(let formula): ("formulaValue", .string(formula))
            }
        guard !name.isEmpty else { return }
        cell.object("userEnteredValue") { $0.member(name, json) }
    }
}
