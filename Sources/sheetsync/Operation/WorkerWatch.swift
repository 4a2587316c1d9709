import JobQueue
import Synchronization

/// What this process's worker does, as its own events tell it.
final class WorkerWatch: Sendable {
    enum Phase: String {
        case starting, working, stopping
    }

    /// An end of jobs, for counting.
    struct Ending: Hashable {
        let kind: String
        let state: String
    }

    struct State {
        var phase = Phase.starting
        var inFlight = 0
        /// Until when each of its loops has said it will be back, whether the database answers or not.
        var dueAt: [WorkerLoop: ContinuousClock.Instant] = [:]
        /// When the last sign of life reached the database.
        var beatAt: ContinuousClock.Instant?
        /// The last statement that failed.
        var problem: (text: String, at: ContinuousClock.Instant)?
        /// Why no job can begin or end here now; nil where they can.
        var hindrance: String?
        var endings: [Ending: Int] = [:]
    }

    /// A problem that was met this long ago is over, unless it comes again.
    static let problemsLast = Duration.seconds(60)
    /// A loop that is back so late waits for a database that does not answer.
    static let answersWithin = Duration.seconds(6)

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    func note(_ event: WorkerEvent) {
        state.withLock { state in
            switch event {
            case .entered:
                if state.phase == .starting { state.phase = .working }
                // An earlier life's, whatever it was.
                state.hindrance = nil
                state.beatAt = .now
            case .beat(let inFlight):
                state.inFlight = inFlight
                state.beatAt = .now
            case .ended(let kind, let jobState): state.endings[Ending(kind: kind, state: jobState), default: 0] += 1
            case .failed(let text): state.problem = (text, .now)
            case .hindered(let words): state.hindrance = words
            case .iterated(let loop, let rest): state.dueAt[loop] = rest.map { .now + $0 }
            case .stopping: state.phase = .stopping
            }
        }
    }
}

extension WorkerWatch.State {
    /// The problem that lasts.
    var currentProblem: String? {
        guard let problem, ContinuousClock.now - problem.at < WorkerWatch.problemsLast else { return nil }
        return problem.text
    }

    /// Whether a loop should have come round so long ago.
    func isLate(_ loop: WorkerLoop, by limit: Duration) -> Bool {
        dueAt[loop].map { ContinuousClock.now - $0 > limit } ?? false
    }

    /// One line for `systemctl status`.
    var sentence: String {
        let jobs = inFlight == 1 ? "1 job runs" : "\(inFlight) jobs run"
        let doing =
            switch phase {
            case .starting: "signs in to the queue"
            case .working: inFlight == 0 ? "waits for jobs" : jobs
            case .stopping: inFlight == 0 ? "stops" : "stops when its jobs have ended: \(jobs)"
            }
        return currentProblem.map { "\(doing); last problem: \($0)" } ?? doing
    }

    /// Why the worker takes or ends no jobs; nil where it does.
    ///
    /// - Parameter silenceLimit: How long after its last sign of life it counts as dead.
    func obstacle(silenceLimit: Duration) -> String? {
        switch phase {
        case .starting: return currentProblem ?? "the worker has not signed in yet"
        case .stopping: return currentProblem ?? "the worker was told to stop and claims no more jobs"
        case .working:
            if let hindrance { return hindrance }
            if let late = WorkerLoop.allCases.first(where: { isLate($0, by: WorkerWatch.answersWithin) }) {
                return "\(late.words) waits for the database, which does not answer"
            }
            guard let beatAt, ContinuousClock.now - beatAt > silenceLimit else { return nil }
            return currentProblem ?? "no sign of life of the worker has reached the database for too long"
        }
    }
}
