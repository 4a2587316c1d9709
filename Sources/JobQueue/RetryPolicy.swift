import Arithmetic

/// How long a job rests after a failed attempt, and when it ends.
public struct RetryPolicy: Sendable {
    private let backoff: Backoff

    /// The longest pause that the other side may ask for.
    private static let longestRequested = Duration.seconds(86_400)

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - base: The ceiling of the first pause.
    ///   - longest: The ceiling of every pause.
    public init(base: Duration = .seconds(4), longest: Duration = .seconds(600)) {
        backoff = Backoff(base: base, ceiling: longest)
    }

    /// The pause after a failed attempt, from 1.
    public func pause(after attempt: Int, using random: inout some RandomNumberGenerator) -> Duration {
        backoff.delay(attempt: attempt - 1, using: &random)
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
