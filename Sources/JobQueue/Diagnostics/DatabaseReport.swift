public import Postgres

/// The queue's database at one moment.
public struct DatabaseReport: Sendable {
    /// Why the server takes no writes at all.
    public enum Lock: String, Sendable {
        /// It follows another server, which is the one to ask.
        case standby
        /// Whoever runs it has made it read-only, as providers do when its disk is full.
        case readOnly = "read_only"
    }

    /// The schema's newest step.
    public internal(set) var schemaStep = 0
    /// The server's version.
    public internal(set) var serverVersion = ""
    /// The server's clock, in seconds since 1970.
    public internal(set) var time = 0.0
    /// Why it takes no writes; nil where it does.
    public internal(set) var lock: Lock?
    /// Who holds the oldest snapshot, this session aside.
    public internal(set) var oldestSnapshot: SnapshotHolder?

    /// Why nothing can be enqueued or done, and what to do; nil where the server takes writes.
    public var obstacle: String? {
        switch lock {
        case nil: nil
        case .standby:
            "the database only reads, because its server is a standby: let DATABASE_URL name the primary "
                + "(target_session_attrs=read-write finds it among several hosts)"
        case .readOnly:
            "the database only reads, because default_transaction_read_only is on for it: mostly its disk is full and its "
                + "provider has done that; make room there and switch it off"
        }
    }
}

extension DatabaseReport {
    /// Looks at the database; every login of the queue may.
    ///
    /// What people may see of other logins' sessions is their process, application and snapshot, but for members of
    /// `pg_read_all_stats` not since when.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> DatabaseReport {
        try DatabaseReport(
            try await connection.query("select * from \(identifier: schema.name).report_database")[0])
    }

    private init(_ row: Row) throws(PostgresError) {
        schemaStep = try row.int("schema_step")
        serverVersion = String(try row.text("server_version").prefix { $0 != " " })
        time = try row.optionalDouble("time") ?? 0
        lock = try row.optionalText("lock").flatMap { Lock(rawValue: $0) }
        oldestSnapshot = try SnapshotHolder(row)
    }
}
