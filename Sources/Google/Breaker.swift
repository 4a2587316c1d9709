/// Keeps calls away from a service that fails: closed, open for a while, then half open for one trial.
///
/// A value without a clock of its own; the caller says what time it is.
public struct Breaker: Sendable, Equatable {
    /// When to open, and for how long.
    public struct Policy: Sendable, Equatable {
        /// How many failures in a row open it.
        public var threshold = 5
        /// How long it is open at first; each trial that fails doubles it.
        public var pause: Duration = .seconds(2)
        /// How long it is open at most.
        public var longestPause: Duration = .seconds(60)

        /// Makes the policy with its defaults.
        public init() {}
    }

    /// Whether a call may go out.
    public enum Admission: Sendable, Equatable {
        /// It may.
        case open
        /// It may not, for at least so long.
        case closed(Duration)
    }

    private let policy: Policy
    private var failures = 0
    private var pause: Duration
    private var opensAgain: ContinuousClock.Instant?
    private var trialSince: ContinuousClock.Instant?

    /// Makes a closed breaker: calls pass.
    public init(policy: Policy = Policy()) {
        self.policy = policy
        pause = policy.pause
    }

    /// Whether a trial is under way.
    public var isTried: Bool { trialSince != nil }

    /// Whether calls pass without a trial.
    public var isClosed: Bool { opensAgain == nil }

    /// Tells whether a call may begin, without beginning one.
    public func admission(at now: ContinuousClock.Instant) -> Admission {
        guard let opensAgain else { return .open }
        if now < opensAgain { return .closed(opensAgain - now) }
        // A trial whose end nobody told, because its task is gone, must not block all others for ever.
        if let trialSince, now < trialSince + policy.longestPause * 4 { return .closed(policy.pause) }
        return .open
    }

    /// Begins a call, which is the trial where the breaker is half open.
    public mutating func begin(at now: ContinuousClock.Instant) -> Admission {
        let admission = admission(at: now)
        if admission == .open, opensAgain != nil { trialSince = now }
        return admission
    }

    /// A call ended without telling anything, such as a cancelled one.
    public mutating func abandon() { trialSince = nil }

    /// A call failed for the service's own fault; returns for how long the breaker is open now, nil where it stays closed.
    ///
    /// - Parameter isCertain: Whether further calls would fail in the same way, so that one failure is enough.
    public mutating func fail(at now: ContinuousClock.Instant, isCertain: Bool = false) -> Duration? {
        failures += 1
        if let opensAgain {
            // One that went out before it opened says nothing new.
            if now < opensAgain, trialSince == nil { return opensAgain - now }
            pause = min(pause * 2, policy.longestPause)
        } else if failures < policy.threshold, !isCertain {
            return nil
        }
        trialSince = nil
        opensAgain = now + pause
        return pause
    }
}
