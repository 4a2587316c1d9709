import JSON
import Postgres

extension QueueReport {
    /// A job that repeats.
    public struct SyncRow: Sendable {
        /// Its name.
        public internal(set) var name = ""
        /// Whether somebody has paused it.
        public internal(set) var isPaused = false
        /// The job of its last run.
        public internal(set) var lastJob: Int?
        /// Why its runs fail, and for how many seconds they have; nil where they do not.
        public internal(set) var failure: (code: String, message: String, seconds: Double)?
        /// Seconds since its last success, or since it was made where it has had none.
        public internal(set) var age = 0.0
        /// Whether a run was ever completed.
        public internal(set) var hasSucceeded = false
        /// Seconds that it has been late: two intervals of its schedule, or five minutes after a change.
        public internal(set) var lateFor: Double?
        /// Seconds until the next run.
        public internal(set) var nextIn: Double?
        /// What all its runs did with rows.
        public internal(set) var rows: RowChanges?
        /// A table whose changes it waits for and that has no trigger.
        public internal(set) var unwatched: String?

        /// What is wrong with it and what to do; nil where nothing is.
        public var trouble: String? {
            let success =
                hasSucceeded ? "its last success was \(approximate(seconds: age)) ago" : "it has never succeeded"
            if let failure {
                return "the sync \(name) has failed for \(approximate(seconds: failure.seconds)), and \(success): "
                    + "\(failure.code): \(failure.message)"
            }
            if let lateFor, lateFor > 0 {
                return "the sync \(name) has been late for \(approximate(seconds: lateFor)), and \(success)"
                    + (lastJob.map { " (`sheetsync why \($0)`)" } ?? "")
            }
            if let unwatched {
                return "the sync \(name) waits for changes of \(unwatched), which nobody watches: have its owner run "
                    + "`select sheetsync.watch('\(unwatched)')`"
            }
            return nil
        }
    }
}

extension QueueReport.SyncRow {
    init(_ row: Row) throws(PostgresError) {
        name = try row.text("name")
        isPaused = try row.text("state") == "paused"
        lastJob = try row.optionalInt("last_job")
        if let seconds = try row.optionalDouble("failing_for") {
            failure = (
                try row.optionalText("code") ?? "unknown", try row.optionalText("message") ?? "", max(seconds, 0)
            )
        }
        age = max(try row.optionalDouble("age") ?? 0, 0)
        hasSucceeded = try row.bool("has_succeeded")
        lateFor = try row.optionalDouble("late_for")
        nextIn = try row.optionalDouble("next_in")
        rows = RowChanges(try? JSON(parsing: try row.text("row_totals")))
        unwatched = try row.optionalText("unwatched")
    }
}
