public import JSON

/// What a look at a job that ended early has found out.
public enum Reconciliation: Sendable, Equatable {
    /// The job's saved result says it all.
    case upToDate
    /// This is the job's result from now on.
    case found(JSON)
    /// What the job has made may yet show up: another look is needed.
    case notYetKnown
}
