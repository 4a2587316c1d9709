import JSON

/// An answer as the emulator's core makes it.
struct EmulatorResponse: Sendable {
    var status: Int
    var contentType: String
    var headers: [(name: String, value: String)] = []
    var body: [UInt8]

    /// Packs the body by gzip, where that is worth it.
    mutating func pack() {
        guard body.count >= 256, let packed = Zlib.gzip(body), packed.count < body.count else { return }
        body = packed
        headers.append((name: "Content-Encoding", value: "gzip"))
        headers.append((name: "Vary", value: "Accept-Encoding"))
    }

    /// An answer in JSON, labelled as Google labels it.
    static func json(_ value: JSON, status: Int = 200) -> EmulatorResponse {
        json(value.bytes, status: status)
    }

    /// An answer whose JSON is already written.
    static func json(_ bytes: [UInt8], status: Int = 200) -> EmulatorResponse {
        EmulatorResponse(status: status, contentType: "application/json; charset=UTF-8", body: bytes)
    }

    /// A page for people.
    static func html(_ page: String, status: Int = 200) -> EmulatorResponse {
        EmulatorResponse(status: status, contentType: "text/html; charset=UTF-8", body: Array(page.utf8))
    }

    /// An answer without a body.
    static let noContent = EmulatorResponse(status: 204, contentType: "text/html", body: [])
}
