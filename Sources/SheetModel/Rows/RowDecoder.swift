public import JSON

/// Reads the lines of a row source back into cells.
public struct RowDecoder: Sendable {
    private let types: [ColumnType]

    /// Makes a decoder for a sheet's columns.
    public init(_ columns: [Column]) { types = columns.map(\.type) }

    /// The cells of a row, one for each column.
    public func cells(of line: ArraySlice<UInt8>) throws(JSONError) -> [Cell] {
        var cells = [Cell](repeating: Cell(.empty), count: types.count)
        var reader = JSONReader(Array(line))
        try reader.beginArray()
        for index in types.indices {
            guard try reader.nextElement() else { break }
            cells[index] = try RowLine.cell(from: &reader, type: types[index])
        }
        return cells
    }
}
