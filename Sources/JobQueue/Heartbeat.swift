import Logging
import Postgres
import Synchronization

/// Shows that a worker lives, and gives its jobs up in time where nobody can have heard of it.
///
/// The two go on beside each other: `beat` may wait for an answer for longer than the lease lasts, `watch` looks at the clock
/// alone. Both end when the worker is lost.
final class Heartbeat: Sendable {
    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let inFlight: JobsInFlight
    private let endings: EndingWriter
    private let problems: WorkerProblems
    private let fitness: SchemaFitness
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    /// Raised when there may be jobs to claim, and when the worker is lost.
    private let news: Signal
    /// Raised when it is not known what some ended jobs have made.
    private let doubts: Signal
    private let due = Signal()
    private let lost = Flag()
    /// When the last sign of life was sent that reached the database.
    private let lastBeat = Mutex(ContinuousClock.now)

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, inFlight: JobsInFlight,
        endings: EndingWriter,
        problems: WorkerProblems, fitness: SchemaFitness, news: Signal, doubts: Signal, logger: Logger,
        observer: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.configuration = configuration
        self.statements = statements
        self.inFlight = inFlight
        self.endings = endings
        self.problems = problems
        self.fitness = fitness
        self.news = news
        self.doubts = doubts
        self.logger = logger
        self.observer = observer
    }

    /// Whether this worker must stop what it runs, because the others take it for dead or may do so by now.
    var isLost: Bool { lost.isSet }

    /// Whether the last sign of life is recent enough that nobody can have taken a job.
    var holdsLeases: Bool { !lost.isSet && .now < lastBeat.withLock { $0 } + configuration.ownLimit }

    /// Counts from now on, because the worker is just signing in.
    func begin() { lastBeat.withLock { $0 = .now } }

    /// Asks for a sign of life at once; its answer names the jobs that somebody wants cancelled.
    func hurry() { due.raise() }

    /// Shows signs of life and takes the jobs of dead workers back, until it is cancelled.
    func beat() async {
        defer { observer(.turned(.beats, rest: nil)) }
        var looksBack = ContinuousClock.now
        while !Task.isCancelled, !lost.isSet {
            observer(.turned(.beats, rest: configuration.beatInterval))
            await due.wait(atMost: configuration.beatInterval)
            if Task.isCancelled || lost.isSet { break }
            observer(.turned(.beats, rest: .zero))
            // The database notes its time between the question and the answer, so the earlier one is the safe one.
            let asked = ContinuousClock.now
            // Who reads what this one says can see that it has arrived.
            problems.end(.beat)
            do {
                let error = endings.failure ?? problems.lastError
                guard let answer = try await statements.beat(inFlight: inFlight.count, lastError: error) else {
                    return giveUp("the other workers took this one for dead")
                }
                lastBeat.withLock { $0 = asked }
                observer(.beat(inFlight: inFlight.count))
                for id in answer.cancelled { inFlight.stop(id, because: .cancelled) }
                if answer.hasUnsettled { doubts.raise() }
                await fitness.check()
            } catch {
                problems.note(error, while: .beat)
                // What a newer schema does not have any more fails at the server.
                if error.code == .server { await fitness.check() }
                try? await Task.sleep(for: min(.seconds(1), configuration.beatInterval))
                due.raise()
                continue
            }
            let isDue = looksBack <= .now
            if isDue { looksBack = .now + configuration.upkeepInterval }
            await problems.attempt(.reclaim) { try await reclaim(lookingBack: isDue) }
        }
    }

    private func reclaim(lookingBack: Bool) async throws {
        let taken = try await statements.reclaim(silentFor: configuration.silenceLimit, lookingBack: lookingBack)
        for (id, state) in taken {
            logger.warning(
                "took a job from a worker that shows no sign of life", metadata: ["job": "\(id)", "state": "\(state)"])
            news.raise()
        }
    }

    /// Gives up in time, also while a beat hangs; until it is cancelled.
    func watch() async {
        while !Task.isCancelled, !lost.isSet {
            let left = lastBeat.withLock { $0 } + configuration.ownLimit - .now
            guard left > .zero else { return giveUp("no sign of life reached the database for too long") }
            try? await Task.sleep(for: left)
        }
    }

    /// Ends this identity: its jobs may already run elsewhere.
    private func giveUp(_ reason: String) {
        logger.error("stopping all jobs and beginning anew: \(reason)", metadata: ["jobs": "\(inFlight.count)"])
        lost.set()
        inFlight.stopAll(because: .leaseLost)
        news.raise()
    }
}
