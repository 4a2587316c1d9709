/// Rows of one sheet that have been checked and made into cells, wherever they lie.
///
/// Each row is one line of compact JSON, as `RowLine` describes; a source gives the same lines each time.
public protocol RowSource: Sendable {
    /// How many rows there are.
    var count: Int { get }

    /// Reads the rows from one on, in their order; nothing of the rows before it is read.
    func cursor(from row: Int) -> any RowCursor
}

/// Reads the rows of a source one after another.
public protocol RowCursor: Sendable {
    /// The next row's line; nil behind the last one.
    mutating func next() throws -> ArraySlice<UInt8>?
}
