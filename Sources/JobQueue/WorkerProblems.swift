import Logging
import Postgres
import Synchronization

/// What a worker fails at now, and the last job that failed, as its heartbeat tells them.
final class WorkerProblems: Sendable {
    /// Something that a worker does again and again, in the words behind "cannot".
    enum Operation: String, Sendable, CaseIterable {
        case signIn = "sign in"
        case claim = "claim jobs"
        case finish = "write how jobs ended"
        case beat = "show a sign of life"
        /// Its statements wait at the server, for whatever they are.
        case goOn = "go on"
        case listen = "listen for new jobs"
        case reclaim = "take back the jobs of dead workers"
        case signOff = "sign off"
        case maintain = "do the upkeep of the queue"
        case reconcile = "look for what ended jobs have made"
        case makeRuns = "make the runs of syncs"

        /// Whether no job can begin or end without it.
        var isEssential: Bool {
            switch self {
            case .signIn, .claim, .finish, .beat, .goOn: true
            case .listen, .reclaim, .signOff, .maintain, .reconcile, .makeRuns: false
            }
        }

        /// The operation that a worker's problem is about, as its words say.
        static func of(_ problem: String) -> Operation? {
            allCases.first { problem.hasPrefix("cannot \($0.rawValue)") }
        }
    }

    private struct State {
        /// The operations whose last try failed, the newest failure last.
        var failing: [(operation: Operation, words: String)] = []
        var failedJob: String?

        /// The first to mend: what keeps jobs from beginning and ending, and of that the newest.
        func first(without other: Operation? = nil) -> (operation: Operation, words: String)? {
            let failing = failing.filter { $0.operation != other }
            return failing.last { $0.operation.isEssential } ?? failing.last
        }

        var hindrance: String? { failing.last { $0.operation.isEssential }?.words }
    }

    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    private let state = Mutex(State())

    init(logger: Logger, observer: @escaping @Sendable (WorkerEvent) -> Void) {
        self.logger = logger
        self.observer = observer
    }

    /// What fails now; nil where nothing does.
    var current: String? { state.withLock { $0.first()?.words } }

    /// What fails now beside the heartbeat itself, whose arrival disproves that.
    var toldWithBeat: String? { state.withLock { $0.first(without: .beat)?.words } }

    /// Whether the last try of an operation failed.
    func isFailing(_ operation: Operation) -> Bool {
        state.withLock { $0.failing.contains { $0.operation == operation } }
    }

    /// The last job that failed; nil where none has.
    var lastFailure: String? { state.withLock { $0.failedJob } }

    /// An operation failed; it will be tried again.
    func note(_ error: any Error, while operation: Operation) {
        let reason = (error as? PostgresError)?.wordsWithAdvice ?? "\(error)"
        note(reason, while: operation)
        observer(.failed("cannot \(operation.rawValue): \(reason)"))
        logger.error("cannot \(operation.rawValue), will try again: \(reason)")
    }

    /// An operation does not come to its end, for a reason in words.
    func note(_ reason: String, while operation: Operation) {
        change { state in
            state.failing.removeAll { $0.operation == operation }
            state.failing.append((operation, "cannot \(operation.rawValue): \(reason)"))
        }
    }

    /// An operation was done: what was wrong with it is over.
    func end(_ operation: Operation) { change { $0.failing.removeAll { $0.operation == operation } } }

    /// Changes what fails, and tells the observer where that begins or ends to keep jobs from beginning or ending.
    private func change(_ body: (inout State) -> Void) {
        let (before, after) = state.withLock { state in
            let before = state.hindrance
            body(&state)
            return (before, state.hindrance)
        }
        if before != after { observer(.hindered(after)) }
    }

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
