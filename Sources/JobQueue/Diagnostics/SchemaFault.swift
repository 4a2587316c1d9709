public import Postgres

/// Something that the queue's functions and roles need of the schema and that was taken from them.
public struct SchemaFault: Sendable, Equatable {
    /// What it is about.
    public enum Kind: String, Sendable {
        /// A table, view, sequence or function is missing.
        case missing
        /// One belongs to another role than sheetsync_owner.
        case owner
        /// A role lacks a right.
        case right
        /// Row-level security hides all rows of a table.
        case hiddenRows
        /// Row-level security may hide rows of a table; its policies decide.
        case policies
    }

    /// What it is about.
    public let kind: Kind
    /// The role that lacks a right; nil for any.
    public var role: String?
    /// What it lacks the right on, or what belongs to another role, with the schema's name.
    var object: String?
    /// What is wrong and how to mend it.
    public let words: String

    /// Whether a daemon cannot do its work because of it.
    public var stopsWorkers: Bool {
        switch kind {
        case .missing, .owner, .hiddenRows: true
        case .right: role == "sheetsync_worker" || role == "sheetsync_owner"
        case .policies: false
        }
    }
}

/// A right on something in the schema that a role has, as the steps of the schema grant it.
struct SchemaRight: Sendable, Hashable {
    let role: String
    /// The name of a table, view, sequence or function; a function's without its arguments.
    let object: String
    let privilege: String
}

extension Migration {
    /// The rights that this step grants, and those that the owner of what it makes has.
    var rights: Set<SchemaRight> {
        let text = sql.replacing(/--[^\n]*/, with: "")
        var rights: Set<SchemaRight> = []
        for match in text.matches(of: /(?m)^create (table|view|sequence|function) (\w+)/) {
            let privileges =
                switch match.1 {
                case "table": ["select", "insert", "update", "delete"]
                case "view": ["select"]
                case "sequence": ["usage"]
                default: ["execute"]
                }
            for privilege in privileges {
                rights.insert(SchemaRight(role: "sheetsync_owner", object: String(match.2), privilege: privilege))
            }
        }
        for match in text.matches(of: /(?m)^grant ([a-z, ]+?)\s+on\s+(?:function\s+)?([^;]+?)\s+to\s+([^;]+);/) {
            let objects = match.2.replacing(/\([^)]*\)/, with: "")
            for privilege in Self.names(match.1) {
                for object in Self.names(objects) {
                    for role in Self.names(match.3) {
                        rights.insert(SchemaRight(role: role, object: object, privilege: privilege))
                    }
                }
            }
        }
        return rights
    }

    private static func names(_ list: some StringProtocol) -> [String] {
        list.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    }
}

extension Schema {
    /// Looks for what the functions and roles need and lack, the worker's rights first; empty where nothing does.
    ///
    /// Every login may ask: it looks at the system's catalogs alone.
    public func faults(on connection: Connection) async throws(PostgresError) -> [SchemaFault] {
        let foreign = try await foreignOwners(on: connection)
        // What belongs to another role sheetsync_owner has no rights on either: that is told once.
        let rights = try await missingRights(on: connection).filter { fault in
            fault.role != "sheetsync_owner" || !foreign.contains { $0.object == fault.object }
        }
        return try await rights + foreign + rowSecurity(on: connection)
    }

    /// What `migrate` grants, in the order of what to mend first.
    var rights: [SchemaRight] {
        let rank = ["sheetsync_worker": 0, "sheetsync_owner": 1]
        return Set(steps.flatMap(\.rights)).sorted {
            (rank[$0.role] ?? 2, $0.object, $0.privilege, $0.role) < (
                rank[$1.role] ?? 2, $1.object, $1.privilege, $1.role
            )
        }
    }

    private static let advice =
        "restore the schema with its owners and privileges (pg_restore without -O and -x)"

