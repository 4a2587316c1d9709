/// Listens for as long as it runs, and connects again whenever the connection is lost.
public struct NotificationListener: Sendable {
    /// What a listener reports.
    public enum Event: Sendable {
        /// It listens now; what was sent before may have been missed.
        case listening
        /// A notification arrived.
        case notification(Notification)
        /// It could not listen or lost its connection, and tries again.
        case lost(PostgresError)
    }

    private let connection: Connection
    private let channels: [String]
    private let retryInterval: Duration
    private let checkInterval: Duration

    /// Makes a listener for some channels.
    ///
    /// - Parameters:
    ///   - connection: It should serve nobody else: a statement that takes long delays what is heard. It is closed at the end.
    ///   - retryInterval: The pause before it connects again.
    ///   - checkInterval: How often it asks the server for a sign of life, and whether the other connections still have the same.
    public init(
        on connection: Connection, channels: [String], retryInterval: Duration = .seconds(1),
        checkInterval: Duration = .seconds(10)
    ) {
        self.connection = connection
        self.channels = channels
        self.retryInterval = retryInterval
        self.checkInterval = checkInterval
    }

    /// Listens until the task is cancelled, and hands each event to a closure in order.
    ///
    /// - Parameter handle: Must not take long; notifications that it does not keep are gone.
    public func run(_ handle: @escaping @Sendable (Event) -> Void) async {
        while !Task.isCancelled {
            do {
                let listening = try await connection.listen(to: channels) { handle(.notification($0)) }
                let check = Task { [connection, checkInterval] in
                    while true {
                        try await Task.sleep(for: checkInterval)
                        try await connection.probe()
                    }
                }
                defer { check.cancel() }
                handle(.listening)
                for try await _ in listening {}
            } catch let error as PostgresError {
                handle(.lost(error))
            } catch {
                break
            }
            try? await Task.sleep(for: retryInterval)
        }
        await connection.close()
    }
}

extension NotificationListener {
    /// Makes a listener with a connection of its own.
    public init(_ configuration: ConnectionConfiguration, channels: [String], retryInterval: Duration = .seconds(1)) {
        self.init(
            on: Connection(configuration, label: "listener", statementTimeout: .seconds(5)), channels: channels,
            retryInterval: retryInterval)
    }
}
