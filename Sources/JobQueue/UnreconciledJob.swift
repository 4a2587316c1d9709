/// A job that ended early, of which nobody knows for certain what it has made.
struct UnreconciledJob: Sendable {
    let job: Job
    /// When it ended, in microseconds since 1970; tells this end from one after a retry.
    let finalizedAt: Int
    /// How long ago that was when it was taken.
    let age: Duration
}
