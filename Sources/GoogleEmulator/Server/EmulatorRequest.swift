/// A request as the emulator's core sees it: whole, and free of the server's types.
struct EmulatorRequest: Sendable {
    /// The verb: `GET`, `POST`, ...
    let verb: String
    /// The path as it came, without the query.
    let path: String
    let query: Query
    /// The header `Authorization`.
    var authorization: String?
    /// The header `Content-Type`.
    var contentType: String?
    var body: [UInt8] = []

    /// Splits the request target into path and query.
    init(verb: String, target: String) {
        self.verb = verb
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(halves.first ?? "/")
        query = Query(halves.count > 1 ? halves[1] : "")
    }

    /// The parts of the path, each decoded.
    var segments: [String] { path.split(separator: "/").map { PercentCoding.decode($0) } }

    /// Whether the body is said to be of a media type, whatever its parameters.
    func hasContentType(_ type: String) -> Bool {
        contentType?.split(separator: ";").first?.lowercased() == type
    }
}
