public import JSON

/// What a look says of a job that ended before its time.
public enum Remains: Sendable, Equatable {
    /// What the job saved last says it all.
    case saved
    /// This is the job's result from now on.
    case known(JSON)
    /// What it has made may yet show up: another look is needed.
    case uncertain
}
