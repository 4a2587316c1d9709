/// What a session of ours is set to, whatever the role, the database, the server and this process's environment say.
///
/// With these a statement's names are those of Postgres itself, and values have one spelling in both directions.
struct SessionSettings {
    /// Where a name is looked for that stands without a schema; temporary objects come last.
    private static let path = "pg_catalog, pg_temp"

    /// What decides how a statement is read and how its answer is written, as `current_setting` spells it.
    private static let meaning = [
        (name: "search_path", value: path), (name: "DateStyle", value: "ISO, YMD"),
        (name: "IntervalStyle", value: "postgres"), (name: "TimeZone", value: "UTC"),
        (name: "client_encoding", value: "UTF8"), (name: "bytea_output", value: "hex"),
        (name: "extra_float_digits", value: "1"), (name: "standard_conforming_strings", value: "on"),
    ]
    private static let isolation = (name: "default_transaction_isolation", value: "read committed")

    private let limits: [(name: String, value: String)]

    /// - Parameters:
    ///   - statementTimeout: The longest that one statement may take.
    ///   - lockTimeout: The longest that it may wait for one lock.
    init(statementTimeout: Duration, lockTimeout: Duration) {
        func milliseconds(_ time: Duration) -> String { "\(max(1, Int(time / .milliseconds(1))))" }
        limits = [
            (name: "statement_timeout", value: milliseconds(statementTimeout)),
            (name: "lock_timeout", value: milliseconds(lockTimeout)),
            (name: "idle_in_transaction_session_timeout", value: "60000"), (name: "jit", value: "off"),
        ]
    }

    /// The settings as the server takes them with the connection, before it runs anything.
    var startupOptions: String {
        (Self.meaning + [Self.isolation] + limits).map { setting in
            let value = setting.value.replacing("\\", with: "\\\\").replacing(" ", with: "\\ ")
            return "-c \(setting.name)=\(value)"
        }.joined(separator: " ")
    }

    /// The beginning of a transaction that has the settings, and leaves the session as it was.
    ///
    /// None of these statements looks up a name in a schema.
    var begin: String {
        "begin isolation level \(Self.isolation.value); \(Self.local(Self.meaning + limits))"
    }

    /// The settings for the rest of a transaction, without limits.
    static var local: String { local(meaning) }

    private static func local(_ settings: [(name: String, value: String)]) -> String {
        settings.map { setting in
            // A list of names, which quotes would make one name.
            let value = setting.name == "search_path" ? setting.value : "'\(setting.value)'"
            return "set local \(setting.name) = \(value)"
        }.joined(separator: "; ")
    }

    /// Asks a session what it is set to, which of the server's processes it is, which server that is and whether it takes writes.
    ///
    /// It may be asked in any session: its names have their schema, and it has no operators. No two servers have started in the
    /// same microsecond, a standby and its primary neither.
    static var question: Query {
        let settings = (meaning + [isolation]).map { "pg_catalog.current_setting('\($0.name)') as \"\($0.name)\"" }
        return Query(
            sql: """
                select pg_catalog.pg_backend_pid() as pid,
                    pg_catalog.to_char(pg_catalog.timezone('UTC', pg_catalog.pg_postmaster_start_time()),
                        'YYYY-MM-DD HH24:MI:SS.US') as server,
                    pg_catalog.current_setting('transaction_read_only') as only_reads, \(settings.joined(separator: ", "))
                """)
    }

    /// Whether the answer to the question is that of a session with the settings.
    static func areHeld(in answer: Row) throws(PostgresError) -> Bool {
        for setting in meaning + [isolation] where try answer.text(setting.name) != setting.value { return false }
        return true
    }
}
