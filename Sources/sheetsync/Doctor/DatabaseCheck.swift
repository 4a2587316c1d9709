import Export
import FoundationEssentials
import JobQueue
import Output
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

    /// - Parameter patience: How long one check waits for the database.
    init(
        settings: DatabaseSettings, google: GoogleSettings?, silenceLimit: Double?, patience: Duration = .seconds(5)
    ) {
        schema = settings.schema
        self.google = google
        self.silenceLimit = silenceLimit
        place = settings.connection.place
        warnings = settings.connection.warnings
        tlsWarning = settings.tlsWarning
        connection = Connection(settings.connection, label: "doctor", statementTimeout: patience)
    }

    func look(_ checkup: inout Checkup) async {
        if let tlsWarning { checkup.add(.warn, "TLS", tlsWarning) }
        do {
            try await lookAtConnection(&checkup)
        } catch {
            return checkup.fail("database", error)
        }
        await check("locks and commits", &checkup, lookAtWaits)
        await check("default folder", &checkup) { checkup in
            if let problem = try await google?.problemOfDefaultFolder(on: connection) {
                checkup.add(.fail, "default folder", problem)
            }
        }
        await check("database writes", &checkup, lookAtWrites)
        await check("encoding", &checkup, lookAtEncoding)
        await check("collations", &checkup, lookAtCollations)
        await check("session settings", &checkup, lookAtSettings)
        var isFit = false
        await check("schema", &checkup) { checkup in
            let step = try await schema.requireCompatible(on: connection)
            checkup.add(.ok, "schema", "\(schema.name) is at step \(step)")
            isFit = true
        }
        if isFit {
            await check("indexes", &checkup, lookAtIndexes)
            await check("sequences", &checkup, lookAtSequences)
            await check("replica identity", &checkup, lookAtReplicaIdentity)
        }
        await check("roles", &checkup, lookAtRoles)
        if isFit { await check("grants", &checkup, lookAtGrants) }
        if isFit { await check("queue", &checkup, lookAtQueue) }
        if isFit { await check("trial", &checkup, lookAtTrial) }
        await check("PUBLIC", &checkup, lookAtPublic)
    }

    /// Does a check; one that could not be made is a finding too, with whoever holds the lock that it waited for.
    private func check(
        _ name: String, _ checkup: inout Checkup, _ body: (inout Checkup) async throws -> Void
    ) async {
        do { try await body(&checkup) } catch {
            let failure = await connection.failure(error, schema)
            checkup.add(.fail, name, failure.message)
        }
    }

    /// Whether the queue's statements wait for another session's lock, or their commits for a standby.
    private func lookAtWaits(_ checkup: inout Checkup) async throws {
        if let wait = try await HeldUp.look(schema, on: connection) {
            checkup.add(.fail, "locks and commits", wait.words)
        } else {
            checkup.add(.ok, "locks and commits", "nothing of the queue waits for a lock or a standby")
        }
    }

    /// A database that is not in UTF8 lacks characters; one in SQL_ASCII takes each client's bytes for what they are not.
    private func lookAtEncoding(_ checkup: inout Checkup) async throws {
        let encoding = try await connection.query("select current_setting('server_encoding') as encoding")[0]
            .text("encoding")
        switch encoding {
        case "UTF8": checkup.add(.ok, "encoding", encoding)
        case "SQL_ASCII":
            checkup.add(
                .warn, "encoding",
                "SQL_ASCII keeps whatever bytes come and checks none: a new database in UTF8 is better")
        default:
            checkup.add(
                .warn, "encoding",
                "\(encoding) lacks characters: enqueue refuses payloads with such, and what Google says is kept with question "
                    + "marks; a new database in UTF8 keeps all")
        }
    }

    /// After an upgrade of the system's libraries texts may be in another order than an index was built in.
    private func lookAtCollations(_ checkup: inout Checkup) async throws {
        let number = try await connection.query("select current_setting('server_version_num')::int as number")[0]
            .int("number")
        var changed: [String] = []
        // Before 15 a database has no version of its own.
        if number >= 150_000 {
            changed += try await connection.query(
                """
                select format('alter database %I refresh collation version', d.datname) as way
                from pg_database d
                where d.datname = current_database() and d.datcollversion <> pg_database_collation_actual_version(d.oid)
                """
            ).map { row throws(PostgresError) in try row.text("way") }
        }
        changed += try await connection.query(
            """
            select format('alter collation %I.%I refresh version', n.nspname, c.collname) as way
            from pg_collation c join pg_namespace n on n.oid = c.collnamespace
            where c.collversion <> pg_collation_actual_version(c.oid)
              and exists (select from pg_attribute a join pg_class t on t.oid = a.attrelid
                          where a.attcollation = c.oid and t.relkind in ('r', 'i', 'm', 'p') and t.oid >= 16384)
            order by 1
            """
        ).map { row throws(PostgresError) in try row.text("way") }
        if let first = changed.first {
            checkup.add(
                .warn, "collations",
                "the system's collations are of another version than those that the indexes of texts were built with, so rows may "
                    + "not be found: `reindex database`, then `\(first)`"
                    + (changed.count > 1 ? " and \(changed.count - 1) more" : ""))
        } else {
            checkup.add(.ok, "collations", "of the version that the indexes were built with, as far as it is known")
        }
    }

    /// What the login or the database sets for new sessions and these bring themselves.
    private func lookAtSettings(_ checkup: inout Checkup) async throws {
        let rows = try await connection.query(
            """
            select c.setting, case when s.setrole = 0 then 'the database' else 'the login' end as place
            from pg_db_role_setting s cross join lateral unnest(s.setconfig) c(setting)
            where s.setdatabase in (0, (select d.oid from pg_database d where d.datname = current_database()))
              and s.setrole in (0, (select r.oid from pg_roles r where r.rolname = session_user))
              and split_part(c.setting, '=', 1) in ('default_transaction_isolation', 'default_transaction_read_only',
                                                    'default_transaction_deferrable', 'synchronous_commit')
            order by 1
            """)
        var lossy: String?
        var harmless: [String] = []
        for row in rows {
            let (setting, place) = (try row.text("setting"), try row.text("place"))
            if setting == "synchronous_commit=off" { lossy = "\(place) has \(setting)" }
            if setting.hasPrefix("default_transaction_isolation=") { harmless.append("\(setting) of \(place)") }
        }
        if let lossy {
            checkup.add(
                .warn, "session settings",
                "\(lossy): after a crash of the server jobs that had ended run again, and enqueued ones may be lost")
        } else {
            checkup.add(
                .ok, "session settings",
                harmless.isEmpty
                    ? "none that matters"
                    : "\(harmless.joined(separator: ", ")) changes nothing: sessions bring their own")
        }
    }

    /// A table that is published without a replica identity takes no updates and no deletes.
    private func lookAtReplicaIdentity(_ checkup: inout Checkup) async throws {
        let row = try await connection.query(
            """
            select c.relname as name, p.pubname as publication
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            join pg_publication_tables t on t.schemaname = n.nspname and t.tablename = c.relname
            join pg_publication p on p.pubname = t.pubname and (p.pubupdate or p.pubdelete)
            where n.nspname = \(schema.name) and c.relkind in ('r', 'p')
              and case c.relreplident
                  when 'd' then not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and i.indisvalid)
                  when 'i' then not exists (select from pg_index i where i.indrelid = c.oid and i.indisreplident and i.indisvalid)
                  else c.relreplident = 'n' end
            order by 1 limit 1
            """
        ).first
        guard let row else {
            return checkup.add(.ok, "replica identity", "each table that is published has one")
        }
        let name = "\(schema.name).\(try row.text("name"))"
        checkup.add(
            .fail, "replica identity",
            "the publication \(try row.text("publication")) has \(name), which has no replica identity, so that the server refuses "
                + "to update and delete its rows: `alter table \(name) replica identity default`")
    }

    /// Whoever may create objects where others look for names can have them run his.
    private func lookAtPublic(_ checkup: inout Checkup) async throws {
        let row = try await connection.query(
            """
            select coalesce((select has_schema_privilege('public', n.oid, 'create') from pg_namespace n
                             where n.nspname = 'public'), false) as in_schema,
                has_database_privilege('public', current_database(), 'create') as in_database,
                quote_ident(current_database()) as name
            """)[0]
        if try row.bool("in_schema") {
            checkup.add(
                .warn, "PUBLIC",
                "every login may create objects in the schema public (before PostgreSQL 15 the default, and kept by upgrades), "
                    + "which other programs may run by mistake: `revoke create on schema public from public`")
        }
        if try row.bool("in_database") {
            checkup.add(
                .warn, "PUBLIC",
                "every login may create schemas in this database: "
                    + "`revoke create on database \(try row.text("name")) from public`")
        }
        if try !row.bool("in_schema"), try !row.bool("in_database") {
            checkup.add(.ok, "PUBLIC", "may create neither schemas nor objects in the schema public")
        }
    }

    /// Tries whether the server takes writes at all: a disk may be full, or the server a standby.
    private func lookAtWrites(_ checkup: inout Checkup) async throws {
        let report: DatabaseReport?
        do { report = try await DatabaseReport.read(schema, on: connection) } catch {
            // Without a schema, or the right to look, there is the other way.
            guard !error.isTimeout else { throw error }
            report = nil
        }
        if let obstacle = report?.obstacle {
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
    private func lookAtQueue(_ checkup: inout Checkup) async throws {
        guard let silenceLimit else { return }
        let (report, google): (QueueReport, GoogleStanding)
        do throws(PostgresError) {
            report = try await QueueReport.read(schema, on: connection)
            google = try await GoogleStanding.read(schema, on: connection)
        } catch {
            // Of a login without the role that is said already.
            if error.sqlState == "42501" { return }
            throw error
        }
        let stallCause = await StallCause.look(
            hasNoLiveWorker: report.hasNoLiveWorker(silenceLimit: silenceLimit), triesToWrite: false, schema,
            on: connection)
        let verdict = Verdict(
            report, silenceLimit: silenceLimit,
            // That is to ask this command.
            stallCause: stallCause == .unknown ? nil : stallCause, external: google.causes())
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
        let faults = try await schema.faults(on: connection)
        for fault in faults.prefix(5) {
            checkup.add(fault.kind == .policies ? .warn : .fail, "grants", fault.words)
        }
        if faults.count > 5 { checkup.add(.fail, "grants", "\(faults.count - 5) more of that kind") }
        if faults.isEmpty { checkup.add(.ok, "grants", "the roles have theirs, and no rows are hidden") }
    }

    /// What `sheetsync trial` saw of Google.
    private func lookAtTrial(_ checkup: inout Checkup) async throws {
        let findings = try await TrialFinding.read(schema, on: connection)
        guard let words = findings.words else {
            return checkup.add(
                .ok, "trial", "none was made yet: `sheetsync trial` tries what rests on Google's documents")
        }
        checkup.add(findings.contains { $0.outcome == .differs } ? .warn : .ok, "trial", "Google was \(words)")
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
