/// How the program ends; the numbers are a promise to scripts and systemd.
public enum ExitStatus: Int32, Sendable {
    case degraded = 1
    case down = 2
    case schema = 3
    case output = 74
    case settings = 78
}

/// An end with a sentence for a person.
public struct CommandFailure: Error {
    /// The number that the process ends with.
    public let status: ExitStatus
    /// What happened and what to do next.
    public let message: String
    /// What may be said of it to everybody who looks into the queue, without any value of the settings; nil for nothing.
    public var publicMessage: String?
    /// What follows on lines of its own, such as what another program said last.
    public var lastLines: [String]

    /// Makes a failure.
    public init(status: ExitStatus, message: String, publicMessage: String? = nil, lastLines: [String] = []) {
        self.status = status
        self.message = message
        self.publicMessage = publicMessage
        self.lastLines = lastLines
    }
}
