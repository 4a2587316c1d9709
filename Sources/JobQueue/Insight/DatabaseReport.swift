import Postgres

/// The queue's database at one moment.
public struct DatabaseReport: Sendable {
    /// A session whose snapshot keeps the rows of ended jobs from being removed.
    public struct SnapshotHolder: Sendable, Equatable {
        /// The server process.
        public let pid: Int
        /// What the session calls itself.
        public let application: String
        /// Its login.
        public let login: String
        /// How many transactions began since.
        public let age: Int
        /// Seconds since its transaction began; nil where this login may not know.
        public let seconds: Double?

        /// Whether that is long enough to slow down the claims.
        public var isLong: Bool { age >= 100_000 || (seconds ?? 0) >= 3600 }
    }

    /// The schema's newest step.
    public internal(set) var schemaStep = 0
    /// The server's version.
    public internal(set) var serverVersion = ""
    /// The server's clock, in seconds since 1970.
    public internal(set) var time = 0.0
    /// How many workers listen; those behind a pooler in transaction mode cannot, and poll.
    public internal(set) var listeners = 0
    /// The oldest snapshot of another session.
    public internal(set) var oldestSnapshot: SnapshotHolder?
}

extension DatabaseReport {
    init(_ row: Row) throws(PostgresError) {
        schemaStep = try row.int("schema_step")
        serverVersion = String(try row.text("server_version").prefix { $0 != " " })
        time = try row.optionalDouble("time") ?? 0
        listeners = try row.int("listeners")
        guard let pid = try row.optionalInt("pid") else { return }
        oldestSnapshot = SnapshotHolder(
            pid: pid, application: try row.optionalText("application_name") ?? "",
            login: try row.optionalText("usename") ?? "", age: try row.int("age"),
            seconds: try row.optionalDouble("seconds"))
    }
}
