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
    public enum Permit: Sendable, Equatable {
        /// It may.
        case allowed
        /// It may not, for at least so long.
        case blocked(for: Duration)
    }

    private let policy: Policy
    private var failures = 0
    private var pause: Duration
    private var openUntil: ContinuousClock.Instant?
    private var trialSince: ContinuousClock.Instant?

    /// Makes a closed breaker: calls pass.
    public init(policy: Policy = Policy()) {
        self.policy = policy
        pause = policy.pause
    }

    /// Whether a trial is under way.
    public var isTried: Bool { trialSince != nil }

    /// Whether calls pass without a trial.
    public var isClosed: Bool { openUntil == nil }

    /// Tells whether a call may begin, without beginning one.
    public func permit(at now: ContinuousClock.Instant) -> Permit {
        guard let openUntil else { return .allowed }
        if now < openUntil { return .blocked(for: openUntil - now) }
        // A trial whose end nobody told, because its task is gone, must not block all others for ever.
        if let trialSince, now < trialSince + policy.longestPause * 4 { return .blocked(for: policy.pause) }
        return .allowed
    }

    /// Begins a call, which is the trial where the breaker is half open.
    public mutating func begin(at now: ContinuousClock.Instant) -> Permit {
        let permit = permit(at: now)
        if permit == .allowed, openUntil != nil { trialSince = now }
        return permit
    }

    /// A call ended without telling anything, such as a cancelled one.
    public mutating func abandon() { trialSince = nil }

    /// A call failed for the service's own fault; returns for how long the breaker is open now, nil where it stays closed.
    ///
    /// - Parameter isCertain: Whether further calls would fail in the same way, so that one failure is enough.
    public mutating func fail(at now: ContinuousClock.Instant, isCertain: Bool = false) -> Duration? {
        failures += 1
        if let openUntil {
            // One that went out before it opened says nothing new.
            if now < openUntil, trialSince == nil { return openUntil - now }
            pause = min(pause * 2, policy.longestPause)
        } else if failures < policy.threshold, !isCertain {
            return nil
        }
        trialSince = nil
        openUntil = now + pause
        return pause
    }
}
