import Dispatch

/// A connection for one piece of work that streams rows, on a thread of its own from its opening to its end.
///
/// Its calls block that thread and nothing else. When the task that waits for the work is cancelled, the stream that is under
/// way ends soon. The connection is closed behind the work, so that the server rolls back what is open.
public struct BlockingSession: ~Copyable {
    private let handle: ConnectionHandle
    private let interruption: Interruption

    /// Opens a connection, runs the work with it and closes it.
    ///
    /// - Parameter label: What it is for; shown as `application_name` behind the program's name.
    public static func run<Result: Sendable>(
        _ configuration: ConnectionConfiguration, label: String,
        _ work: @escaping @Sendable (borrowing BlockingSession) throws -> Result
    ) async throws -> Result {
        let interruption = Interruption()
        let keywords = configuration.with("application_name", "sheetsync \(label)").keywords
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue(label: "postgres.\(label)").async {
                    continuation.resume(
                        with: Swift.Result {
                            let session = BlockingSession(
                                handle: try ConnectionHandle(keywords: keywords), interruption: interruption)
                            return try work(session)
                        })
                }
            }
        } onCancel: {
            interruption.request()
        }
    }

    private init(handle: consuming ConnectionHandle, interruption: Interruption) {
        self.handle = handle
        self.interruption = interruption
    }

    /// Begins a transaction that only reads and sees one moment, with settings of its own.
    ///
    /// They last as long as it does, because behind a pooler the session is somebody else's afterwards.
    ///
    /// - Parameters:
    ///   - statementTimeout: The longest that the server gives one of its statements.
    ///   - time: The longest that the beginning may take.
    public func beginReading(statementTimeout: Duration, within time: Duration) throws(PostgresError) {
        let milliseconds = max(1, Int(statementTimeout / .milliseconds(1)))
        try script(
            """
            begin isolation level repeatable read, read only; \(SessionSettings.local);
            set local statement_timeout = \(milliseconds); set local idle_in_transaction_session_timeout = 60000;
            set local client_connection_check_interval = 10000
            """, within: time)
    }

    /// Gives the rest of the transaction what the login has been given for reading a statement: search path, time zone, the
    /// order of a date's parts, backslashes in quotes.
    ///
    /// How values are written stays, but for the offset of a time.
    public func restoreLoginSettings(within time: Duration) throws(PostgresError) {
        try script(
            """
            set local search_path to default; set local TimeZone to default; set local standard_conforming_strings to default;
            set local DateStyle to default; set local DateStyle = 'ISO'
            """, within: time)
    }

    /// Runs several statements at once, without parameters.
    public func script(_ sql: String, within time: Duration) throws(PostgresError) {
        try handle.run(script: sql, until: .now + time)
    }

    /// Runs one statement and returns its rows.
    public func query(_ query: Query, within time: Duration) throws(PostgresError) -> [Row] {
        try handle.run(query, until: .now + time)
    }

    /// Runs one statement, which nothing but the server checks, and hands over its rows while they arrive.
    ///
    /// It goes by the extended protocol, which takes a single statement, and is run only where the server, having parsed it,
    /// says that it gives rows. Whatever is thrown, the server is asked to give up
    /// the statement, and the session is of no more use.
    ///
    /// - Parameters:
    ///   - parameters: The values of `$1`, `$2` and so on in text form; nil is NULL.
    ///   - time: The longest it may take from here to the last row, whatever the server's own limits.
    ///   - columns: Is told the columns, once and before the first row.
    ///   - row: Gets each row.
    /// - Throws: `PostgresError`: `.timedOut`, `.rowTooLarge` for one of more than 128 MB, or `.unexpectedResult` for a
    ///   statement that gives no rows. `CancellationError` where the task was cancelled. What the closures throw.
    public func stream(
        _ statement: String, _ parameters: [String?], within time: Duration,
        columns: ([ResultColumn]) throws -> Void, row: (borrowing ResultRow) throws -> Void
    ) throws {
        do {
            try handle.stream(
                statement, parameters, until: .now + time, unless: interruption, columns: columns, row: row)
        } catch {
            handle.cancel()
            throw error
        }
    }
}
