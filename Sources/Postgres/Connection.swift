import Dispatch
import Glibc

/// One connection to a Postgres server, opened when it is first used and again after it was lost.
///
/// Its blocking calls run on a thread of their own. Statements run one after another in the order of the calls; each has a
/// deadline on both sides, the server's `statement_timeout` and a little later this one's, so that a half-open
/// connection cannot hold anybody for ever. A statement that was under way when the connection broke is not repeated: the
/// caller knows whether that would be right.
public actor Connection {
    private let executor: QueueExecutor
    private let configuration: ConnectionConfiguration
    private let statementTimeout: Duration
    private let settings: SessionSettings
    private var handle = ConnectionHandle()
    /// Whether the server's session is this connection's alone and has the settings; else each transaction brings them.
    private var ownsSession = true
    /// Which server the session is with.
    private var server: String?
    /// Before that it is not tried again to come to the server of the other connections.
    private var nextMove = ContinuousClock.now
    private var isInTransaction = false
    /// What tells that somebody listens no more, and that something has arrived.
    private var listening: (continuation: Listening.Continuation, source: any DispatchSourceRead)?

    /// The actor's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

    /// Makes a connection that is not open yet.
    ///
    /// - Parameters:
    ///   - label: What it is for; shown as `application_name` behind the program's name.
    ///   - statementTimeout: The longest that one statement may take.
    ///   - lockTimeout: The longest that it may wait for one lock; nil for as long as it may take.
    public init(
        _ configuration: ConnectionConfiguration, label: String, statementTimeout: Duration = .seconds(15),
        lockTimeout: Duration? = nil
    ) {
        executor = QueueExecutor(label: "postgres.\(label)")
        self.configuration = configuration.with("application_name", "sheetsync \(label)")
        self.statementTimeout = statementTimeout
        settings = SessionSettings(
            statementTimeout: statementTimeout, lockTimeout: lockTimeout ?? statementTimeout)
    }

    /// Runs one statement and returns its rows.
    ///
    /// A statement that the server rolled back because of a deadlock or of another transaction's changes is repeated once,
    /// unless it stands in a transaction.
    @discardableResult
    public func query(_ query: Query) throws(PostgresError) -> [Row] {
        do throws(PostgresError) {
            return try run(query)
        } catch {
            guard handle.isIdle, ["40001", "40P01"].contains(error.sqlState) else { throw error }
            return try run(query)
        }
    }

    private func run(_ query: Query) throws(PostgresError) -> [Row] {
        try open()
        return try closingWhenLost { () throws(PostgresError) in
            try withSettings { () throws(PostgresError) in try handle.run(query, until: deadline) }
        }
    }

    /// The encoding that the database keeps its texts in.
    public func encoding() throws(PostgresError) -> ServerEncoding {
        try open()
        return handle.encoding
    }

    /// Runs several statements at once, without parameters; Postgres makes one transaction of them.
    public func script(_ sql: String) throws(PostgresError) {
        try open()
        try closingWhenLost { () throws(PostgresError) in
            try withSettings { () throws(PostgresError) in try handle.run(script: sql, until: deadline) }
        }
    }

    /// Runs a transaction; it is rolled back when the body throws.
    ///
    /// The body is synchronous, so that no other caller's statement can come in between.
    public func transaction<Result>(
        _ body: @Sendable (isolated Connection) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        try open()
        try closingWhenLost { () throws(PostgresError) in
            try handle.run(script: ownsSession ? "begin" : settings.begin, until: deadline)
        }
        isInTransaction = true
        defer { isInTransaction = false }
        do throws(PostgresError) {
            let result = try body(self)
            try query("commit")
            return result
        } catch {
            // After a loss there is nothing to roll back; any other failure leaves the transaction open until here.
            if handle.isOpen { _ = try? query("rollback") }
            throw error
        }
    }

    /// Closes the connection; the next statement opens it again.
    public func close() { close(because: PostgresError(.connectionLost, "the connection was closed")) }

    private func close(because reason: PostgresError) {
        endListening(because: reason)
        handle = ConnectionHandle()
    }

    /// Opens the connection where it is not; one that the server closed while it was idle counts as not open, and so does one
    /// to another server than that of the other connections.
    private func open() throws(PostgresError) {
        guard handle.isOpen else {
            if isInTransaction {
                throw PostgresError(.connectionLost, "the connection was lost in the middle of a transaction")
            }
            return try dial()
        }
        do throws(PostgresError) { try handle.consumeInput() } catch {
            // On another connection the rest would run outside of the transaction.
            if isInTransaction { throw error }
            close(because: error)
            return try dial()
        }
        if !isInTransaction, isAlone {
            close(because: Self.loneliness)
            try dial(isMove: true)
        }
    }

    private static let loneliness = PostgresError(.connectionLost, "the other connections have gone to another server")

    /// Whether the other connections work with another server, and it is time to follow them.
    private var isAlone: Bool { configuration.agreement.isElsewhere(than: server) && .now >= nextMove }

    /// Opens a session with the settings.
    ///
    /// They go along with the connection, so that nothing is said before. A pooler refuses or ignores that; and what was set in
    /// one of its sessions would stay there for whoever gets it next.
    ///
    /// - Parameter isMove: Whether it follows the other connections; otherwise they follow it.
    private func dial(isMove: Bool = false) throws(PostgresError) {
        nextMove = .now + .seconds(1)
        var fresh: ConnectionHandle
        do throws(PostgresError) {
            fresh = try ConnectionHandle(
                keywords: configuration.adding(options: settings.startupOptions).keywords)
        } catch {
            guard error.refusesStartupOptions else { throw error }
            fresh = try ConnectionHandle(keywords: configuration.keywords)
        }
        let answer = try fresh.run(SessionSettings.question, until: deadline)[0]
        let isDirect = try answer.int("pid") == fresh.processID
        ownsSession = try SessionSettings.areHeld(in: answer) && isDirect
        let found = try answer.text("server")
        server = found
        if !isMove, try answer.text("only_reads") == "off" { configuration.agreement.move(to: found) }
        handle = fresh
    }

    /// Runs what the session's settings are for; behind a pooler in a transaction that begins with them.
    private func withSettings<Result>(_ body: () throws(PostgresError) -> Result) throws(PostgresError) -> Result {
        if ownsSession || isInTransaction { return try body() }
        try handle.run(script: settings.begin, until: deadline)
        do throws(PostgresError) {
            let result = try body()
            try handle.run(script: "commit", until: deadline)
            return result
        } catch {
            // Where no answer came in time the connection is closed instead.
            if handle.isOpen { try? handle.run(script: "rollback", until: deadline) }
            throw error
        }
    }

    typealias Listening = AsyncThrowingStream<Never, any Error>

    /// Begins to listen; the sequence has no elements and fails when the connection is lost or closed.
    ///
    /// - Parameter deliver: Is told on the connection's thread of what arrives, and must not take long. Nothing is kept for it:
    ///   whoever may connect may send as much as he likes.
    func listen(
        to channels: [String], _ deliver: @escaping @Sendable (Notification) -> Void
    ) throws(PostgresError) -> Listening {
        endListening(because: PostgresError(.connectionLost, "somebody else listens"))
        // All at once, so that they are said over one connection.
        try script(channels.map { "listen \(quoted(identifier: $0))" }.joined(separator: "; "))
        // A descriptor of its own, so that the connection's may be closed before the source has ended.
        let descriptor = dup(handle.socket)
        guard descriptor >= 0 else {
            throw PostgresError(.connectionFailed, "no more files may be open (error \(errno))")
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: executor.queue)
        source.setEventHandler { self.assumeIsolated { $0.takeIn() } }
        source.setCancelHandler { _ = Glibc.close(descriptor) }
        source.activate()
        let (stream, continuation) = Listening.makeStream()
        listening = (continuation, source)
        handle.onNotification = deliver
        takeIn()
        return stream
    }

    /// Takes in what has arrived.
    private func takeIn() {
        do throws(PostgresError) {
            try handle.consumeInput()
        } catch {
            // At once, because the end of a connection stays readable and would be reported without a pause.
            close(because: error)
        }
    }

    private func endListening(because reason: PostgresError) {
        listening?.source.cancel()
        listening?.continuation.finish(throwing: reason)
        listening = nil
    }

    /// Asks the server for a sign of life; without one, and where the other connections have another server, the connection is
    /// closed.
    func probe() throws(PostgresError) {
        do throws(PostgresError) {
            if isAlone { throw Self.loneliness }
            _ = try handle.run("select 1", until: .now + .seconds(10))
        } catch {
            close(because: error)
            throw error
        }
    }

    /// The server's own limit comes first; this one is for a server that does not answer at all.
    private var deadline: ContinuousClock.Instant { .now + statementTimeout + .seconds(5) }

    private func closingWhenLost<Result>(
        _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        do throws(PostgresError) {
            return try body()
        } catch {
            // A time-out without SQLSTATE is this side's: the answer may still come and must not meet another statement.
            if error.code == .connectionLost || (error.code == .timedOut && error.sqlState == nil)
                || handle.isUseless(after: error)
            {
                close(because: error)
            }
            throw error
        }
    }
}
