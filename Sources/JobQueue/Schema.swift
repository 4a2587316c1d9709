public import Postgres

/// The queue's schema in a database: which one it is, what state it is in, and how it gets there.
public struct Schema: Sendable {
    /// The schema's name, `sheetsync` unless set otherwise.
    public let name: String
    /// The steps that this program brings, in order.
    public let steps: [Migration]

    /// Makes a reference to the schema of a name; nothing is looked up.
    ///
    /// - Parameter steps: The queue's steps, and those of the modules whose jobs it runs.
    public init(name: String = "sheetsync", steps: [Migration] = Migration.queue) {
        self.name = name
        self.steps = steps.sorted { $0.number < $1.number }
    }

    /// Whether this program can work with a schema.
    public enum State: Sendable, Equatable {
        /// There is none.
        case missing
        /// It is older than this program needs, or too new for it, or its steps cannot be read.
        case incompatible(String)
        /// It can be used; `number` is its newest step.
        case compatible(number: Int)
    }

    /// Tells whether this program can work with the schema.
    ///
    /// A newer schema is compatible as long as its `min_binary` allows this program's newest step.
    public func state(on connection: Connection) async throws(PostgresError) -> State {
        do throws(PostgresError) {
            let rows = try await connection.query(
                """
                select number, (select value::int from \(identifier: name).setting where name = 'min_binary') as min_binary
                from \(identifier: name).schema_migration order by number desc limit 1
                """)
            guard let newest = rows.first, let oldestBinary = try newest.optionalInt("min_binary") else {
                return .incompatible(
                    "the table \(name).schema_migration or \(name).setting shows no rows: row-level security hides them "
                        + "from this login, or a restore left them out")
            }
            return Self.judge(
                newest: try newest.int("number"), oldestBinary: oldestBinary, known: steps.last?.number ?? 0)
        } catch {
            // 3F000 and 42P01: there is no such schema or table.
            if error.sqlState == "3F000" || error.sqlState == "42P01" { return .missing }
            throw error
        }
    }

    /// Decides about a schema whose newest step and limit are known.
    static func judge(newest: Int, oldestBinary: Int, known: Int) -> State {
        if newest < known {
            return .incompatible(
                "the schema is at step \(newest), and this program needs step \(known): run `sheetsync migrate`")
        }
        if oldestBinary > known {
            return .incompatible(
                "the schema is at step \(newest) and works with programs that know step \(oldestBinary) or later, "
                    + "and this one knows \(known): install the newer sheetsync")
        }
        return .compatible(number: newest)
    }

    /// The steps that are not applied yet.
    public func pending(on connection: Connection) async throws(PostgresError) -> [Migration] {
        switch try await appliedChecksums(on: connection) {
        case let applied?: steps.filter { applied[$0.number] == nil }
        case nil: steps
        }
    }

    /// Brings the schema to this program's newest step, in one transaction; returns the steps applied.
    ///
    /// It locks its own list of steps, so that of two migrations at once the second finds nothing left to do. Where others hold
    /// what it needs for as long as the connection waits for a lock, it lets go, so that nobody waits behind it, and tries
    /// again, twenty times.
    ///
    /// - Parameter waiting: Is told who holds it up, each time.
    /// - Throws: `SchemaError` where roles are missing that this login may not make, an applied step has changed, or somebody
    ///   holds locks for longer.
    public func migrate(
        on connection: Connection, waiting: (String) -> Void = { _ in }
    ) async throws -> [Migration] {
        for attempt in 1... {
            do {
                return try await migrateOnce(on: connection)
            } catch let error as PostgresError {
                // Another migration made the schema or the list at the same moment.
                if attempt < 20, ["42P06", "42P07", "23505"].contains(error.sqlState) { continue }
                guard error.sqlState == "55P03" else { throw error }
                let holder = await lockHolder(on: connection)
                guard attempt < 20 else {
                    throw SchemaError(
                        description:
                            "the schema \(name) is in use: \(holder). Nothing was changed; wait for its end, or end it "
                            + "with pg_terminate_backend, then run `sheetsync migrate` again")
                }
                waiting("waiting for the schema \(name), which is in use: \(holder)")
            }
        }
        return []
    }

    private func migrateOnce(on connection: Connection) async throws -> [Migration] {
        if let applied = try await appliedChecksums(on: connection) { try await verify(applied, on: connection) }
        try await Roles.ensure(on: connection)
        if let grant = try await missingGrant(on: connection) {
            throw SchemaError(
                description: """
                    The schema \(name) was made beforehand, and its owner has not let sheetsync_owner build in it; nothing was \
                    changed. Have its owner run this statement, then run `sheetsync migrate` again:
                    \(grant)
                    """)
        }
        if try await pending(on: connection).isEmpty { return [] }
        return try await connection.transaction { db throws(PostgresError) in
            try db.script(try preparation(on: db))
            try db.script(Self.lock)
            var applied: [Migration] = []
            for step in steps
            where try db.query("select 1 from schema_migration where number = \(step.number)").isEmpty {
                try db.script(try script(of: step, on: db))
                applied.append(step)
            }
            return applied
        }
    }

