/// Listens on a connection of its own for as long as it runs, and connects again whenever that is lost.
///
/// Nothing else uses that connection: a query on it would swallow the readiness that the listener waits for.
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
    ///   - retryInterval: The pause before it connects again.
    ///   - checkInterval: How often it asks the server for a sign of life.
    public init(
        _ configuration: ConnectionConfiguration, channels: [String], retryInterval: Duration = .seconds(1),
        checkInterval: Duration = .seconds(30)
    ) {
        connection = Connection(configuration, label: "listener", statementTimeout: .seconds(5))
        self.channels = channels
        self.retryInterval = retryInterval
        self.checkInterval = checkInterval
    }

    /// Listens until the task is cancelled, and hands each event to a closure in order.
    public func run(_ handle: @Sendable (Event) async -> Void) async {
        while !Task.isCancelled {
            do {
                let arrivals = try await connection.listen(to: channels, checkInterval: checkInterval)
                await handle(.listening)
                for try await notification in arrivals { await handle(.notification(notification)) }
            } catch let error as PostgresError {
                await handle(.lost(error))
            } catch {
                break
            }
            try? await Task.sleep(for: retryInterval)
        }
        await connection.close()
    }
}

extension Connection {
    private typealias Arrivals = AsyncThrowingStream<Notification, any Error>

    /// Begins to listen and returns what arrives; the sequence fails when the connection is lost.
    fileprivate func listen(
        to channels: [String], checkInterval: Duration
    ) throws(PostgresError) -> AsyncThrowingStream<Notification, any Error> {
        close()
        for channel in channels { try query("listen \(identifier: channel)") }
        let (arrivals, continuation) = Arrivals.makeStream()
        onArrival { $0.takeIn(continuation) }
        let check = Task { [weak self] in
            while true {
                try await Task.sleep(for: checkInterval)
                await self?.check(continuation)
            }
        }
        continuation.onTermination = { _ in check.cancel() }
        return arrivals
    }

    private func takeIn(_ continuation: Arrivals.Continuation) {
        do throws(PostgresError) {
            for notification in try notifications() { continuation.yield(notification) }
        } catch {
            // At once, because the end of a connection stays readable and would be reported without a pause.
            close()
            continuation.finish(throwing: error)
        }
    }

    /// Asks for a sign of life; its answer may bring notifications along.
    private func check(_ continuation: Arrivals.Continuation) {
        do throws(PostgresError) {
            try probe()
            takeIn(continuation)
        } catch {
            continuation.finish(throwing: error)
        }
    }
}
