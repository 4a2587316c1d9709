public import JSON

/// A job that this worker holds.
public struct Job: Sendable {
    /// Its number in the queue.
    public let id: Int
    /// A random text that no other job has, not even one with the same number after a restore of the database.
    public let uid: String
    /// What is to be done, by the name of its handler.
    public let kind: String
    /// What to do it with.
    public let payload: JSON
    /// Which attempt this is, from 1.
    public let attempt: Int
    /// How many attempts it has.
    public let maxAttempts: Int
    /// Whether a worker has had it before, so that some of its work may be done already.
    ///
    /// True also where `attempt` is 1: a job that was given back keeps its attempts.
    public let isRedelivered: Bool
    /// The database login that enqueued it.
    public let login: String
    /// The producer's label for fairness and reports.
    public let owner: String
    /// What no other job may write at the same time, such as `document:` and its id; nil for a job that may run beside
    /// every other.
    public let target: String?
    /// What an earlier attempt saved with `ProgressReporter.save`; nil where none did.
    ///
    /// A handler that saves before it hands the job on brings it up to date.
    public var checkpoint: JSON?

    /// The number of the lease under which this worker holds it; never used again.
    public let leaseNumber: Int
    /// The size of the payload's text.
    let payloadBytes: Int
    /// Whether it runs alone, because workers were lost while they ran it.
    let isIsolated: Bool
    /// Why it cannot run at all, where its payload could not be read.
    var refusal: JobFailure?
}
