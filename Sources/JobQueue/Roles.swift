public import Postgres

/// The database roles that a login can be given: `grant sheetsync_producer to api_server`.
public enum Roles {
    /// The owner of the schema and everything in it, and what the other roles are for.
    static let all = [
        (name: "sheetsync_owner", purpose: "owns the schema and its functions"),
        (name: "sheetsync_producer", purpose: "enqueues, reads, cancels and retries its own jobs"),
        (name: "sheetsync_query", purpose: "the same, and may enqueue jobs with a query"),
        (name: "sheetsync_worker", purpose: "runs jobs"),
        (name: "sheetsync_operator", purpose: "sees every job, cancels and retries, pauses the queue"),
    ]

    /// The statements that make what is missing: roles, and this login's membership of the owner.
    public static func missingStatements(on connection: Connection) async throws(PostgresError) -> [String] {
        var present: Set<String> = []
        for row in try await connection.query("select rolname from pg_roles where rolname like 'sheetsync%'") {
            present.insert(try row.text("rolname"))
        }
        var statements = all.filter { !present.contains($0.name) }.map { "create role \($0.name) nologin;" }
        // From PostgreSQL 16 on, a member needs the option SET to become the owner, which `create role` does not give.
        let login = try await connection.query(
            """
            select pg_catalog.quote_ident(current_user::text) as login, number >= 160000 as has_options,
                case when to_regrole('sheetsync_owner') is null then
                    (select rolsuper from pg_roles where rolname = current_user)
                else pg_has_role(current_user, 'sheetsync_owner', case when number >= 160000 then 'set' else 'member' end)
                end as may_become_owner
            from (select current_setting('server_version_num')::int as number) server
            """)[0]
        if !(try login.bool("may_become_owner")) {
            let options = try login.bool("has_options") ? " with set true" : ""
            statements.append("grant sheetsync_owner to \(try login.text("login"))\(options);")
        }
        return statements
    }

    /// Makes what is missing, where this login may.
    static func ensure(on connection: Connection) async throws {
        let statements = try await missingStatements(on: connection)
        for statement in statements {
            do throws(PostgresError) {
                try await connection.script(statement)
            } catch {
                switch error.sqlState {
                case "42710", "23505":
                    // Roles belong to the whole server: another database's migration has just made this one.
                    continue
                case "42501":
                    throw SchemaError(
                        description: """
                            This login may not make the roles that sheetsync needs; nothing was changed. \
                            Have an administrator of the server run these statements, then run `sheetsync migrate` again:
                            \(statements.joined(separator: "\n"))
                            """)
                default:
                    throw error
                }
            }
        }
    }
}
