/// One write: a body for `spreadsheets.batchUpdate`.
public struct PlanBatch: Sendable, Hashable {
    /// The number of the batch, from 0.
    public let number: Int
    /// The body, as compact JSON in UTF-8.
    public let body: [UInt8]
    /// The rows of data in it, without headers.
    public let rows: Int
    /// The row that comes next.
    public let end: PlanPosition
}
