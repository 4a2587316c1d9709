/// Why Sheets refuses one request of a batch, in Google's words.
struct RequestError: Error, Sendable, Hashable {
    let message: String
    /// The HTTP status.
    var code = 400

    init(_ message: String, code: Int = 400) {
        self.message = message
        self.code = code
    }
}
