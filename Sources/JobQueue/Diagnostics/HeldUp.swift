public import Postgres

/// What holds up the queue's statements at the server.
public enum HeldUp: Sendable, Equatable {
    /// Another session's lock.
    case lock(LockHolder)
    /// Commits wait for a standby that does not answer; the settings that say for which.
    case standby(names: String, isAlone: Bool)

    /// Statements that wait for less are no matter of concern.
    private static let patience = 3.0

    /// Looks for what holds up the daemons' sessions; nil where nothing does.
    ///
    /// Locks are seen by every login. How long a commit waits is seen of sessions of the same login, and by members of
    /// `pg_read_all_stats`; that no standby is connected at all is seen by everybody.
    ///
    /// - Parameter afterTimeout: Whether a statement of this connection has just waited in vain, so that a table that is locked
    ///   against every reader is the reason, although nobody waits for it now.
    public static func look(
        _ schema: Schema, on connection: Connection, afterTimeout: Bool = false
    ) async throws(PostgresError) -> HeldUp? {
        if let standby = try await lookForStandby(on: connection) { return standby }
        return try await LockHolder.look(
            schema, patience: patience, includesLockedTables: afterTimeout, on: connection
        ).map { .lock($0) }
    }

    private static func lookForStandby(on connection: Connection) async throws(PostgresError) -> HeldUp? {
        let row = try await connection.query(
            """
            select current_setting('synchronous_standby_names') as names,
                not pg_is_in_recovery() and current_setting('synchronous_standby_names') <> ''
                    and current_setting('synchronous_commit') not in ('off', 'local')
                    and not exists (select from pg_stat_replication) as is_alone,
                exists (select from pg_stat_activity a
                        where a.datname = current_database() and a.wait_event = 'SyncRep'
                          and a.query_start < clock_timestamp() - make_interval(secs => \(patience))) as has_waiters
            """)[0]
        let isAlone = try row.bool("is_alone")
        guard try row.bool("has_waiters") || isAlone else { return nil }
        return .standby(names: try row.text("names"), isAlone: isAlone)
    }

    /// What it is and how to end it.
    public var words: String {
        switch self {
        case .lock(let holder): holder.words
        case .standby(let names, let isAlone):
            "commits wait for a synchronous standby (synchronous_standby_names is \(names)), and "
                + (isAlone ? "none is connected" : "it does not answer")
                + ": bring it back, or take it out of synchronous_standby_names and reload; then everything goes on by itself"
        }
    }
}

/// Who has locked what the queue's statements need.
public struct LockHolder: Sendable, Equatable {
    /// The server process of its session; nil for a prepared transaction.
    public let pid: Int?
    /// What the session calls itself.
    public let name: String
    /// Its login.
    public let login: String
    /// The table that a statement waits for; nil where it waits for rows.
    public let table: String?
    /// For how many seconds; nil where nothing waits just now.
    public let seconds: Double?

    /// Who it is, what it has locked and how to end that.
    public var words: String {
        let holder = pid.map { "process \($0) (\(name), login \(login))" } ?? "a prepared transaction"
        let waiting = seconds.map { ", and a statement of the queue has waited for \(Int($0)) s" } ?? ""
        let way =
            pid.map { "end its transaction there, or by `select pg_terminate_backend(\($0))`" }
            ?? "pg_prepared_xacts has its name, `rollback prepared` or `commit prepared` ends it"
        return "\(holder) has locked \(table ?? "rows that the queue needs")\(waiting): \(way)"
    }

    /// Finds the first in the chain of those that the queue's sessions wait for, so that its end frees all the others.
    static func look(
        _ schema: Schema, patience: Double, includesLockedTables: Bool, on connection: Connection
    ) async throws(PostgresError) -> LockHolder? {
        let row = try await connection.query(
            """
            with recursive waiter as (
                select l.pid, l.relation, extract(epoch from clock_timestamp() - l.waitstart)::float8 as seconds
                from pg_locks l join pg_stat_activity a on a.pid = l.pid
                where not l.granted and a.datname = current_database()
                  and a.application_name in ('sheetsync control', 'sheetsync claims', 'sheetsync completions')
                  and l.waitstart < clock_timestamp() - make_interval(secs => \(patience))
            ), chain as (
                select w.relation, w.seconds, b.pid, 1 as length
                from waiter w cross join lateral unnest(pg_blocking_pids(w.pid)) b(pid)
                union
                select c.relation, c.seconds, b.pid, c.length + 1
                from chain c cross join lateral unnest(pg_blocking_pids(c.pid)) b(pid)
                where c.pid <> 0 and c.length < 20
            ), holder as (
                select c.* from chain c where c.pid = 0 or pg_blocking_pids(c.pid) = '{}'
                union all
                select l.relation, null, l.pid, 0
                from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
                where \(includesLockedTables) and l.granted and l.mode = 'AccessExclusiveLock' and l.pid <> pg_backend_pid()
                  and l.database = (select d.oid from pg_database d where d.datname = current_database())
                  and n.nspname = \(schema.name)
            )
            select nullif(h.pid, 0) as pid, h.seconds, coalesce(a.application_name, '') as name,
                coalesce(a.usename::text, '') as login,
                (select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where c.oid = h.relation) as name_of_table
            from holder h left join pg_stat_activity a on a.pid = h.pid
            order by h.seconds desc nulls last limit 1
            """
        ).first
        guard let row else { return nil }
        return LockHolder(
            pid: try row.optionalInt("pid"), name: try row.text("name"), login: try row.text("login"),
            table: try row.optionalText("name_of_table"), seconds: try row.optionalDouble("seconds"))
    }
}
