public import Postgres

/// The queue's schema in a database: which one it is, what state it is in, and how it gets there.
public struct Schema: Sendable {
    /// The schema's name, `sheetsync` unless set otherwise.
    public let name: String

    /// Makes a reference to the schema of a name; nothing is looked up.
    public init(name: String = "sheetsync") { self.name = name }

    /// How a schema fits this program.
    public enum State: Sendable, Equatable {
        /// There is none.
        case missing
        /// It is older than this program needs, or has a step that differs from the one the program carries.
        case unfit(String)
        /// It can be used; `number` is its newest step.
        case fit(number: Int)
    }

    /// Tells whether the schema fits this program.
    ///
    /// A newer schema fits as long as its `min_binary` allows this program's newest step.
    public func state(on connection: Connection) async throws(PostgresError) -> State {
        do throws(PostgresError) {
            let rows = try await connection.query(
                """
                select number, (select value::int from \(identifier: name).setting where name = 'min_binary') as min_binary
                from \(identifier: name).schema_migration order by number desc limit 1
                """)
            guard let newest = rows.first else {
                return .unfit(
                    "the schema is there, and its table schema_migration shows this login no row: row-level security hides "
                        + "them (\\d+ in psql shows it), or somebody emptied it")
            }
            return Self.judge(
                newest: try newest.int("number"), oldestBinary: try newest.int("min_binary"), known: Migration.all.count
            )
        } catch {
            // 3F000 and 42P01: there is no such schema or table.
            if error.sqlState == "3F000" || error.sqlState == "42P01" { return .missing }
            throw error
        }
    }

    /// Decides about a schema whose newest step and limit are known.
    static func judge(newest: Int, oldestBinary: Int, known: Int) -> State {
        if newest < known {
            return .unfit(
                "the schema is at step \(newest), and this program needs step \(known): run `sheetsync migrate`")
        }
        if oldestBinary > known {
            return .unfit(
                "the schema is at step \(newest) and works with programs that know step \(oldestBinary) or later, "
                    + "and this one knows \(known): install the newer sheetsync")
        }
        return .fit(number: newest)
    }

    /// The steps that are not applied yet.
    public func pending(on connection: Connection) async throws(PostgresError) -> [Migration] {
        switch try await appliedChecksums(on: connection) {
        case let applied?: Migration.all.filter { applied[$0.number] == nil }
        case nil: Migration.all
        }
    }

    /// Brings the schema to this program's newest step, in one transaction under a lock; returns the steps applied.
    ///
    /// - Throws: `SchemaError` where roles are missing that this login may not make, or an applied step has changed.
    public func migrate(on connection: Connection) async throws -> [Migration] {
        if let applied = try await appliedChecksums(on: connection) { try await verify(applied, on: connection) }
        try await Roles.ensure(on: connection)
        return try await connection.transaction { db throws(PostgresError) in
            try db.script(lock)
            try db.script(try preparation(on: db))
            var applied: [Migration] = []
            for step in Migration.all
            where try db.query("select 1 from schema_migration where number = \(step.number)").isEmpty {
                try db.script(try script(of: step, on: db))
                applied.append(step)
            }
            return applied
        }
    }

    /// What `migrate` would do, as a script for an administrator's psql; nil where nothing is to be done.
    public func plan(on connection: Connection) async throws(PostgresError) -> String? {
        let roles = try await Roles.missingStatements(on: connection)
        let pending = try await pending(on: connection)
        let steps = try await connection.transaction { db throws(PostgresError) in
            var parts: [String] = []
            for step in pending {
                parts.append("-- step \(step.number): \(step.name)")
                parts.append(try script(of: step, on: db))
            }
            let begin = "begin; set local search_path = pg_catalog, pg_temp;"
            return parts.isEmpty ? [] : [begin, lock, try preparation(on: db)] + parts + ["commit;"]
        }
        return roles.isEmpty && steps.isEmpty ? nil : (roles + steps).joined(separator: "\n")
    }

    /// Two migrations at once: the second waits here, then finds nothing left to do.
    private var lock: String {
        let literal = "'sheetsync migrate \(name.replacing("'", with: "''"))'"
        return "select pg_advisory_xact_lock(hashtextextended(\(literal), 0));"
    }

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
        for migration in Migration.all {
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
    /// The random name of this queue, which tells its spreadsheets from those of another installation.
    public func installation(on connection: Connection) async throws(PostgresError) -> String {
        let rows = try await connection.query(
            "select value from \(identifier: name).setting where name = 'installation'")
        guard let row = rows.first else {
            throw PostgresError(
                .unexpectedResult,
                "the table setting lacks the row 'installation', the random name that marks this queue's spreadsheets: "
                    + "restore it from a backup, or its spreadsheets will not be found again")
        }
        return try row.text("value")
    }

    /// Tells `enqueue` the largest payload that it may take, in bytes.
    public func setLargestPayload(_ bytes: Int, on connection: Connection) async throws(PostgresError) {
        try await connection.query(
            "select \(identifier: name).set_largest_payload(\(bytes))")
    }
}
