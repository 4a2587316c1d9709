import FoundationEssentials
public import Logging
import Systemd

/// How much is logged, and in which form.
public struct LogSettings: Sendable {
    /// The form of a line on standard error.
    public enum Format: String, Sendable {
        case text, json
    }

    /// A value that `LOG_LEVEL` or `LOG_FORMAT` cannot have.
    public struct Invalid: Error, CustomStringConvertible {
        /// The setting's name.
        public let name: String
        /// What is wrong with its value.
        public let problem: String

        /// Both in one sentence.
        public var description: String { "\(name) \(problem)" }
    }

    /// The least that is logged.
    public let level: Logger.Level
    /// The form of a line; nil where nobody chose one.
    public let format: Format?

    /// Makes settings by their values.
    public init(level: Logger.Level, format: Format?) {
        self.level = level
        self.format = format
    }

    /// Reads the values of `LOG_LEVEL` (nil: info) and `LOG_FORMAT`.
    public init(level: String?, format: String?) throws(Invalid) {
        let levels: [String: Logger.Level] = [
            "trace": .trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning, "warn": .warning,
            "error": .error, "critical": .critical,
        ]
        guard let known = levels[(level ?? "info").lowercased()] else {
            throw Invalid(
                name: "LOG_LEVEL", problem: "must be one of trace, debug, info, notice, warning, error and critical")
        }
        self.level = known
        self.format = format.flatMap { Format(rawValue: $0.lowercased()) }
        if format != nil, self.format == nil {
            throw Invalid(name: "LOG_FORMAT", problem: "must be text or json")
        }
    }

    /// Sends the program's log to standard error and returns the program's logger.
    ///
    /// Where nobody chose a format and standard error leads to the journal, the journal gets entries with fields.
    public func start() -> Logger {
        let journal = format == nil ? Journal(environment: ProcessInfo.processInfo.environment) : nil
        let destination = journal.map(ProgramLog.Destination.journal) ?? .standardError(format ?? .text)
        LoggingSystem.bootstrap { [level] _ in ProgramLog(to: destination, level: level) }
        return Logger(label: Console.program)
    }
}
