/// The content that an upload brings.
struct Media: Sendable {
    /// The media type; nil where the client named none.
    let type: String?
    let bytes: [UInt8]

    init(type: String?, bytes: [UInt8]) {
        // What follows the type itself, such as the charset, is of no use here.
        self.type = type.flatMap { $0.split(separator: ";").first }.map { $0.lowercased() }
        self.bytes = bytes
    }
}
