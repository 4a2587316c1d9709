import Logging
import Synchronization

/// What a worker fails at now, and the last job that failed, as its heartbeat tells them.
final class WorkerProblems: Sendable {
    /// Something that a worker does again and again, in the words behind "cannot".
    enum Operation: String, Sendable {
        case signIn = "sign in"
        case claim = "claim jobs"
        case beat = "show a sign of life"
        case reclaim = "take back the jobs of dead workers"
        case signOff = "sign off"
        case maintain = "do the upkeep of the queue"
        case reconcile = "look for what ended jobs have made"
    }

    private struct State {
        /// The operations whose last try failed, the newest failure last.
        var failing: [(operation: Operation, words: String)] = []
        var failedJob: String?
    }

    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    private let state = Mutex(State())

    init(logger: Logger, observer: @escaping @Sendable (WorkerEvent) -> Void) {
        self.logger = logger
        self.observer = observer
    }

    /// What fails now; nil where nothing does.
    var current: String? { state.withLock { $0.failing.last?.words } }

    /// The last job that failed; nil where none has.
    var lastFailure: String? { state.withLock { $0.failedJob } }

    /// An operation failed; it will be tried again.
    func note(_ error: any Error, while operation: Operation) {
        let words = "cannot \(operation.rawValue): \(error)"
        state.withLock { state in
            state.failing.removeAll { $0.operation == operation }
            state.failing.append((operation, words))
        }
        observer(.failed(words))
        logger.error("cannot \(operation.rawValue), will try again: \(error)")
    }

    /// An operation was done: what was wrong with it is over.
    func end(_ operation: Operation) { state.withLock { $0.failing.removeAll { $0.operation == operation } } }

    /// An attempt of a job failed.
    func note(_ failure: JobFailure) { state.withLock { $0.failedJob = failure.description } }

    /// Does an operation once; returns whether that went well.
    @discardableResult
    func attempt(_ operation: Operation, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            end(operation)
            return true
        } catch {
            note(error, while: operation)
            return false
        }
    }
}
