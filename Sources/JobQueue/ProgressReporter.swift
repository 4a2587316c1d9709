public import JSON

/// Writes how far a job is.
public struct ProgressReporter: Sendable {
    private let write: @Sendable (Progress) async throws(JobFailure) -> Void
    private let holds: @Sendable () -> Bool

    /// Makes a reporter that hands each step to a closure.
    ///
    /// - Parameter holds: Whether the job is certainly still this worker's.
    public init(
        holds: @escaping @Sendable () -> Bool = { true },
        write: @escaping @Sendable (Progress) async throws(JobFailure) -> Void
    ) {
        self.holds = holds
        self.write = write
    }

    /// Whether the job is certainly still this worker's.
    ///
    /// False as soon as its lease may have run out, by this machine's clock: a worker that was suspended sees it when it wakes
    /// up, before anybody tells it. What cannot be undone is not begun then.
    public var isHeld: Bool { holds() }

    /// Writes a step for people, such as `writing`, and how many of its rows are done; a job does not fail for it.
    public func callAsFunction(_ step: String, rowsDone: Int? = nil, of rowsTotal: Int? = nil) async {
        try? await write(Progress(step: step, rowsDone: rowsDone, rowsTotal: rowsTotal))
    }

    /// Saves what a later attempt needs to go on from here; when it returns, the database has it.
    ///
    /// An object in the checkpoint's member `result` is for people: it becomes the job's result where the job is cancelled
    /// or discarded before it is done, so that nobody has to guess what exists already.
    ///
    /// - Throws: `JobFailure` where it could not be saved, also because the job is not this worker's any more.
    public func save(
        _ checkpoint: JSON, step: String, rowsDone: Int? = nil, of rowsTotal: Int? = nil
    ) async throws(JobFailure) {
        try await write(Progress(step: step, rowsDone: rowsDone, rowsTotal: rowsTotal, checkpoint: checkpoint))
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
    /// What a later attempt needs to go on; nil leaves what was saved before.
    public var checkpoint: JSON?
}
