import Export
import JSON
import JobQueue
import Postgres
import TestSupport
import Testing

/// Queries that try to do more than read what their login may read.
///
/// Each test shows that nothing happened.
@Suite(.serialized) struct EscapeTests {
    /// The login may write to a table, so that nothing but the transaction stands in the way.
    private static let setup = """
        create table app.t(x int); insert into app.t values (1);
        grant insert, update, delete, truncate on app.t to LOGIN;
        create sequence app.s; grant all on app.s to LOGIN;
        create function app.write() returns int language sql volatile security definer as
            'insert into app.t values (2) returning x';
        create procedure app.commits() language plpgsql security definer as
            $$ begin insert into app.t values (3); commit; end $$;
        create function app.prepares() returns int language plpgsql as
            $f$ begin execute 'prepare transaction ''escaped'''; return 1; end $f$;
        create extension dblink;
        """

    private struct Attempt {
        let query: String
        /// The state that the job ends in, nil for one that depends on the server's version; nothing has happened in any.
        var state: String? = "discarded"
        /// What the error says, where the reason matters.
        var says = ""
    }

    private static let attempts = [
        Attempt(query: "insert into app.t values (4) returning x", says: "read-only transaction"),
        Attempt(query: "with w as (insert into app.t values (4) returning x) select * from w", says: "read-only"),
        Attempt(query: "update app.t set x = 5 returning x", says: "read-only"),
        Attempt(query: "delete from app.t", says: "gives no rows"),
        Attempt(query: "truncate app.t", says: "gives no rows"),
        Attempt(query: "select * from app.t for update", says: "read-only"),
        Attempt(query: "select app.write()", says: "read-only"),
        Attempt(query: "select nextval('app.s')", says: "read-only"),
        Attempt(query: "call app.commits()", says: "gives no rows"),
        Attempt(query: "do $$ begin insert into app.t values (6); commit; end $$"),
        Attempt(query: "explain analyze insert into app.t values (4)", says: "read-only"),
        Attempt(query: "create table app.u as select 1", says: "gives no rows"),
        Attempt(query: "create temporary table u as select 1", says: "gives no rows"),
        Attempt(query: "commit", says: "gives no rows"),
        Attempt(query: "rollback", says: "gives no rows"),
        // The server of the tests has room for prepared transactions.
        Attempt(query: "prepare transaction 'escaped'", says: "gives no rows"),
        Attempt(query: "prepare transaction 'escaped';", says: "gives no rows"),
        Attempt(query: "-- select 1\nprepare transaction 'escaped'", says: "gives no rows"),
        Attempt(query: "select 1; prepare transaction 'escaped'", says: "multiple commands"),
        Attempt(query: "do $$ begin execute 'prepare transaction ''escaped'''; end $$", says: "gives no rows"),
        Attempt(query: "select query_to_xml('prepare transaction ''escaped''', true, true, '')"),
        Attempt(query: "select app.prepares()"),
        Attempt(query: "explain analyze prepare transaction 'escaped'"),
        Attempt(query: "set transaction read write"),
        Attempt(query: "set session characteristics as transaction read write"),
        Attempt(query: "commit; insert into app.t values (7)", says: "multiple commands"),
        Attempt(query: "select 1; commit; insert into app.t values (7)", says: "multiple commands"),
        Attempt(query: "select set_config('transaction_read_only', 'off', false), app.write()"),
        Attempt(
            query: "select set_config('default_transaction_read_only', 'off', false), app.write()", says: "read-only"),
        Attempt(query: "set role sheetsync_owner", says: "gives no rows"),
        Attempt(query: "select set_config('role', 'sheetsync_worker', false)", says: "permission denied"),
        Attempt(query: "select set_config('role', 'postgres', false)", says: "permission denied"),
        Attempt(query: "set session authorization postgres", says: "gives no rows"),
        Attempt(query: "select query_to_xml('select * from sheetsync.job', true, true, '')", says: "permission denied"),
        Attempt(query: "select query_to_xml('delete from app.t returning x', true, true, '')"),
        Attempt(query: "select sheetsync.enqueue('noop', '{}')", says: "permission denied"),
        Attempt(query: "copy (select 1) to program 'touch /tmp/sheetsync-escaped'"),
        Attempt(query: "copy (select 1) to '/tmp/sheetsync-escaped'"),
        Attempt(query: "copy app.t to stdout", says: "gives no rows"),
        Attempt(query: "copy app.t from stdin"),
        Attempt(query: "notify sheetsync_ready", says: "gives no rows"),
        Attempt(query: "select pg_notify('sheetsync_ready', 'escaped')", state: "completed"),
        Attempt(query: "listen sheetsync_ready", says: "gives no rows"),
        Attempt(query: "select lo_import('/etc/passwd')", says: "permission denied"),
        Attempt(query: "select lo_create(4711)", state: nil),
        Attempt(query: "select pg_read_file('/etc/passwd')", says: "permission denied"),
        Attempt(query: "select dblink_exec('dbname=' || current_database(), 'insert into app.t values (8)')"),
        Attempt(
            query: "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres' limit 1",
            says: ""),
        Attempt(query: "select pg_advisory_lock(4711)", state: "completed"),
        Attempt(query: "prepare p as select 1", says: "gives no rows"),
        Attempt(query: "declare c cursor with hold for select 1"),
        Attempt(query: "lock table app.t in access exclusive mode"),
        Attempt(query: "alter role current_user superuser"),
        Attempt(query: "grant sheetsync_owner to current_user"),
    ]

