import Logging
import Synchronization

/// Writes how jobs ended, in batches: while one statement is under way, the next batch gathers.
final class EndingWriter: Sendable {
    private struct State {
        var waiting: [JobEnding] = []
        var isClosed = false
        var isAbandoned = false
    }

    private static let largestBatch = 500

    private let statements: WorkerStatements
    private let held: HeldLeases
    private let keepPayloads: Bool
    private let logger: Logger
    private let state = Mutex(State())
    private let news = Signal()

    init(statements: WorkerStatements, held: HeldLeases, keepPayloads: Bool, logger: Logger) {
        self.statements = statements
        self.held = held
        self.keepPayloads = keepPayloads
        self.logger = logger
    }

    func add(_ ending: JobEnding) {
        state.withLock { $0.waiting.append(ending) }
        news.raise()
    }

    /// Lets `run` end when everything is written.
    func close() {
        state.withLock { $0.isClosed = true }
        news.raise()
    }

    /// Lets `run` end at once: the leases are lost, so nothing would be written anyway.
    func abandon() {
        state.withLock { $0.isAbandoned = true }
        news.raise()
    }

    func run() async {
        var pause = Duration.milliseconds(100)
        while true {
            let (batch, isOver) = state.withLock { state in
                let batch = Array(state.waiting.prefix(Self.largestBatch))
                return (batch, state.isAbandoned || (state.isClosed && batch.isEmpty))
            }
            if isOver { return }
            guard !batch.isEmpty else {
                await news.wait()
                continue
            }
            do {
                let states = try await statements.finish(batch, keepPayloads: keepPayloads)
                state.withLock { $0.waiting.removeFirst(batch.count) }
                held.remove(batch)
                pause = .milliseconds(100)
                for ending in batch { note(ending, state: states[ending.id]) }
            } catch {
                logger.error("cannot write how \(batch.count) jobs ended, will try again: \(error)")
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(2))
            }
        }
    }

    private func note(_ ending: JobEnding, state: String?) {
        if let state {
            logger.info("job \(state)", metadata: ["job": "\(ending.id)"])
        } else {
            // Either the lease was lost, or an earlier try of this statement was written although its answer was lost.
            logger.warning(
                "how a job ended was not written: this worker does not hold it", metadata: ["job": "\(ending.id)"])
        }
    }
}
