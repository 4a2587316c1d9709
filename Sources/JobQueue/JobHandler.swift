public import JSON

/// Does the work of one kind of job.
public protocol JobHandler: Sendable {
    /// Runs one attempt and returns the job's result.
    ///
    /// The task is cancelled when somebody cancels the job, when the daemon's grace at shutdown is over and when the lease
    /// was lost; a handler then ends soon, and what it throws is of no consequence.
    ///
    /// - Throws: `JobFailure`. Any other error counts as a mistake of the program and is retried with backoff.
    func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON

    /// Looks for what a job has made that was cancelled or discarded, perhaps before it could save that; changes nothing.
    ///
    /// It is asked only about jobs without a target, of kinds that are reconciled.
    ///
    /// - Parameter age: How long ago the job ended.
    /// - Throws: Whatever was in the way; it is asked again later.
    func reconcile(_ job: Job, endedAgo age: Duration) async throws -> Reconciliation
}

extension JobHandler {
    /// Says that whatever the job has made is saved.
    public func reconcile(_ job: Job, endedAgo age: Duration) async throws -> Reconciliation { .upToDate }
}
