public import HTTPTypes

extension HTTPClient {
    /// One request with all that its sending needs to know.
    public struct Request: Sendable {
        /// The method.
        public var method: HTTPRequest.Method
        /// The absolute URL, `http` or `https`, already percent-encoded.
        public var url: String
        /// Header fields beside those that libcurl sets itself (Host, Content-Length, Accept-Encoding, User-Agent).
        public var fields: HTTPFields
        /// The body's bytes; may be empty.
        public var body: [UInt8]
        /// The longest time for the whole exchange, connecting included.
        public var timeout: Duration
        /// The most bytes the answer's body may have after decompression.
        public var largestAnswer: Int
        /// Whether the server is so near that no proxy of the environment leads to it.
        public var bypassesProxy = false
        /// Asked on the client's thread right before the first byte is sent and before each piece of the body; where it says
        /// no, the request is cancelled.
        public var condition: @Sendable () -> Bool = { true }

        /// Makes a request; the time-out's default is a little more than the 180 s that Google allows itself for one.
        public init(
            method: HTTPRequest.Method, url: String, fields: HTTPFields = [:], body: [UInt8] = [],
            timeout: Duration = .seconds(200), largestAnswer: Int = 32 << 20
        ) {
            self.method = method
            self.url = url
            self.fields = fields
            self.body = body
            self.timeout = timeout
            self.largestAnswer = largestAnswer
        }

        /// Whether the URL's scheme is `https`, or `http`; nil for every other text.
        var isEncrypted: Bool? {
            switch url.prefix(while: { $0 != ":" }).lowercased() {
            case "https" where url.dropFirst(5).hasPrefix("://"): true
            case "http" where url.dropFirst(4).hasPrefix("://"): false
            default: nil
            }
        }

        /// The host and port for errors: never a user name, path or query.
        var host: String {
            guard let scheme = url.firstRange(of: "://") else { return "" }
            let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            return String(authority.split(separator: "@", omittingEmptySubsequences: false).last ?? authority)
        }
    }
}
