/// A fault that the emulator plays on some of the requests to Google's APIs.
public struct Fault: Sendable, Hashable {
    /// What happens to a request that the fault strikes.
    public enum Action: Sendable, Hashable {
        /// The request is refused with an error in the API's own form, and nothing is done.
        ///
        /// Reason and message default to what Google says with such a status.
        case error(status: Int, reason: String? = nil, message: String? = nil)
        /// The front end's HTML page comes instead of JSON, and nothing is done.
        case html(status: Int = 502)
        /// The request is carried out, and the answer is not JSON.
        case garbage
        /// The request is carried out, and the connection ends in the middle of the answer.
        case truncate
        /// The connection ends without an answer, and nothing is done.
        case resetBefore
        /// The request is carried out, and the connection ends without an answer.
        case resetAfter
        /// The request is carried out after a while, or once the fault is lifted.
        case delay(Duration)
        /// No answer ever comes, and nothing is done.
        case hang
        /// The request is carried out as if something else stood in its body.
        case editRequest(pattern: String, with: String)
        /// The request is carried out, and something else stands in the answer's body.
        case editAnswer(pattern: String, with: String)
    }

    /// Which paths the fault looks at.
    public enum PathRule: Sendable, Hashable {
        /// Those that begin so.
        case prefix(String)
        /// Those that contain it.
        case contains(String)
    }

    /// The API that it looks at; nil for each.
    public var api: GoogleAPI?
    /// The verb that it looks at, `POST`; nil for each.
    public var verb: String?
    /// The paths that it looks at, without the query; nil for each.
    public var path: PathRule?
    /// A regular expression for the bodies that it looks at, of which it sees the first 64 KiB; nil for each.
    public var body: String?
    /// The size in bytes that bodies are larger than that it looks at.
    public var largerThan = 0
    /// Whether it looks only at requests whose body is compressed.
    public var isForPacked = false
    /// How often it strikes at most; nil for ever.
    public var count: Int?
    /// How likely it strikes a request that fits, from 0 to 1.
    public var probability: Double
    /// What the chance begins with: the same seed strikes the same of the requests that fit.
    public var seed: UInt64
    /// What it does.
    public var action: Action

    /// Makes a fault; by default it strikes the first request that comes.
    public init(
        _ action: Action, api: GoogleAPI? = nil, verb: String? = nil, path: PathRule? = nil, body: String? = nil,
        largerThan: Int = 0, isForPacked: Bool = false, count: Int? = 1, probability: Double = 1, seed: UInt64 = 0
    ) {
        self.action = action
        self.api = api
        self.verb = verb
        self.path = path
        self.body = body
        self.largerThan = largerThan
        self.isForPacked = isForPacked
        self.count = count
        self.probability = probability
        self.seed = seed
    }

    /// Whether it looks at a request.
    func fits(_ request: EmulatorRequest, _ api: GoogleAPI) -> Bool {
        guard self.api == nil || self.api == api, verb == nil || verb == request.verb,
            !isForPacked || request.header("Content-Encoding") != nil
        else { return false }
        if largerThan > 0, request.body.count <= largerThan { return false }
        if let body, !String(decoding: request.body.prefix(64 << 10), as: UTF8.self).contains(Self.expression(body)) {
            return false
        }
        return switch path {
        case nil: true
        case .prefix(let text): request.path.hasPrefix(text)
        case .contains(let text): request.path.contains(text)
        }
    }

    /// A pattern as an expression; one that is none fits nothing.
    static func expression(_ pattern: String) -> Regex<AnyRegexOutput> {
        (try? Regex(pattern)) ?? Regex(/(?!)/)
    }
}
