/// One write, and how it is sent.
public struct PlanBatch: Sendable, Hashable {
    /// The method of Sheets that takes the body.
    public enum Method: Sendable, Hashable {
        /// `spreadsheets.batchUpdate`: everything there is.
        case batchUpdate
        /// `spreadsheets.values.batchUpdateByDataFilter`: values alone, entered as they are (`RAW`).
        case values
    }

    /// The number of the batch, from 0.
    public let number: Int
    /// The method that takes the body.
    public let method: Method
    /// The body, as compact JSON in UTF-8.
    public let body: [UInt8]
    /// The rows of data in it, without headers.
    public let rows: Int
    /// The row that comes next.
    public let end: PlanPosition
}
