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
}

/// Writes how far a job is.
public struct ProgressReporter: Sendable {
    private let write: @Sendable (Progress) async -> Void

    /// Makes a reporter that hands each step to a closure.
    public init(write: @escaping @Sendable (Progress) async -> Void) { self.write = write }

    /// Writes a step, such as `writing`, and how many of its rows are done.
    public func callAsFunction(_ step: String, rowsDone: Int? = nil, of rowsTotal: Int? = nil) async {
        await write(Progress(step: step, rowsDone: rowsDone, rowsTotal: rowsTotal))
    }
}

/// How far a job is.
public struct Progress: Sendable, Equatable {
    /// What it does at the moment, in a word.
    public let step: String
    /// How many of its rows are written.
    public let rowsDone: Int?
    /// How many rows it has.
    public let rowsTotal: Int?
}
