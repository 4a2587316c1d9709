/// Why there is no answer.
///
/// Holds the host, never the path, the query, a header or a body.
public struct HTTPError: Error, Sendable, Hashable {
    /// What went wrong, in a form that programs compare.
    public enum Code: String, Sendable, CaseIterable {
        /// The host's name, or the proxy's, has no address.
        case resolve
        /// No connection within the time allowed.
        case connect
        /// No agreement on TLS, or a certificate that is not trusted.
        case tls
        /// The whole exchange took longer than the request allows.
        case timedOut
        /// The connection broke before the answer was complete.
        case connectionLost
        /// The answer has more bytes than the request allows.
        case answerTooLarge
        /// What came back is not HTTP, or does not decompress.
        case badAnswer
        /// The task was cancelled.
        case cancelled
        /// The client is shut down.
        case closed
        /// The URL is not an absolute `http` or `https` one.
        case invalidURL
        /// Anything else, such as a lack of memory.
        case failed
    }

    /// What went wrong.
    public let code: Code
    /// The host, with its port where the URL has one; empty where the URL has none.
    public let host: String
    /// libcurl's own words; may be empty.
    public let detail: String
    /// Whether the server may have acted on the request: false only when it is sure that no byte of it was sent.
    public let mayHaveReachedServer: Bool

    /// Makes an error, as a test needs it too.
    public init(_ code: Code, host: String = "", detail: String = "", mayHaveReachedServer: Bool = false) {
        self.code = code
        self.host = host
        self.detail = detail
        self.mayHaveReachedServer = mayHaveReachedServer
    }
}

extension HTTPError: CustomStringConvertible {
    /// What happened and where to look, for a person.
    public var description: String {
        let place = host.isEmpty ? "the server" : host
        let sentence =
            switch code {
            case .resolve: "the name \(place) could not be resolved; check the name server and the network"
            case .connect: "no connection to \(place); check the network, the firewall and the proxy"
            case .tls: "no trusted connection to \(place); check the system's certificates, its clock and the proxy"
            case .timedOut: "\(place) did not answer in time"
            case .connectionLost: "the connection to \(place) broke before the answer was complete"
            case .answerTooLarge: "\(place) sent a larger answer than was asked for"
            case .badAnswer: "\(place) sent something that is not a proper HTTP answer"
            case .cancelled: "the request to \(place) was cancelled"
            case .closed: "the request to \(place) was not made, because the HTTP client is shut down"
            case .invalidURL: "not an absolute http or https URL"
            case .failed: "the request to \(place) failed"
            }
        return detail.isEmpty ? sentence : "\(sentence) (\(detail))"
    }
}
