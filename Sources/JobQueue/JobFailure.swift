public import JSON
public import Postgres

/// Why an attempt failed, and what becomes of the job.
public struct JobFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// When the job runs again.
    public enum Retry: Sendable, Equatable {
        /// Never: it would fail again.
        case never
        /// After a pause that grows with the attempts.
        case backoff
        /// After at least this pause, as the other side asked.
        case after(Duration)
        /// After this pause, without counting the attempt: it only waited its turn.
        case snooze(Duration)
    }

    /// A stable name, such as `queue.worker_lost`.
    public let code: String
    /// What happened and what to do, in sentences.
    public let message: String
    /// When the job runs again.
    public let retry: Retry
    /// Whether the job waits until somebody mends something, and not for what passes by itself.
    public let needsMending: Bool
    /// What programs may want to know beside that, as further members of the entry in the job's history.
    public let details: JSONObject

    /// Makes a failure.
    public init(
        code: String, message: String, retry: Retry, needsMending: Bool = false, details: JSONObject = JSONObject()
    ) {
        self.code = code
        self.message = message
        self.retry = retry
        self.needsMending = needsMending
        self.details = details
    }

    /// The failure that any error amounts to; one that is none yet is a mistake of the program.
    public init(_ error: any Error) {
        self =
            error as? JobFailure ?? (error as? PostgresError).map { JobFailure($0) }
            ?? JobFailure(.internal, "An unexpected error: \(error)", retry: .backoff)
    }

    /// A statement that failed under a job.
    ///
    /// Where that passes, it says nothing about the job, which goes on when the database is back and loses no attempt.
    public init(_ error: PostgresError) {
        self.init(
            .databaseFailed, "The queue's database failed while the job ran: \(error)",
            retry: error.isTransient ? .snooze(.seconds(1)) : .backoff)
    }

    /// Code and message.
    public var description: String { "\(code): \(message)" }

    /// What the job's history keeps.
    var json: JSON {
        var members = details
        members["code"] = .string(code)
        members["message"] = .string(message)
        members["retryable"] = .bool(retry != .never)
        if needsMending { members["needs_mending"] = true }
        return .object(members)
    }
}
