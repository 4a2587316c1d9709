/// Why a payload is refused, and where in it.
public struct PayloadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable name of a reason.
    public enum Code: String, Sendable, Hashable {
        /// The payload is wrong, whatever the version.
        case invalid = "payload.invalid"
        /// The payload asks for what this version does not do.
        case unsupported = "payload.unsupported"
        /// The payload asks for what this installation's settings forbid.
        case notAllowed = "payload.not_allowed"
        /// The data is too large to replace sheets of an existing spreadsheet with one write.
        case tooLargeForReplace = "payload.too_large_for_replace"
    }

    /// The stable name of the reason.
    public let code: Code
    /// The place in the payload, such as `sheets[0].columns[2].type`; empty for all of it.
    public let path: String
    /// What is wrong there, by what was expected and the kind of value that was found, and never the value.
    public let message: String

    init(_ code: Code = .invalid, at path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }

    /// A replacement that would take more than one write, between which people would see it half done.
    static func tooLargeForReplace(_ limit: Int) -> PayloadError {
        PayloadError(
            .tooLargeForReplace, at: "",
            "the data does not fit into one write of \(limit) bytes, and sheets of an existing spreadsheet are replaced by "
                + "one write or not at all; export to a new spreadsheet or split the data")
    }

    /// One sentence.
    public var description: String { "\(path.isEmpty ? "payload" : path): \(message)" }
}