    private func missingRights(on connection: Connection) async throws(PostgresError) -> [SchemaFault] {
        let rights = rights
        func list(_ part: (SchemaRight) -> String) -> String { rights.map(part).joined(separator: ",") }
        // One that is missing is told of once, and not of each role.
        var told: Set<String> = []
        var faults: [SchemaFault] = []
        for row in try await connection.query(
            """
            select w.role, w.object, w.privilege, c.oid is null and p.oid is null as is_missing
            from unnest(string_to_array(\(list(\.role)), ','), string_to_array(\(list(\.object)), ','),
                        string_to_array(\(list(\.privilege)), ',')) with ordinality w(role, object, privilege, place)
            join pg_namespace n on n.nspname = \(name)
            left join pg_class c on w.privilege <> 'execute' and c.relname = w.object and c.relnamespace = n.oid
            left join pg_proc p on w.privilege = 'execute' and p.proname = w.object and p.pronamespace = n.oid
            left join pg_roles r on r.rolname = w.role
            where (case when p.oid is not null then has_function_privilege(r.oid, p.oid, 'execute')
                        when c.relkind = 'S' then has_sequence_privilege(r.oid, c.oid, w.privilege)
                        when c.oid is not null then has_table_privilege(r.oid, c.oid, w.privilege) end
                   and has_schema_privilege(r.oid, n.oid, 'usage')) is not true
            order by w.place
            """)
        {
            let (role, object) = (try row.text("role"), "\(name).\(try row.text("object"))")
            let privilege = try row.text("privilege")
            if try row.bool("is_missing") {
                if told.insert(object).inserted {
                    faults.append(SchemaFault(kind: .missing, words: "\(object) is missing: \(Self.advice)"))
                }
                continue
            }
            let isFunction = privilege == "execute"
            faults.append(
                SchemaFault(
                    kind: .right, role: role, object: object,
                    words: "\(role) \(isFunction ? "may not call \(object)" : "lacks \(privilege) on \(object)"): "
                        + "`grant \(privilege) on \(isFunction ? "function " : "")\(object) to \(role)`, or, where more is "
                        + "missing, \(Self.advice)"))
        }
        return faults
    }

    private func foreignOwners(on connection: Connection) async throws(PostgresError) -> [SchemaFault] {
        let objects = rights.filter { $0.role == "sheetsync_owner" }.map(\.object).joined(separator: ",")
        return try await connection.query(
            """
            select x.name, pg_get_userbyid(x.owner) as owner
            from (select c.relname as name, c.relowner as owner, c.relnamespace as namespace from pg_class c
                  where c.relkind in ('r', 'p', 'v', 'S')
                  union all
                  select p.proname, p.proowner, p.pronamespace from pg_proc p) x
            join pg_namespace n on n.oid = x.namespace
            where n.nspname = \(name) and x.name = any (string_to_array(\(objects), ','))
              and pg_get_userbyid(x.owner) <> 'sheetsync_owner'
            order by x.name
            """
        ).map { row throws(PostgresError) in
            let object = "\(name).\(try row.text("name"))"
            return SchemaFault(
                kind: .owner, object: object,
                words:
                    "\(object) belongs to \(try row.text("owner")) and not to sheetsync_owner: "
                    + Self.advice)
        }
    }

    /// Row-level security concerns a table's owner, as whom the functions run, only where it is forced, and the roles that read
    /// the table themselves always.
    private func rowSecurity(on connection: Connection) async throws(PostgresError) -> [SchemaFault] {
        try await connection.query(
            """
            select c.relname as name, exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive) as has_policy
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = \(name) and c.relrowsecurity
              and (c.relforcerowsecurity
                       and not exists (select from pg_roles r where r.oid = c.relowner and (r.rolbypassrls or r.rolsuper))
                   or (select bool_or(has_table_privilege(r.oid, c.oid, 'select')) from pg_roles r
                       where r.rolname = 'sheetsync_worker'))
            order by c.relname
            """
        ).map { row throws(PostgresError) in
            let table = "\(name).\(try row.text("name"))"
            let hasPolicy = try row.bool("has_policy")
            return SchemaFault(
                kind: hasPolicy ? .policies : .hiddenRows,
                words: "row-level security \(hasPolicy ? "may hide" : "hides the") rows of \(table) from the queue: "
                    + "`alter table \(table) no force row level security, disable row level security`")
        }
    }
}
