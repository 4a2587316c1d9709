public import Postgres

/// What the queue looks like at one moment, for `sheetsync status`.
///
/// Every number comes from small tables or the end of an index; history is never scanned, and counts stop at `countLimit`.
public struct QueueReport: Sendable {
    /// Counts are exact up to here; one more means "more than this".
    public static let countLimit = 10_000

    /// The queue by kinds of jobs, in the order of their names.
    public internal(set) var kinds: [KindRow] = []
    /// Jobs that wait for an earlier one of their target to end.
    public internal(set) var held = 0
    /// Jobs completed in the last minute.
    public internal(set) var completedLastMinute = 0
    /// Jobs discarded in the last hour.
    public internal(set) var discardedLastHour = 0
    /// The jobs that run the longest.
    public internal(set) var longestRunning: [RunningRow] = []
    /// The processes, the longest silent last.
    public internal(set) var workers: [WorkerRow] = []
    /// What failed in the last hour, the most frequent first.
    public internal(set) var failures: [ErrorRow] = []
    /// Why jobs were discarded in the last hour, the most frequent first; of the last thousand.
    public internal(set) var discards: [ErrorRow] = []
    /// What an operator has stopped.
    public internal(set) var pauses: [Pause] = []
    /// Google's quotas, as far as they are used.
    public internal(set) var quotas: [Quota] = []
    /// How many seconds Google takes the access token of each account yet.
    public internal(set) var tokens: [String: Double] = [:]
    /// What jobs were given back for, without losing an attempt, and wait for now; of the ten thousand that are
    /// due next, the most frequent first.
    public internal(set) var waits: [ErrorRow] = []
    /// Services of Google's that fail, the one that failed first at first.
    public internal(set) var breakers: [OpenBreaker] = []
    /// The database; nil where it was not looked at.
    public internal(set) var database: DatabaseReport?

    /// Jobs that a free worker would run now.
    public var available: Int { kinds.reduce(0) { $0 + $1.available } }
    /// Seconds that the oldest of them could have run.
    public var oldestAvailable: Double? { kinds.compactMap(\.oldestAvailable).max() }
    /// Jobs that wait for their time and have not failed.
    public var scheduled: Int { kinds.reduce(0) { $0 + $1.scheduled } }
    /// Jobs that wait after a failed attempt.
    public var retryable: Int { kinds.reduce(0) { $0 + $1.retryable } }
    /// Those of the two that were given back because they would only have waited.
    public var deferred: Int { kinds.reduce(0) { $0 + $1.deferred } }
    /// Seconds until the next of them is due.
    public var nextDue: Double? { kinds.compactMap(\.nextDue).min() }
    /// Jobs that run.
    public var running: Int { kinds.reduce(0) { $0 + $1.running } }

    /// Reads the report.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> QueueReport {
        var report = QueueReport()
        let statements = Statements(schema: schema.name)
        report.kinds = try await connection.query(statements.kinds).map(KindRow.init)
        let totals = try await connection.query(statements.totals)[0]
        report.held = try totals.int("held")
        report.completedLastMinute = try totals.int("completed_last_minute")
        report.discardedLastHour = try totals.int("discarded_last_hour")
        report.longestRunning = try await connection.query(statements.longestRunning).map(RunningRow.init)
        report.workers = try await connection.query(statements.workers).map(WorkerRow.init)
        report.failures = try await connection.query(statements.failures).map(ErrorRow.init(failure:))
        report.discards = try await connection.query(statements.discards).map(ErrorRow.init(failure:))
        report.pauses = try await Pause.all(schema, on: connection)
        report.quotas = try await connection.query(statements.quotas).map(Quota.init)
        for row in try await connection.query(statements.tokens) {
            report.tokens[try row.text("account")] = try row.optionalDouble("seconds")
        }
        report.waits = try await connection.query(statements.waits).map(ErrorRow.init(wait:))
        report.breakers = try await connection.query(statements.breakers).map(OpenBreaker.init)
        report.database = try await DatabaseReport.read(schema, on: connection)
        return report
    }
}
