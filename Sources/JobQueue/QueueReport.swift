public import Postgres

/// What the queue looks like at one moment, for `sheetsync status`.
///
/// Every number comes from small tables or the end of an index; history is never scanned, and counts stop at `countLimit`.
public struct QueueReport: Sendable {
    /// A process that works or worked.
    public struct WorkerRow: Sendable {
        /// Its name for people.
        public let name: String
        /// The program's version.
        public let version: String
        /// Seconds since its last sign of life.
        public let silence: Double
        /// How many jobs it runs.
        public let inFlight: Int
        /// How many it may run at once.
        public let concurrency: Int
        /// The last error it met, if any.
        public let lastError: String?
    }

    /// A code that attempts failed with in the last hour.
    public struct FailureRow: Sendable {
        /// The error's stable name.
        public let code: String
        /// How many attempts.
        public let count: Int
        /// One of the jobs.
        public let example: Int
        /// That job's message.
        public let message: String
    }

    /// Counts are exact up to here; one more means "more than this".
    public static let countLimit = 10_000

    /// Jobs that a free worker would run now.
    public let available: Int
    /// Seconds that the oldest of them could have run.
    public let oldestAvailable: Double?
    /// Jobs that wait for an earlier one of their target to end.
    public let held: Int
    /// Jobs that wait for their time.
    public let scheduled: Int
    /// Jobs that wait after a failed attempt.
    public let retryable: Int
    /// Seconds until the next of those two kinds is due.
    public let nextDue: Double?
    /// Jobs that run.
    public let running: Int
    /// Jobs completed in the last minute.
    public let completedLastMinute: Int
    /// Jobs discarded in the last hour.
    public let discardedLastHour: Int
    /// The processes, the longest silent last.
    public let workers: [WorkerRow]
    /// What failed in the last hour, the most frequent first.
    public let failures: [FailureRow]
    /// What an operator has stopped.
    public let pauses: [Pause]

    /// Reads the report.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> QueueReport {
        let name = schema.name
        let limit = countLimit + 1
        let counts = try await connection.query(
            """
            select
                (select count(*) from (select from \(identifier: name).ready where gate = 0 limit \(limit)) x) as available,
                (select extract(epoch from clock_timestamp() - min(run_at)) from
                    (select run_at from \(identifier: name).ready where gate = 0 limit \(limit)) x) as oldest_available,
                (select count(*) from (select from \(identifier: name).ready where gate = 2 limit \(limit)) x) as held,
                (select count(*) from (select from \(identifier: name).ready where gate = 1 and attempt = 0
                    limit \(limit)) x) as scheduled,
                (select count(*) from (select from \(identifier: name).ready where gate = 1 and attempt > 0
                    limit \(limit)) x) as retryable,
                (select extract(epoch from min(run_at) - clock_timestamp()) from \(identifier: name).ready
                    where gate = 1) as next_due,
                (select count(*) from \(identifier: name).lease) as running,
                (select count(*) from \(identifier: name).outcome
                    where state = 'completed' and finalized_at > now() - interval '1 minute') as completed_last_minute,
                (select count(*) from \(identifier: name).outcome
                    where state = 'discarded' and finalized_at > now() - interval '1 hour') as discarded_last_hour
            """)[0]
        let workers = try await connection.query(
            """
            select name, version, extract(epoch from clock_timestamp() - beat_at) as silence, in_flight, concurrency, last_error
            from \(identifier: name).worker order by beat_at desc limit 100
            """)
        let failures = try await connection.query(
            """
            select error ->> 'code' as code, count(*) as count, max(id) as example,
                   (array_agg(error ->> 'message' order by at desc))[1] as message
            from (select * from \(identifier: name).failure where at > now() - interval '1 hour'
                  order by at desc limit \(limit)) recent
            group by 1 order by 2 desc, 1 limit 10
            """)
        return QueueReport(
            available: try counts.int("available"), oldestAvailable: try counts.optionalDouble("oldest_available"),
            held: try counts.int("held"), scheduled: try counts.int("scheduled"),
            retryable: try counts.int("retryable"),
            nextDue: try counts.optionalDouble("next_due"), running: try counts.int("running"),
            completedLastMinute: try counts.int("completed_last_minute"),
            discardedLastHour: try counts.int("discarded_last_hour"),
            workers: try workers.map(WorkerRow.init), failures: try failures.map(FailureRow.init),
            pauses: try await Pause.all(schema, on: connection))
    }
}

extension QueueReport.WorkerRow {
    init(_ row: Row) throws(PostgresError) {
        name = try row.text("name")
        version = try row.text("version")
        silence = try row.optionalDouble("silence") ?? 0
        inFlight = try row.int("in_flight")
        concurrency = try row.int("concurrency")
        lastError = try row.optionalText("last_error")
    }
}

extension QueueReport.FailureRow {
    init(_ row: Row) throws(PostgresError) {
        code = try row.optionalText("code") ?? "unknown"
        count = try row.int("count")
        example = try row.int("example")
        message = try row.optionalText("message") ?? ""
    }
}