    /// Who holds a lock in the schema for longest, for people.
    private func lockHolder(on connection: Connection) async -> String {
        let rows = try? await connection.query(
            """
            select l.pid, a.usename::text as login, a.application_name as name, c.relname as relation,
                coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::float8 as seconds
            from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
            left join pg_stat_activity a on a.pid = l.pid
            where l.granted and n.nspname = \(name) and l.pid is distinct from pg_backend_pid()
                and l.database = (select d.oid from pg_database d where d.datname = current_database())
            order by l.mode = 'AccessShareLock', a.xact_start nulls first, c.relname limit 1
            """)
        guard let row = rows?.first, let relation = try? row.text("relation") else {
            return "another transaction makes it, or one that has ended by now held it"
        }
        guard let pid = try? row.int("pid"), let login = try? row.text("login"), let name = try? row.text("name"),
            let seconds = try? row.optionalDouble("seconds")
        else { return "a prepared transaction holds \(relation) (see pg_prepared_xacts)" }
        let program = name.isEmpty ? "" : " (\(name))"
        let time = seconds > 0 ? " for \(Int(seconds)) seconds" : ""
        return "process \(pid) of login \(login)\(program) has held \(relation)\(time)"
    }

    /// What `migrate` would do, as a script for an administrator's psql; nil where nothing is to be done.
    public func plan(on connection: Connection) async throws(PostgresError) -> String? {
        let roles = try await Roles.missingStatements(on: connection)
        let grant = try await missingGrant(on: connection)
        let pending = try await pending(on: connection)
        let steps = try await connection.transaction { db throws(PostgresError) in
            var parts: [String] = []
            for step in pending {
                parts.append("-- step \(step.number): \(step.name)")
                parts.append(try script(of: step, on: db))
            }
            let begin = "begin; set local search_path = pg_catalog, pg_temp;"
            return parts.isEmpty ? [] : [begin, try preparation(on: db), Self.lock] + parts + ["commit;"]
        }
        let statements = roles + (grant.map { [$0] } ?? []) + steps
        return statements.isEmpty ? nil : statements.joined(separator: "\n")
    }

    /// The statement that lets sheetsync_owner build in a schema that somebody else made; nil where it may, or there is none.
    ///
    /// Without the right, Postgres would leave the schema out of the search path and build in another one.
    private func missingGrant(on connection: Connection) async throws(PostgresError) -> String? {
        let rows = try await connection.query(
            """
            select from pg_catalog.pg_namespace n
            where n.nspname = \(name) and to_regrole('sheetsync_owner') is not null
              and not (has_schema_privilege('sheetsync_owner', n.oid, 'create')
                       and has_schema_privilege('sheetsync_owner', n.oid, 'usage'))
            """)
        return rows.isEmpty ? nil : "grant create, usage on schema \(quoted(identifier: name)) to sheetsync_owner;"
    }

    /// Lets the second of two migrations wait, and then find nothing left to do; no login of the queue may lock this table.
    private static let lock = "lock table schema_migration in share row exclusive mode;"

    /// The statements in front of the steps: the schema, the role and path that steps are written for, and their list.
    private func preparation(on db: isolated Connection) throws(PostgresError) -> String {
        let isThere = try db.query("select 1 from pg_namespace where nspname = \(name)").isEmpty == false
        let name = quoted(identifier: self.name)
        return (isThere ? "" : "create schema \(name) authorization sheetsync_owner;\n") + """
            set local role sheetsync_owner;
            set local search_path = \(name), pg_temp;
            create table if not exists schema_migration (
                number int primary key, name text not null, checksum text not null,
                applied_at timestamptz not null default now(), applied_by name not null default session_user);
            """
    }

    /// A step's statements and its entry in the list.
    private func script(of step: Migration, on db: isolated Connection) throws(PostgresError) -> String {
        """
        \(step.sql)
        insert into schema_migration (number, name, checksum)
        values (\(step.number), '\(step.name)', '\(try checksum(of: step, on: db))');
        """
    }

    private func checksum(of step: Migration, on db: isolated Connection) throws(PostgresError) -> String {
        try db.query("select encode(sha256(convert_to(\(step.sql), 'UTF8')), 'hex') as checksum")[0].text("checksum")
    }

    /// The checksums of the applied steps by number; nil without a schema.
    private func appliedChecksums(on connection: Connection) async throws(PostgresError) -> [Int: String]? {
        do throws(PostgresError) {
            var checksums: [Int: String] = [:]
            for row in try await connection.query("select number, checksum from \(identifier: name).schema_migration") {
                checksums[try row.int("number")] = try row.text("checksum")
            }
            return checksums
        } catch {
            if error.sqlState == "3F000" || error.sqlState == "42P01" { return nil }
            throw error
        }
    }

    private func verify(_ applied: [Int: String], on connection: Connection) async throws {
        for migration in steps {
            guard let checksum = applied[migration.number] else { continue }
            guard try await self.checksum(of: migration, on: connection) == checksum else {
                throw SchemaError(
                    description:
                        "step \(migration.number) (\(migration.name)) of schema \(name) was applied by a program "
                        + "that carries another text of it; nothing was changed. Use the sheetsync that made the schema."
                )
            }
        }
    }
}

/// Why the schema cannot be brought up to date.
public struct SchemaError: Error, Sendable, CustomStringConvertible {
    /// What happened and what to do, in sentences; may hold statements for an administrator on lines of their own.
    public let description: String
}

extension Schema {
    /// The random name of this queue, which tells what it made from what another installation made.
    public func installation(on connection: Connection) async throws(PostgresError) -> String {
        let rows = try await connection.query(
            "select value from \(identifier: name).setting where name = 'installation'")
        guard let row = rows.first else {
            throw PostgresError(
                .unexpectedResult,
                "the table setting lacks the row 'installation', the random name that marks what this queue has made: "
                    + "restore it from a backup, or that will not be found again")
        }
        return try row.text("value")
    }

    /// Tells `enqueue` the largest payload that it may take, in bytes.
    public func setLargestPayload(_ bytes: Int, on connection: Connection) async throws(PostgresError) {
        try await connection.query(
            "select \(identifier: name).set_max_payload_bytes(\(bytes))")
    }
}
