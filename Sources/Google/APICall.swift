public import HTTPTypes

/// What became of one HTTP exchange with Drive or Sheets, for counting.
public struct APICall: Sendable {
    /// The API.
    public let service: APIRequest.Service
    /// The method; Google counts all but GET as writes.
    public let method: HTTPRequest.Method
    /// The HTTP status; nil where no answer came.
    public let status: Int?
    /// From sending to the whole answer.
    public let duration: Duration
    /// The bytes of the request's body as it was sent, compressed or not.
    public let requestSize: Int
    /// The bytes of the answer's body, decompressed.
    public let responseSize: Int

    /// Whether it counts against the quota of writes.
    public var isWrite: Bool { method != .get }
}
