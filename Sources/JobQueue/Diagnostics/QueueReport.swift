public import Postgres

/// What the queue looks like at one moment, for `sheetsync status`.
///
/// Every number comes from small tables or the end of an index; history is never scanned, and counts stop at `countLimit`.
public struct QueueReport: Sendable {
    /// Counts are exact up to here; one more means "more than this".
    public static let countLimit = 10_000

    /// The queue by kinds of jobs, in the order of their names.
    public internal(set) var kinds: [KindRow] = []
    /// Jobs that are blocked behind an earlier one of their target.
    public internal(set) var blocked = 0
    /// Jobs completed in the last minute.
    public internal(set) var completedLastMinute = 0
    /// Jobs discarded in the last hour.
    public internal(set) var discardedLastHour = 0
    /// The jobs that run the longest.
    public internal(set) var longestRunning: [RunningRow] = []
    /// The logins whose jobs run, and those with a ceiling; who has the most slots first.
    public internal(set) var logins: [LoginRow] = []
    /// The processes, the longest silent last.
    public internal(set) var workers: [WorkerRow] = []
    /// What failed in the last hour, the most frequent first.
    public internal(set) var failures: [ErrorRow] = []
    /// Why jobs were discarded in the last hour, the most frequent first; of the last thousand.
    public internal(set) var discards: [ErrorRow] = []
    /// What an operator has stopped.
    public internal(set) var pauses: [Pause] = []
    /// The syncs, those that fail or are late first; the first thousand.
    public internal(set) var syncs: [SyncRow] = []
    /// What jobs were snoozed for, without losing an attempt, and wait for now; of the ten thousand that are due next,
    /// the most frequent first.
    public internal(set) var waits: [ErrorRow] = []
    /// The database; nil where it was not looked at.
    public internal(set) var database: DatabaseReport?

    /// How many daemons have a connection to the database, whether they work or hang; nil where it was not looked at.
    public internal(set) var connectedWorkers: Int?

    /// Jobs that a free worker would run now.
    public var available: Int { kinds.reduce(0) { $0 + $1.available } }
    /// Seconds that the oldest of them could have run.
    public var oldestAvailable: Double? { kinds.compactMap(\.oldestAvailable).max() }
    /// Jobs that wait for their time and have not failed.
    public var scheduled: Int { kinds.reduce(0) { $0 + $1.scheduled } }
    /// Jobs that wait after a failed attempt.
    public var retryable: Int { kinds.reduce(0) { $0 + $1.retryable } }
    /// Those of the two that were snoozed because they would only have waited.
    public var snoozed: Int { kinds.reduce(0) { $0 + $1.snoozed } }
    /// Seconds until the next of them is due.
    public var nextDue: Double? { kinds.compactMap(\.nextDue).min() }
    /// Jobs that run.
    public var running: Int { kinds.reduce(0) { $0 + $1.running } }

    /// The views that a report is read from; each reads a bounded number of rows.
    static let views = [
        "report_kind", "report_total", "report_running", "report_worker", "report_error", "report_discard",
        "report_wait",
        "report_pause", "report_login", "report_sync", "report_database",
    ]

    /// Reads the report.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> QueueReport {
        func rows(_ view: String) async throws(PostgresError) -> [Row] {
            try await connection.query("select * from \(identifier: schema.name).\(identifier: view)")
        }
        var report = QueueReport()
        report.kinds = try await rows("report_kind").map(KindRow.init)
        let totals = try await rows("report_total")[0]
        report.blocked = try totals.int("blocked")
        report.completedLastMinute = try totals.int("completed_last_minute")
        report.discardedLastHour = try totals.int("discarded_last_hour")
        report.longestRunning = try await rows("report_running").map(RunningRow.init)
        report.logins = try await rows("report_login").map(LoginRow.init)
        report.workers = try await rows("report_worker").map(WorkerRow.init)
        report.failures = try await rows("report_error").map(ErrorRow.init(failure:))
        report.discards = try await rows("report_discard").map(ErrorRow.init(failure:))
        report.waits = try await rows("report_wait").map(ErrorRow.init(wait:))
        report.pauses = try await rows("report_pause").map(Pause.init)
        report.syncs = try await rows("report_sync").map(SyncRow.init)
        report.database = try await DatabaseReport.read(schema, on: connection)
        report.connectedWorkers = try await connectedWorkers(on: connection)
        return report
    }
}
