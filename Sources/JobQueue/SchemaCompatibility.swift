import Logging
import Postgres
import Synchronization

/// Finds out whether the schema was changed so that this program must not work on it any more.
final class SchemaCompatibility: Sendable {
    private let schema: Schema
    private let connection: Connection
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    /// Raised when it has turned out, because claims end then.
    private let wakeUp: Signal
    private let reason = Mutex<String?>(nil)

    init(
        of schema: Schema, on connection: Connection, wakeUp: Signal, logger: Logger,
        observer: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.schema = schema
        self.connection = connection
        self.wakeUp = wakeUp
        self.logger = logger
        self.observer = observer
    }

    /// Why this program must not work on the schema any more, once that has turned out.
    var incompatibility: String? { reason.withLock { $0 } }

    /// Looks again.
    ///
    /// A database that does not answer says nothing about it.
    func check() async {
        guard incompatibility == nil, case .incompatible(let words)? = try? await schema.state(on: connection) else {
            return
        }
        logger.critical("claiming no more jobs: \(words)")
        reason.withLock { $0 = words }
        observer(.failed(words))
        observer(.stopping)
        wakeUp.raise()
    }
}
