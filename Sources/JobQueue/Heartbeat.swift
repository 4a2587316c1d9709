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
    private let held: HeldLeases
    private let problems: WorkerProblems
    private let schema: Schema
    private let compatibility: SchemaCompatibility
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    /// Raised when there may be jobs to claim, and when the worker is lost.
    private let wakeUp: Signal
    /// Raised when it is not known what some ended jobs have made.
    private let unreconciled: Signal
    private let due = Signal()
    private let lost = Flag()
    /// When the last sign of life was sent that reached the database.
    private let lastBeat = Mutex(ContinuousClock.now)

    /// What hints ask for is done five times a second at most: anybody who may connect can send one.
    private static let shortestPause = Duration.milliseconds(200)

    /// When the worker signed in.
    private let entered = Mutex(ContinuousClock.now)
    private let listening = Mutex(false)

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, inFlight: JobsInFlight, held: HeldLeases,
        problems: WorkerProblems, schema: Schema, compatibility: SchemaCompatibility, wakeUp: Signal,
        unreconciled: Signal, logger: Logger, observer: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.configuration = configuration
        self.statements = statements
        self.inFlight = inFlight
        self.held = held
        self.problems = problems
        self.schema = schema
        self.compatibility = compatibility
        self.wakeUp = wakeUp
        self.unreconciled = unreconciled
        self.logger = logger
        self.observer = observer
    }

    /// Whether this worker must stop what it runs, because the others take it for dead or may do so by now.
    var isLost: Bool { lost.isSet }

    /// Whether the last sign of life is recent enough that nobody can have taken a job.
    var holdsLeases: Bool { !lost.isSet && .now < lastBeat.withLock { $0 } + configuration.selfFenceAfter }

    /// Whether notifications reach the worker.
    var isListening: Bool {
        get { listening.withLock(\.self) }
        set { listening.withLock { $0 = newValue } }
    }

    /// Counts from now on, because the worker is just signing in.
    func begin() {
        lastBeat.withLock { $0 = .now }
        entered.withLock { $0 = .now }
    }

    /// Asks for a sign of life at once; its answer names the jobs that somebody wants cancelled.
    func beatNow() { due.raise() }

    /// Shows signs of life and takes the jobs of dead workers back, until it is cancelled.
    func beat() async {
        defer { observer(.iterated(.beats, nextWithin: nil)) }
        var asked = ContinuousClock.now - Self.shortestPause
        while !Task.isCancelled, !lost.isSet {
            observer(.iterated(.beats, nextWithin: configuration.beatInterval))
            await due.wait(atMost: configuration.beatInterval)
            try? await Task.sleep(for: asked + Self.shortestPause - .now)
            if Task.isCancelled || lost.isSet { break }
            observer(.iterated(.beats, nextWithin: .zero))
            // The database notes its time between the question and the answer, so the earlier one is the safe one.
            asked = .now
            do {
                guard
                    let answer = try await statements.beat(
                        .init(
                            inFlight: inFlight.count, isListening: isListening,
                            problem: problems.toldWithBeat, lastError: problems.lastFailure,
                            known: held.all, lostAfter: max(.seconds(60), configuration.leaseTime),
                            room: inFlight.room(within: configuration.memory)))
                else { return giveUp("the other workers took this one for dead") }
                lastBeat.withLock { $0 = asked }
                problems.end(.beat)
                observer(.beat(inFlight: inFlight.count))
                for id in answer.cancelled { inFlight.stop(id, because: .cancelled) }
                if answer.hasUnreconciled { unreconciled.raise() }
                await compatibility.check()
                await lookForWaits()
            } catch {
                problems.note(error, while: .beat)
                // What a newer schema does not have any more fails at the server.
                if error.code == .server { await compatibility.check() }
                try? await Task.sleep(for: min(.seconds(1), configuration.beatInterval))
                due.raise()
                continue
            }
            // After an outage of the database the others need a moment to sign in and give back what they have stopped.
            guard .now >= entered.withLock({ $0 }) + configuration.beatInterval else { continue }
            await problems.attempt(.reclaim) { try await reclaim() }
        }
    }

    /// Finds out whether statements of this daemon, whose sessions it sees, wait at the server.
    ///
    /// A statement that hangs tells nothing itself before its time is over.
    private func lookForWaits() async {
        let before = problems.isFailing(.goOn)
        if let wait = try? await HeldUp.look(schema, on: statements.control) {
            problems.note(wait.words, while: .goOn)
        } else {
            problems.end(.goOn)
        }
        // Told at once, and not with the next regular beat.
        if problems.isFailing(.goOn) != before { due.raise() }
    }

    private func reclaim() async throws {
        for (id, state) in try await statements.reclaim(silentFor: configuration.silenceLimit) {
            logger.warning(
                "took a job from a worker that shows no sign of life", metadata: ["job": "\(id)", "state": "\(state)"])
            wakeUp.raise()
        }
    }

    /// Gives up in time, also while a beat hangs; until it is cancelled.
    func watch() async {
        while !Task.isCancelled, !lost.isSet {
            let left = lastBeat.withLock { $0 } + configuration.selfFenceAfter - .now
            guard left > .zero else { return giveUp("no sign of life reached the database for too long") }
            try? await Task.sleep(for: left)
        }
    }

    /// Ends this identity: its jobs may already run elsewhere.
    private func giveUp(_ reason: String) {
        logger.error("stopping all jobs and beginning anew: \(reason)", metadata: ["jobs": "\(inFlight.count)"])
        lost.set()
        inFlight.stopAll(because: .leaseLost)
        wakeUp.raise()
    }
}
