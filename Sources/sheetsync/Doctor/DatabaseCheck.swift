import Export
import FoundationEssentials
import JobQueue
import Postgres

/// Looks at the queue's database with the login that the settings give.
struct DatabaseCheck {
    private static let largestSkew = 5.0

    private let schema: Schema
    private let connection: Connection
    private let place: String
    private let warnings: [String]
    private let google: GoogleSettings?
    private let tlsWarning: String?
    /// After how many seconds without a sign of life a worker is dead; nil where that setting cannot be read.
    private let silenceLimit: Double?

    init(settings: DatabaseSettings, google: GoogleSettings?, silenceLimit: Double?) {
        schema = settings.schema
        self.google = google
        self.silenceLimit = silenceLimit
        place = settings.connection.place
        warnings = settings.connection.warnings
        tlsWarning = settings.tlsWarning
        connection = Connection(settings.connection, label: "doctor", statementTimeout: .seconds(5))
    }

    func look(_ checkup: inout Checkup) async {
        if let tlsWarning { checkup.add(.warn, "TLS", tlsWarning) }
        do {
            try await lookAtConnection(&checkup)
        } catch {
            return checkup.fail("database", error)
        }
        if let problem = try? await google?.problemOfDefaultFolder(on: connection) {
            checkup.add(.fail, "default folder", problem)
        }
        await lookAtWrites(&checkup)
        do {
            let step = try await schema.requireCompatible(on: connection)
            checkup.add(.ok, "schema", "\(schema.name) is at step \(step)")
            try await lookAtIndexes(&checkup)
            try await lookAtSequences(&checkup)
        } catch {
            checkup.fail("schema", error)
        }
        do {
            try await lookAtRoles(&checkup)
            try await lookAtGrants(&checkup)
        } catch { checkup.fail("roles", error) }
        await lookAtQueue(&checkup)
    }

    /// Tries whether the server takes writes at all: a disk may be full, or the server a standby.
    private func lookAtWrites(_ checkup: inout Checkup) async {
        if let obstacle = (try? await DatabaseReport.read(schema, on: connection))?.obstacle {
            checkup.add(.fail, "database writes", obstacle)
        } else if let refusal = await connection.probeWritable() {
            let advice =
                refusal.sqlState == "25006"
                ? "the server takes writes, and not from this login, because default_transaction_read_only is on for it: "
                    + "`alter role … reset default_transaction_read_only`, also `in database …`"
                : "make room on the server's disk"
            checkup.add(.fail, "database writes", "\(refusal.description): \(advice)")
        } else {
            checkup.add(.ok, "database writes", "some were made and taken back")
        }
    }

    /// Asks what `status` would say, where the login may look.
    private func lookAtQueue(_ checkup: inout Checkup) async {
        guard let silenceLimit, let report = try? await QueueReport.read(schema, on: connection),
            let google = try? await GoogleStanding.read(schema, on: connection)
        else { return }
        let verdict = Verdict(report, silenceLimit: silenceLimit, external: google.causes())
        let level: Checkup.Level =
            switch verdict.level {
            case .ok: .ok
            case .degraded: .warn
            case .down: .fail
            }
        checkup.add(level, "queue", verdict.reason)
        if let quota = google.quotas.first(where: { $0.isUsedUp && !$0.isPaced }) {
            checkup.add(
                .warn, "quota",
                "\(quota.words); where Google raised it, raise SHEETSYNC_\(quota.resource.uppercased())_PER_MINUTE_… too"
            )
        }
    }

    private func lookAtConnection(_ checkup: inout Checkup) async throws {
        let asked = Date.now.timeIntervalSince1970
        let facts = try await connection.query(
            """
            select current_setting('server_version_num')::int as number, current_setting('server_version') as version,
                extract(epoch from clock_timestamp()) as time, coalesce(s.ssl, false) as ssl, s.version as protocol,
                coalesce(not inet_server_addr() << '127.0.0.0/8' and inet_server_addr() <> '::1', false) as is_remote
            from (select) one left join pg_stat_ssl s on s.pid = pg_backend_pid()
            """)[0]
        let version = try facts.text("version").prefix { $0 != " " }
        if try facts.int("number") < 140_000 {
            checkup.add(.fail, "database", "\(place) is PostgreSQL \(version); 14 or newer is needed")
        } else {
            checkup.add(.ok, "database", "\(place) is PostgreSQL \(version)")
        }
        for warning in warnings { checkup.add(.warn, "database URL", warning) }
        if try facts.bool("ssl") {
            checkup.add(.ok, "database TLS", try facts.optionalText("protocol") ?? "on")
        } else if try facts.bool("is_remote") {
            checkup.add(.warn, "database TLS", "off, and the server is another machine: set SSL_REQUIRED=true")
        } else {
            checkup.add(.ok, "database TLS", "not needed on this machine")
        }
        let skew = (try facts.optionalDouble("time") ?? asked) - (asked + Date.now.timeIntervalSince1970) / 2
        if abs(skew) > Self.largestSkew {
            checkup.add(
                .warn, "database clock",
                "\(approximate(seconds: abs(skew))) \(skew > 0 ? "ahead of" : "behind") this machine's; set both by NTP"
            )
        } else {
            checkup.add(.ok, "database clock", "agrees with this machine's")
        }
    }

