public import HTTPTypes

extension HTTPClient {
    /// A whole answer.
    public struct Response: Sendable {
        /// The status.
        public var status: HTTPResponse.Status
        /// The header fields as received; the body is decompressed already, whatever they say.
        public var fields: HTTPFields
        /// The body's bytes, decompressed.
        public var body: [UInt8]

        /// Makes an answer, as a test needs it.
        public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
            self.status = status
            self.fields = fields
            self.body = body
        }
    }
}
