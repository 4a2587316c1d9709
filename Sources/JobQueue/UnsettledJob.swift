/// A job that ended before its time, of which nobody knows for certain what it has made.
struct UnsettledJob: Sendable {
    let job: Job
    /// When it ended, as the database writes it; tells this end from one after a retry.
    let endedAt: String
    /// How long ago that was when it was taken.
    let age: Duration
    /// When this look was due, as the database writes it.
    let wasDueAt: String
}
