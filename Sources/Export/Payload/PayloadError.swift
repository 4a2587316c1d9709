/// Why a payload is refused, and where in it.
public struct PayloadError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The stable name of a reason.
    public enum Code: String, Sendable, Hashable {
        /// The payload is wrong, whatever the version.
        case invalid = "payload.invalid"
        /// The payload asks for what this installation's settings forbid.
        case notAllowed = "payload.not_allowed"
        /// The task was cancelled in the middle of a long check; never a job's error.
        case cancelled
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

    /// Ends a long check whose task is cancelled; looks at each thousandth element of a list.
    static func checkCancellation(at index: Int) throws(PayloadError) {
        guard index.isMultiple(of: 1_000), Task.isCancelled else { return }
        throw PayloadError(.cancelled, at: "", "the check was cancelled")
    }

    /// One sentence.
    public var description: String { "\(path.isEmpty ? "payload" : path): \(message)" }
}