    /// An index whose making was interrupted is there and not used.
    private func lookAtIndexes(_ checkup: inout Checkup) async throws {
        let broken = try await connection.query(
            """
            select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
            join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = \(schema.name) and not (i.indisvalid and i.indisready) order by c.relname
            """
        ).map { row throws(PostgresError) in try row.text("name") }
        if let first = broken.first {
            checkup.add(
                .fail, "indexes", "\(broken.joined(separator: ", ")) not valid: `reindex index \(schema.name).\(first)`"
            )
        } else {
            checkup.add(.ok, "indexes", "all valid")
        }
    }

    /// After a switch to a logical replica sequences lie behind their tables, and each new row meets an old one's number.
    private func lookAtSequences(_ checkup: inout Checkup) async throws {
        let behind = try await connection.query(
            "select * from \(identifier: schema.name).report_sequence where last < highest limit 1")
        if let row = behind.first {
            let name = "\(schema.name).\(try row.text("sequence"))"
            return checkup.add(
                .fail, "sequences",
                "\(name) lies behind its table, as after a switch to a logical replica: "
                    + "`select setval('\(name)', \(try row.int("highest")))` as the schema's owner")
        }
        checkup.add(.ok, "sequences", "none lies behind its table")
    }

    /// A backup that was restored without its owners or privileges has lost what `migrate` granted.
    private func lookAtGrants(_ checkup: inout Checkup) async throws {
        let wrong = try await connection.query(
            """
            select p.proname as name, pg_get_userbyid(p.proowner) as owner,
                to_regrole('sheetsync_worker') is not null and not has_function_privilege('sheetsync_worker', p.oid, 'execute')
                    as is_refused
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = \(schema.name)
              and p.proname in ('register_worker', 'heartbeat', 'claim', 'report_progress', 'finish', 'reclaim',
                                'deregister_worker', 'take_quota')
              and (pg_get_userbyid(p.proowner) <> 'sheetsync_owner'
                   or to_regrole('sheetsync_worker') is null
                   or not has_function_privilege('sheetsync_worker', p.oid, 'execute'))
            order by p.proname limit 1
            """
        ).first
        guard let wrong else { return checkup.add(.ok, "grants", "the roles have theirs") }
        let name = "\(schema.name).\(try wrong.text("name"))"
        let advice = "restore the schema with its owners and privileges (pg_restore without -O and -x)"
        if try wrong.bool("is_refused") {
            checkup.add(.fail, "grants", "sheetsync_worker may not call \(name): \(advice)")
        } else {
            checkup.add(
                .fail, "grants", "\(name) belongs to \(try wrong.text("owner")) and not to sheetsync_owner: \(advice)")
        }
    }

    private func lookAtRoles(_ checkup: inout Checkup) async throws {
        let roles = ["owner", "worker", "operator", "producer", "query"]
        var held: [String] = []
        let login = try await connection.query("select current_user as login")[0].text("login")
        for role in roles {
            let name = "sheetsync_\(role)"
            let row = try await connection.query(
                """
                select case when to_regrole(\(name)) is null then false
                    else pg_has_role(current_user, \(name), 'usage') end as held
                """)[0]
            if try row.bool("held") { held.append(name) }
        }
        if held.contains("sheetsync_owner") {
            checkup.add(.ok, "roles", "\(login) owns the schema; for the daemon sheetsync_worker alone is enough")
        } else if held.contains("sheetsync_worker") {
            checkup.add(.ok, "roles", "\(login) has \(held.joined(separator: ", "))")
        } else if held.isEmpty {
            checkup.add(
                .fail, "roles",
                "\(login) has none of sheetsync's roles: `grant sheetsync_worker to \(login)` for the daemon")
        } else {
            checkup.add(
                .warn, "roles",
                "\(login) has \(held.joined(separator: ", ")); the daemon's login needs sheetsync_worker")
        }
    }
}
