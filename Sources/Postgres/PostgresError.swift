/// What went wrong between this process and the database.
public struct PostgresError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure, for code that decides.
    public enum Code: Sendable, Hashable {
        /// No connection could be made: address, TLS, password, or the server refuses.
        case connectionFailed
        /// The connection broke while a statement ran; whether it took effect is not known.
        case connectionLost
        /// The server did not answer within the statement's time; whether it took effect is not known.
        case timedOut
        /// The server refused the statement; `sqlState` says why.
        case server
        /// The settings do not describe a database.
        case configuration
        /// The answer does not have the columns or types that the caller asked for.
        case unexpectedResult
        /// A row has more bytes than the caller takes.
        case rowTooLarge
    }

    /// The kind of failure.
    public let code: Code
    /// What the server or libpq said, on one line.
    public let message: String
    /// The five characters of the SQL standard, where the server sent them.
    public let sqlState: String?
    /// The server's own suggestion, where it sent one.
    public let hint: String?
    /// The character of the statement that the server points to, from 1.
    public let position: Int?

    /// Makes an error.
    public init(_ code: Code, _ message: String, sqlState: String? = nil, hint: String? = nil, position: Int? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.hint = hint
        self.position = position
    }

    /// Whether the same statement may succeed later without anybody changing anything.
    ///
    /// Broken connections, time-outs, a server that starts or stops (class 57P) or only reads (25006: another takes its place),
    /// lack of resources (53), deadlocks and serialization failures (40).
    public var isTransient: Bool {
        switch code {
        case .connectionFailed, .connectionLost, .timedOut: true
        case .server: ["40", "53", "57", "08", "55", "25006"].contains { sqlState?.hasPrefix($0) == true }
        case .configuration, .unexpectedResult, .rowTooLarge: false
        }
    }

    /// Whether a pooler refused the connection because of the server's command-line options that came with it.
    ///
    /// libpq gives no code for it. PgBouncer speaks of an unsupported startup parameter, Amazon's proxy of options.
    var refusesStartupOptions: Bool {
        code == .connectionFailed && (message.contains("startup parameter") || message.contains("options"))
    }

    /// One sentence for a person.
    public var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        return switch code {
        case .connectionFailed: "cannot connect to the database: \(message)"
        case .connectionLost: "the connection to the database broke: \(message)"
        case .timedOut: "the database did not answer in time: \(message)"
        case .server: "\(message)\(state)"
        case .configuration: message
        case .rowTooLarge: "a row is too large: \(message)"
        case .unexpectedResult: "the database's answer has an unexpected form: \(message)"
        }
    }
}
