public import JSON

/// Reads the lines of a row source back into cells.
public struct RowDecoder: Sendable {
    private let encoder: RowEncoder

    /// Makes a decoder for a sheet's columns.
    public init(_ columns: [Column]) { encoder = RowEncoder(columns: columns) }

    /// The cells of a row, one for each column.
    public func cells(of line: ArraySlice<UInt8>) throws(JSONError) -> [Cell] { try encoder.cells(of: line) }
}
