import HTTPTypes

/// A request as the emulator's core sees it: whole, and free of the server's types.
struct EmulatorRequest: Sendable {
    private static let overriddenMethod = HTTPField.Name("X-HTTP-Method-Override")

    /// The verb: `GET`, `POST`, ...
    private(set) var verb: String
    /// The path as it came, without the query.
    let path: String
    private(set) var query: Query
    var headers = HTTPFields()
    var body: [UInt8] = []

    /// Splits the request target into path and query.
    init(verb: String, target: String) {
        self.verb = verb
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(halves.first ?? "/")
        query = Query(halves.count > 1 ? halves[1] : "")
    }

    /// The header `Authorization`.
    var authorization: String? { headers[.authorization] }
    /// The header `Content-Type`.
    var contentType: String? { headers[.contentType] }

    /// The parts of the path, each decoded.
    var segments: [String] { path.split(separator: "/").map { PercentCoding.decode($0) } }

    /// Whether the body is said to be of a media type, whatever its parameters.
    func hasContentType(_ type: String) -> Bool {
        contentType?.split(separator: ";").first?.lowercased() == type
    }

    /// A header that has no name in `HTTPField.Name`.
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }

    /// Whether the answer is to be packed: Google wants to see gzip in the user agent too.
    var wantsGzip: Bool {
        headers[.acceptEncoding]?.contains("gzip") == true && headers[.userAgent]?.contains("gzip") == true
    }

    /// Unpacks the body, and puts the verb and the query in force that a client could not send as such.
    ///
    /// Clients turn a GET whose address is too long into a POST with `X-HTTP-Method-Override: GET` and the query as a form.
    mutating func unwrap() throws(GoogleError) {
        switch headers[.contentEncoding]?.lowercased() {
        case nil, "identity": break
        case "gzip", "x-gzip":
            guard let plain = Zlib.inflate(body[...], .gzip, greatestSize: 256 << 20) else {
                throw GoogleError(code: 400, message: "Request body is not valid gzip.")
            }
            body = plain
        case let encoding?:
            throw GoogleError(code: 415, message: "Unsupported content encoding: \(encoding)")
        }
        guard verb == "POST", let name = Self.overriddenMethod, let meant = headers[name]?.uppercased() else { return }
        verb = meant
        guard meant == "GET", hasContentType("application/x-www-form-urlencoded") else { return }
        query = Query(items: query.items + Query(String(decoding: body, as: UTF8.self)).items)
        body = []
        headers[.contentType] = nil
    }
}
