public import Postgres

/// What the login may do that queries of jobs run as.
///
/// No trick inside a session keeps a statement from taking back what the login has: only a login that has nothing else does.
/// So rights count that it could take up by SET ROLE.
public struct SourceLogin: Sendable {
    /// The login's name, quoted where SQL wants that.
    public let name: String
    /// What it must not have, in words with what to do; empty for a login that is well.
    public let objections: [String]

    /// The statement that finds out.
    static func question(queueSchema: String) -> Query {
        """
        with held as (
            select r.oid, r.rolname, r.rolsuper, r.rolcreaterole, r.rolreplication, r.rolbypassrls
            from pg_catalog.pg_roles r
            where pg_catalog.pg_has_role(session_user, r.oid, 'member')
        )
        select pg_catalog.quote_ident(session_user) as login, coalesce(pg_catalog.bool_or(rolsuper), false) as superuser,
            pg_catalog.string_agg(rolname, ', ') filter (where rolname in ('pg_execute_server_program',
                'pg_read_server_files', 'pg_write_server_files', 'pg_signal_backend', 'pg_monitor',
                'pg_read_all_stats', 'pg_stat_scan_tables', 'pg_checkpoint', 'pg_create_subscription',
                'pg_maintain')) as server,
            pg_catalog.concat_ws(', ', case when pg_catalog.bool_or(rolcreaterole) then 'createrole' end,
                case when pg_catalog.bool_or(rolreplication) then 'replication' end,
                case when pg_catalog.bool_or(rolbypassrls) then 'bypassrls' end) as attributes,
            pg_catalog.string_agg(rolname, ', ') filter (where rolname in ('sheetsync_owner', 'sheetsync_worker',
                'sheetsync_operator', 'sheetsync_producer', 'sheetsync_query')) as queue,
            exists (select from pg_catalog.pg_namespace n, held h where n.nspname = \(queueSchema) and (
                pg_catalog.has_schema_privilege(h.oid, n.oid, 'usage')
                or pg_catalog.has_schema_privilege(h.oid, n.oid, 'create'))) as schema
        from held
        """
    }

    init(_ row: Row, queueSchema: String) throws(PostgresError) {
        name = try row.text("login")
        var objections: [String] = []
        if try row.bool("superuser") {
            // Whose every other right follows from that.
            objections = ["it is, or may become, a superuser"]
        } else {
            if let roles = try row.optionalText("server") { objections.append("it has \(roles)") }
            // By these it sees or ends statements of others, makes logins, or reads what row security hides.
            let attributes = try row.text("attributes")
            if !attributes.isEmpty { objections.append("it has the attribute \(attributes)") }
            if let roles = try row.optionalText("queue") { objections.append("it has the queue's \(roles)") }
            if try row.bool("schema") { objections.append("it has rights on the queue's schema \(queueSchema)") }
        }
        self.objections = objections
    }

    /// The objections and the way out, in sentences.
    public var refusal: String {
        "Queries run as \(name), which may do too much: \(objections.joined(separator: "; ")). Make a login for queries alone "
            + "(create role sheetsync_source login password …; grant select on … to sheetsync_source) and name it in "
            + "SHEETSYNC_SOURCE_DATABASE_URL, or for one producer alone in SHEETSYNC_SOURCE_DATABASE_URLS."
    }

    /// Looks at the login that a connection has.
    public static func look(on connection: Connection, queueSchema: String) async throws(PostgresError) -> SourceLogin {
        let rows = try await connection.query(question(queueSchema: queueSchema))
        return try SourceLogin(rows[0], queueSchema: queueSchema)
    }
}
