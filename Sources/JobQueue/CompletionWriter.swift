import Logging
import Postgres
import Synchronization

/// Writes how jobs ended, in batches: while one statement is under way, the next batch gathers.
final class CompletionWriter: Sendable {
    private struct State {
        var waiting: [JobOutcome] = []
        var isClosed = false
        var isStuck = false
    }

    private static let largestBatch = 500

    private let statements: WorkerStatements
    private let held: HeldLeases
    private let keepPayloads: Bool
    private let problems: WorkerProblems
    private let logger: Logger
    /// Raised when jobs may have become available that waited for those whose completion was written.
    private let wakeUp: Signal
    private let observer: @Sendable (WorkerEvent) -> Void
    private let state = Mutex(State())
    private let added = Signal()

    init(
        statements: WorkerStatements, held: HeldLeases, wakeUp: Signal, keepPayloads: Bool, problems: WorkerProblems,
        logger: Logger, observer: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.statements = statements
        self.held = held
        self.wakeUp = wakeUp
        self.keepPayloads = keepPayloads
        self.problems = problems
        self.logger = logger
        self.observer = observer
    }

    /// Whether more wait than the next statements take.
    var isBehind: Bool { state.withLock { $0.waiting.count > 2 * Self.largestBatch } }

    /// Whether the last try failed for a reason that holds for every job.
    var isStuck: Bool { state.withLock { $0.isStuck } }

    func add(_ outcome: JobOutcome) {
        state.withLock { $0.waiting.append(outcome) }
        added.raise()
    }

    /// Lets `run` end when everything is written.
    func close() {
        state.withLock { $0.isClosed = true }
        added.raise()
    }

    /// Writes until it is closed and nothing is left, or until the database fails and there is no hope left.
    ///
    /// Writing goes on when the worker's leases may be lost: what somebody else holds by now the database refuses.
    func run(isHopeless: () -> Bool) async {
        var pause = Duration.milliseconds(100)
        var size = Self.largestBatch
        while true {
            let (batch, isOver) = state.withLock { state in
                let batch = Array(state.waiting.prefix(size))
                return (batch, state.isClosed && batch.isEmpty)
            }
            if isOver { return observer(.iterated(.completions, nextWithin: nil)) }
            guard !batch.isEmpty else {
                observer(.iterated(.completions, nextWithin: nil))
                await added.wait()
                continue
            }
            observer(.iterated(.completions, nextWithin: .zero))
            do throws(PostgresError) {
                let states = try await statements.finish(batch, keepPayloads: keepPayloads)
                state.withLock { state in
                    state.waiting.removeFirst(batch.count)
                    state.isStuck = false
                }
                problems.end(.finish)
                held.remove(batch)
                if batch.contains(where: \.hasTarget) { wakeUp.raise() }
                pause = .milliseconds(100)
                size = min(size * 2, Self.largestBatch)
                for outcome in batch { note(outcome, state: states[outcome.id]) }
            } catch {
                // Something in one ending, such as a NUL in a message, must hold up neither the others nor itself.
                let isAboutData = ["22", "23", "54"].contains { error.sqlState?.hasPrefix($0) == true }
                if isAboutData, batch.count > 1 {
                    size = 1
                    continue
                }
                if isAboutData, batch[0].hasDetails {
                    logger.error(
                        "the database refuses a job's result or error: \(error)", metadata: ["job": "\(batch[0].id)"])
                    state.withLock { $0.waiting[0] = batch[0].withoutDetails(refused: error) }
                    continue
                }
                // Still refused without details: move it to the back of the queue; at shutdown drop it, its job will run again.
                if isAboutData {
                    let isGivenUp = state.withLock { state in
                        let refused = state.waiting.removeFirst()
                        if !state.isClosed { state.waiting.append(refused) }
                        return state.isClosed
                    }
                    if isGivenUp {
                        logger.error(
                            "the database refuses how a job ended, so it will run again: \(error)",
                            metadata: ["job": "\(batch[0].id)"])
                        continue
                    }
                }
                state.withLock { $0.isStuck = !isAboutData }
                problems.note(error, while: .finish)
                if isHopeless() { return observer(.iterated(.completions, nextWithin: nil)) }
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    private func note(_ outcome: JobOutcome, state: String?) {
        if let state {
            logger.info("job \(state)", metadata: outcome.metadata)
            observer(.ended(kind: outcome.jobKind, state: state))
        } else {
            // Either the lease was lost, or an earlier try of this statement was written although its answer was lost.
            logger.warning(
                "how a job ended was not written: this worker does not hold it", metadata: outcome.metadata)
        }
    }
}
