/// How long a job rests after a failed attempt: exponential, with full jitter and a ceiling.
///
/// The pause is drawn evenly from nothing up to `base * 2^(attempt - 1)`, so that many jobs that failed together do not
/// come back together.
public struct RetryPolicy: Sendable {
    /// The ceiling of the first pause.
    public let base: Duration
    /// The ceiling of every pause.
    public let longest: Duration

    /// The longest pause that the other side may ask for.
    private static let longestRequested = Duration.seconds(86_400)

    /// Makes a policy.
    public init(base: Duration = .seconds(4), longest: Duration = .seconds(600)) {
        self.base = base
        self.longest = longest
    }

    /// The pause after a failed attempt, from 1.
    public func pause(after attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        let ceiling = min(base * (1 << min(max(attempt - 1, 0), 20)), longest)
        return ceiling * Double.random(in: 0...1, using: &random)
    }

    /// What becomes of a job after a failed attempt.
    ///
    /// The database makes `retry` an end where the attempts are used up; it knows best how many there were.
    func outcome(of job: Job, failure: JobFailure, using random: inout some RandomNumberGenerator) -> JobOutcome {
        // Beyond a day nobody would wait for it, and numbers beyond all dates are refused.
        func spread(_ least: Duration) -> Duration {
            // A quarter more at most: enough to spread, little enough to come when asked.
            min(max(least, .zero), Self.longestRequested) * Double.random(in: 1...1.25, using: &random)
        }
        return switch failure.retry {
        case .never:
            JobOutcome(job, .discarded, error: failure.json)
        case .backoff:
            JobOutcome(job, .retry, error: failure.json, delay: pause(after: job.attempt, using: &random))
        case .after(let least):
            JobOutcome(job, .retry, error: failure.json, delay: spread(least))
        case .snooze(let least):
            JobOutcome(job, .snooze, error: failure.json, delay: spread(least))
        }
    }
}
