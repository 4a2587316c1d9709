import Postgres

extension QueueReport {
    /// One kind of job.
    public struct KindRow: Sendable {
        /// The kind.
        public internal(set) var kind = ""
        /// Jobs that a free worker would run now.
        public internal(set) var available = 0
        /// Seconds that the oldest of them could have run; of the first ten thousand.
        public internal(set) var oldestAvailable: Double?
        /// Jobs that wait for their time and have not failed.
        public internal(set) var scheduled = 0
        /// Jobs that wait after a failed attempt.
        public internal(set) var retryable = 0
        /// Those of the two that were snoozed because they would only have waited.
        public internal(set) var snoozed = 0
        /// Seconds until the next of them is due.
        public internal(set) var nextDue: Double?
        /// Jobs that run.
        public internal(set) var running = 0
        /// Jobs completed a minute, by the last 2,000 that ended within the hour.
        public internal(set) var completedPerMinute = 0.0
        /// Jobs discarded in the last hour, among those 2,000.
        public internal(set) var discarded = 0
        /// The share of discarded jobs among those that ended, from 0 to 1; nil where none ended.
        public internal(set) var failureShare: Double?
        /// Seconds from the moment a job could run to its completion, which half of the jobs kept within.
        public internal(set) var medianTime: Double?
        /// The same for 99 of 100 jobs.
        public internal(set) var longTime: Double?
    }

    /// A job that runs.
    public struct RunningRow: Sendable {
        /// The job's number.
        public let id: Int
        /// Its kind.
        public let kind: String
        /// The worker's name; nil where the worker was taken for dead just now.
        public let worker: String?
        /// Seconds since this attempt began.
        public let seconds: Double
        /// How far it is, where it has said so.
        public let progress: Progress?
    }

    /// A login whose jobs run, or that has a ceiling.
    public struct LoginRow: Sendable {
        /// Its name.
        public let login: String
        /// How many of its jobs run, over all workers.
        public let running: Int
        /// How many may; nil for any number.
        public var slots: Int?
        /// How many may wait; nil for any number.
        public var waiting: Int?
        /// The best priority that they get; nil for any.
        public var bestPriority: Int?
        /// Whether there is a ceiling on its slots and more of its jobs could run.
        public var hasWaiting = false
    }

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
        /// Whether notifications reach it; where not, it polls.
        public let isListening: Bool
        /// What it fails at now; nil where it does its work.
        public let problem: String?
        /// The last job that failed, if any.
        public let lastError: String?
        /// The kinds of jobs that it can do; nil where it did not say.
        public var kinds: [String]?
    }

    /// A code that attempts failed with, or that jobs were snoozed for and wait.
    public struct ErrorRow: Sendable {
        /// The error's stable name.
        public let code: String
        /// How many attempts or jobs.
        public let count: Int
        /// One of the jobs.
        public let example: Int
        /// That job's message.
        public let message: String
        /// Whether the jobs wait until somebody mends something; what failed does not wait.
        public var needsMending = false
    }
}

extension QueueReport.KindRow {
    init(_ row: Row) throws(PostgresError) {
        kind = try row.text("kind")
        available = try row.int("available")
        oldestAvailable = try row.optionalDouble("oldest_available").map { max($0, 0) }
        scheduled = try row.int("scheduled")
        retryable = try row.int("retryable")
        snoozed = try row.int("snoozed")
        nextDue = try row.optionalDouble("next_due").map { max($0, 0) }
        running = try row.int("running")
        completedPerMinute = try row.optionalDouble("completed_per_minute") ?? 0
        discarded = try row.int("discarded")
        failureShare = try row.optionalDouble("failure_share")
        medianTime = try row.optionalDouble("median_time")
        longTime = try row.optionalDouble("long_time")
    }
}

extension QueueReport.RunningRow {
    init(_ row: Row) throws(PostgresError) {
        id = try row.int("id")
        kind = try row.text("kind")
        worker = try row.optionalText("worker")
        seconds = try row.optionalDouble("seconds") ?? 0
        let (done, total) = (try row.optionalInt("rows_done"), try row.optionalInt("rows_total"))
        progress = try row.optionalText("step").map { Progress(step: $0, rowsDone: done, rowsTotal: total) }
    }
}

extension QueueReport.LoginRow {
    init(_ row: Row) throws(PostgresError) {
        login = try row.text("login")
        running = try row.int("running")
        slots = try row.optionalInt("slots")
        waiting = try row.optionalInt("waiting")
        bestPriority = try row.optionalInt("best_priority")
        hasWaiting = try row.bool("has_waiting")
    }
}

extension QueueReport.WorkerRow {
    init(_ row: Row) throws(PostgresError) {
        name = try row.text("name")
        version = try row.text("version")
        silence = try row.optionalDouble("silence") ?? 0
        inFlight = try row.int("in_flight")
        concurrency = try row.int("concurrency")
        isListening = try row.bool("is_listening")
        problem = try row.optionalText("problem")
        lastError = try row.optionalText("last_error")
        kinds = try row.optionalText("kinds")?.split(separator: ",").map(String.init)
    }
}

extension QueueReport.ErrorRow {
    init(failure row: Row) throws(PostgresError) {
        code = try row.optionalText("code") ?? "unknown"
        count = try row.int("count")
        example = try row.int("example")
        message = try row.optionalText("message") ?? ""
    }

    init(wait row: Row) throws(PostgresError) {
        try self.init(failure: row)
        needsMending = try row.bool("needs_mending")
    }
}