    @Test func nothingHappens() async throws {
        try await SourceStage.with(sql: Self.setup) { source in
            let queue = source.stage.queue
            let heard = Heard()
            let listener = NotificationListener(try queue.configuration(), channels: ["sheetsync_ready"])
            let listening = Task {
                await listener.run { event in
                    if case .notification(let notification) = event { heard.add(notification.payload) }
                }
            }
            var sessions: [String] = []
            try await wait(for: "the worker's sessions", seeing: { "\(sessions)" }) {
                sessions = try await Self.sessions(queue)
                return sessions.count == 2
            }
            for attempt in Self.attempts {
                let job = try await source.export(attempt.query)
                #expect(attempt.state.map { job.state == $0 } ?? job.isFinal, "\(attempt.query): \(job.json)")
                let message = job.lastError?.message ?? ""
                #expect(message.contains(attempt.says) || attempt.says.isEmpty, "\(attempt.query): \(message)")
                #expect(
                    job.lastError == nil || job.lastError?.code == "query.failed",
                    "\(attempt.query): \(String(describing: job.lastError))")
            }
            // What is heard now was said after all that.
            _ = try await queue.psql("notify sheetsync_ready, 'last'")
            try await wait(for: "the last notification", seeing: { "\(heard.all)" }) { heard.all.contains("last") }
            #expect(!heard.all.contains("escaped"), "\(heard.all)")
            listening.cancel()
            await listening.value

            #expect(try await queue.psql("select string_agg(x::text, ',') from app.t") == "1")
            #expect(try await queue.psql("select is_called from app.s") == "f")
            #expect(try await queue.psql("select count(*) from pg_prepared_xacts where gid = 'escaped'") == "0")
            #expect(try await queue.psql("select count(*) from pg_largeobject_metadata") == "0")
            #expect(try await queue.psql("select count(*) from sheetsync.jobs where kind <> 'export'") == "0")
            #expect(
                try await queue.psql("select count(*) from sheetsync.jobs") == "\(Self.attempts.count)",
                "no job was added or deleted")
            #expect(try await queue.psql("select rolsuper from pg_roles where rolname = '\(source.login)'") == "f")
            try await wait(for: "the locks to be gone") {
                try await queue.psql("select count(*) from pg_locks where locktype = 'advisory' and objid = 4711")
                    == "0"
            }
            try await wait(for: "the sessions to be gone") { try await !source.isConnected() }
            let kept = try await Self.sessions(queue)
            #expect(kept == sessions, "the worker kept its sessions")
        }
    }

    /// The processes that serve the worker.
    private static func sessions(_ queue: TestQueue) async throws -> [String] {
        try await queue.psql(
            """
            select pid from pg_stat_activity where datname = current_database()
            and application_name in ('sheetsync claims', 'sheetsync control') order by pid
            """
        ).split(separator: "\n").map(String.init)
    }

    @Test func aLoginThatMayDoTooMuchIsRefused() async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        let name = queue.database
        _ = try await queue.psql(
            """
            create role super_\(name) login; grant postgres to super_\(name);
            create role files_\(name) login noinherit; grant pg_read_server_files to files_\(name);
            create role programs_\(name) login; grant pg_execute_server_program to programs_\(name);
            create role worker_\(name) login; grant sheetsync_worker to worker_\(name);
            create role schema_\(name) login; grant usage on schema sheetsync to schema_\(name);
            create role monitor_\(name) login; grant pg_monitor to monitor_\(name);
            create role stats_\(name) login; grant pg_read_all_stats to stats_\(name);
            create role signals_\(name) login; grant pg_signal_backend to signals_\(name);
            create role makes_\(name) login createrole; create role copies_\(name) login replication;
            create role passes_\(name) nologin bypassrls; create role through_\(name) login noinherit;
            grant passes_\(name) to through_\(name);
            create role good_\(name) login;
            """)
        let spool = SpoolSpace(directory: "/tmp", limit: 1 << 20)
        for (login, says) in [
            ("postgres", "postgres, which may do too much: it is, or may become, a superuser."),
            ("super_\(name)", "a superuser"), ("files_\(name)", "it has pg_read_server_files"),
            ("programs_\(name)", "it has pg_execute_server_program"),
            ("monitor_\(name)", "it has pg_monitor"), ("stats_\(name)", "it has pg_read_all_stats"),
            ("signals_\(name)", "it has pg_signal_backend"), ("makes_\(name)", "the attribute createrole"),
            ("copies_\(name)", "the attribute replication"), ("through_\(name)", "the attribute bypassrls"),
            ("worker_\(name)", "it has the queue's sheetsync_worker"),
            ("schema_\(name)", "it has rights on the queue's schema sheetsync"), ("good_\(name)", ""),
        ] {
            let configuration = try SourceStage.configuration(queue, login)
            let connection = Connection(configuration, label: "test")
            let looked = try await SourceLogin.look(on: connection, queueSchema: "sheetsync")
            await connection.close()
            #expect(looked.objections.isEmpty == says.isEmpty, "\(login): \(looked)")
            try await ExportStage.with(source: { _ in
                SourceDatabase(configuration, queueSchema: "sheetsync", spool: spool)
            }) { stage in
                try await stage.work { _ in
                    let job = try await stage.export(["title": "x", "query": "select 1"])
                    guard !says.isEmpty else {
                        #expect(job.state == "completed", "\(login): \(job.json)")
                        return
                    }
                    #expect(job.state == "discarded" && job.lastError?.code == "query.login_refused", "\(job.json)")
                    #expect(job.lastError?.message.contains(says) == true, "\(login): \(job.json)")
                    #expect(job.lastError?.message.contains("grant select") == true)
                }
            }
        }
    }
}
