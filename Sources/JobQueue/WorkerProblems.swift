import Logging
import Synchronization

/// What a worker fails at, and the last job that failed: its last error, as `status` shows it.
final class WorkerProblems: Sendable {
    /// Something that a worker does again and again, in the words behind "cannot".
    enum Duty: String, Sendable {
        case signIn = "sign in"
        case claim = "claim jobs"
        case beat = "show a sign of life"
        case reclaim = "take back the jobs of dead workers"
        case signOff = "sign off"
    }

    private struct State {
        /// The duties whose last try failed, the newest failure last.
        var failing: [(duty: Duty, words: String)] = []
        var failedJob: String?
    }

    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    private let state = Mutex(State())

    init(logger: Logger, observer: @escaping @Sendable (WorkerEvent) -> Void) {
        self.logger = logger
        self.observer = observer
    }

    /// What fails now, and where nothing does the last job that failed; nil where none has.
    var lastError: String? { state.withLock { $0.failing.last?.words ?? $0.failedJob } }

    /// A duty failed; it will be tried again.
    func note(_ error: any Error, while duty: Duty) {
        let words = "cannot \(duty.rawValue): \(error)"
        state.withLock { state in
            state.failing.removeAll { $0.duty == duty }
            state.failing.append((duty, words))
        }
        observer(.failed(words))
        logger.error("cannot \(duty.rawValue), will try again: \(error)")
    }

    /// A duty was done: what was wrong with it is over.
    func end(_ duty: Duty) { state.withLock { $0.failing.removeAll { $0.duty == duty } } }

    /// An attempt of a job failed.
    func note(_ failure: JobFailure) { state.withLock { $0.failedJob = failure.description } }

    /// Does a duty once; returns whether that went well.
    @discardableResult
    func attempt(_ duty: Duty, _ body: () async throws -> Void) async -> Bool {
        do {
            try await body()
            end(duty)
            return true
        } catch {
            note(error, while: duty)
            return false
        }
    }
}
