import Foundation
import GoogleEmulator
import JSON
import JobQueue
import PostgresServer
import TestSupport
import Testing

@testable import Postgres

/// A login, a database and a schema `public` that change what statements mean: each session is the program's own all the same.
@Suite struct SessionTests {
    /// Settings of the login and the database, and functions that fit a call better than Postgres's own.
    private static func spoil(_ queue: TestQueue, _ logins: [String]) async throws {
        _ = try await queue.psql(
            """
            create function public.array_remove(text[], text) returns text[] language plpgsql as
                $$ begin raise exception 'caught in array_remove'; end $$;
            create function public.quote_ident(name) returns text language plpgsql as
                $$ begin raise exception 'caught in quote_ident'; end $$;
            create function public.current_setting(unknown_name text) returns text language plpgsql as
                $$ begin raise exception 'caught in current_setting'; end $$;
            create function public.alike(name, name) returns boolean language plpgsql as
                $$ begin raise exception 'caught in ='; end $$;
            create operator public.= (leftarg = name, rightarg = name, function = public.alike);
            alter database \(queue.database) set search_path = public, pg_catalog;
            alter database \(queue.database) set IntervalStyle = 'sql_standard';
            """)
        for login in logins {
            _ = try await queue.psql(
                """
                alter role \(login) set search_path = public, pg_catalog; alter role \(login) set DateStyle = 'German';
                alter role \(login) set TimeZone = 'Asia/Kolkata'; alter role \(login) set client_encoding = 'LATIN1';
                alter role \(login) set default_transaction_isolation = 'serializable';
                alter role \(login) set extra_float_digits = -10; alter role \(login) set bytea_output = 'escape';
                alter role \(login) set standard_conforming_strings = off
                """)
        }
    }

    /// Statements whose answers depend on all that is spoiled.
    private static func expectOurs(_ connection: Connection, _ place: String) async throws {
        let text = "“ä”"
        let row = try await connection.query(
            """
            select array_remove(array['a', \("b")], 'b')::text as list, quote_ident(current_user) as login,
                ('2026-02-03 00:00+00'::timestamptz)::text as time, ('1 day 2 hours'::interval)::text as span,
                current_setting('transaction_isolation') as isolation, current_setting('search_path') as path,
                (1::float8 / 3)::text as third, '\\x41'::bytea::text as bytes, \(text)::text as text,
                current_user = current_user as same
            """)[0]
        #expect(try row.text("list") == "{a}", "\(place)")
        #expect(try row.text("time") == "2026-02-03 00:00:00+00", "\(place)")
        #expect(try row.text("span") == "1 day 02:00:00", "\(place)")
        #expect(try row.text("isolation") == "read committed", "\(place)")
        #expect(try row.text("path") == "pg_catalog, pg_temp", "\(place)")
        #expect(try row.text("third") == "0.3333333333333333", "\(place)")
        #expect(try row.text("bytes") == "\\x41", "\(place)")
        #expect(try row.text("text") == text, "\(place)")
        #expect(try row.bool("same"), "\(place)")
    }

    /// What a session of somebody else's has been given.
    private static let theirs = """
        select pg_catalog.concat_ws('|', pg_catalog.current_setting('search_path'), pg_catalog.current_setting('DateStyle'),
            pg_catalog.current_setting('TimeZone'), pg_catalog.current_setting('default_transaction_isolation'),
            pg_catalog.current_setting('statement_timeout'), pg_catalog.current_setting('lock_timeout'),
            pg_catalog.current_setting('idle_in_transaction_session_timeout'), pg_catalog.current_setting('jit'))
        """

    @Test func eachSessionBeginsWithSettingsOfItsOwn() async throws {
        try await Stage.with { stage in
            let login = stage.name(.worker)
            try await Self.spoil(stage.queue, [login])
            for url in [stage.url(.worker), stage.url(.worker, query: "?client_encoding=LATIN1&options=-c%20jit%3Don")]
            {
                let connection = Connection(try ConnectionConfiguration(url: url), label: "session test")
                try await Self.expectOurs(connection, url)
                try await connection.transaction { db throws(PostgresError) in
                    let row = try db.query("select current_setting('transaction_isolation') as isolation")[0]
                    #expect(try row.text("isolation") == "read committed")
                }
                await connection.close()
            }
        }
    }

    @Test(
        .enabled(if: PgBouncer.isInstalled, "PgBouncer is not installed"),
        arguments: ["", "extra_float_digits, options"])
    func behindAPoolerNothingIsLeftForTheNext(ignored: String) async throws {
        try await Stage.with { stage in
            let login = stage.name(.worker)
            try await Self.spoil(stage.queue, [login])
            let given = try await stage.queue.psql(Self.theirs, as: login)
            try await PgBouncer.run(
                before: stage.queue.server.port, users: [login], ignoring: ignored, poolSize: 1
            ) { pooler in
                let url = stage.url(.worker, port: pooler.port)
                // It keeps the only session of the server's busy and has its own say in between.
                let other = try Psql(url: url)
                defer { other.end() }
                let process = try await other.ask("select pg_catalog.pg_backend_pid()")
                for round in 1...3 {
                    let connection = Connection(
                        try ConnectionConfiguration(url: url), label: "session test", statementTimeout: .seconds(1))
                    try await Self.expectOurs(connection, "behind the pooler, round \(round)")
                    #expect(
                        try await connection.query("select pg_backend_pid()::text as pid")[0].text("pid") == process,
                        "they share one session of the server's")
                    #expect(try await other.ask(Self.theirs) == given, "round \(round)")
                    // What fails leaves neither settings nor a transaction.
                    await #expect(throws: PostgresError.self) { try await connection.query("select 1 / 0") }
                    try await connection.transaction { db throws(PostgresError) in
                        _ = try db.query("select 1 as one")
                    }
                    let slow = await #expect(throws: PostgresError.self) {
                        try await connection.query("select pg_sleep(30)")
                    }
                    #expect(slow?.sqlState == "57014", "\(slow as Any)")
                    #expect(try await other.ask(Self.theirs) == given, "round \(round), after failures")
                    try await Self.expectOurs(connection, "behind the pooler, after failures")
                    await connection.close()
                }
                #expect(try await other.ask("select pg_catalog.pg_backend_pid()") == process)
            }
        }
    }

    @Test(arguments: [false, true]) func aDaemonDoesItsWorkWithSuchALogin(isPooled: Bool) async throws {
        guard PgBouncer.isInstalled || !isPooled else { return }
        try await Stage.with { stage in
            let logins = [stage.name(.worker), stage.name(.producer), stage.name(.operator)]
            try await Self.spoil(stage.queue, logins)
            let source = "source_of_\(stage.queue.database)"
            _ = try await stage.queue.psql(
                """
                create role \(source) login; create schema app; grant usage on schema app to \(source);
                create table app.t as select 7 as n; grant select on app.t to \(source);
                """)
            try await Self.spoilSource(stage.queue, source)
            func work(port: Int) async throws {
                let daemon = stage.daemon.with([
                    "DATABASE_URL": stage.url(.worker, port: port),
                    "SHEETSYNC_SOURCE_DATABASE_URL":
                        "postgresql://\(source)@127.0.0.1:\(port)/\(stage.queue.database)",
                    "SHEETSYNC_SPOOL_DIR": stage.directory.path,
                ])
                let ended = try await daemon.withDaemon { _ in
                    let plain = try await stage.ended(try await stage.enqueue("export", export("plain")))
                    #expect(plain.state == "completed", "\(plain.json)")
                    // By its own path and in its own zone, where it is 05:30 when it is midnight in UTC.
                    let query = """
                        select n, '2026-02-03 00:00Z'::timestamptz as moment, '2026-02-03 20:00Z'::timestamptz::date as day,
                            '2026-02-03 00:00Z'::timestamptz::text as spelt from t
                        """
                    let id = try await stage.queue.psql(
                        "select sheetsync.enqueue('export', jsonb_build_object('title', 'Q', 'query', $q$\(query)$q$::text))"
                    )
                    let job = try await stage.ended(try #require(Int(id)))
                    #expect(job.state == "completed", "\(job.json)")
                    #expect(stage.values(job)?[1] == [7, 46056, 46057, "2026-02-03 05:30:00+05:30"], "\(job.json)")
                    let status = try await Program(environment: ["DATABASE_URL": stage.url(.operator, port: port)])(
                        "status")
                    status.expect(0)
                }
                #expect(!ended.errors.contains("ERROR") && !ended.errors.contains("caught"), "\(ended)")
            }
            guard isPooled else { return try await work(port: stage.queue.server.port) }
            try await PgBouncer.run(before: stage.queue.server.port, users: logins + [source]) { pooler in
                try await work(port: pooler.port)
            }
        }
    }

    private static func spoilSource(_ queue: TestQueue, _ login: String) async throws {
        _ = try await queue.psql(
            """
            create function public.bool_or(boolean) returns boolean language plpgsql as
                $$ begin raise exception 'caught in bool_or'; end $$;
            alter role \(login) set search_path = app, public; alter role \(login) set TimeZone = 'Asia/Kolkata';
            alter role \(login) set DateStyle = 'German'; alter role \(login) set IntervalStyle = 'sql_standard';
            """)
    }

    /// What a login that may create in `public`, as everybody may in databases that come from PostgreSQL 14, could do.
    @Test func aFunctionInPublicDoesNotRunAsTheOneWhoMigrates() async throws {
        let database = try await SharedPostgres.makeDatabase()
        let guest = "guest_of_\(database)"
        try await SharedPostgres.psql(
            "create role \(guest) login; grant create on schema public to public", database: database)
        try await SharedPostgres.psql(
            """
            create function public.quote_ident(name) returns text language plpgsql as
                $$ begin execute 'alter role \(guest) superuser'; return pg_catalog.quote_ident($1::text); end $$;
            create function public.hashtextextended(text, integer) returns bigint language plpgsql as
                $$ begin execute 'alter role \(guest) superuser'; return 0; end $$;
            """, database: database, user: guest)
        let server = try await SharedPostgres.server()
        let migrate = Program(environment: ["DATABASE_URL": server.url(database: database)])
        // An administrator may run the plan by psql, with a path of his own.
        let plan = try await migrate("migrate", "--plan").expect(0)
        try await SharedPostgres.psql(plan.output, database: database)
        try await SharedPostgres.psql("drop schema sheetsync cascade", database: database)
        try await migrate("migrate").expect(0)
        try await migrate("migrate").expect(0)
        let superuser = try await SharedPostgres.psql(
            "select rolsuper from pg_roles where rolname = '\(guest)'", database: database)
        #expect(superuser == "f")
    }
}

/// A session of somebody else's that stays: psql with pipes.
private final class Psql {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    init(url: String) throws {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["psql", "-X", "-q", "-A", "-t", "-d", url]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    /// Runs a statement that gives one row of one column.
    func ask(_ statement: String) async throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data("\(statement);\n".utf8))
        var answer = Data()
        try await wait(for: "psql's answer to \(statement)", within: .seconds(30)) {
            var ready = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&ready, 1, 0) > 0 { answer += output.fileHandleForReading.availableData }
            return answer.last == UInt8(ascii: "\n")
        }
        return String(decoding: answer.dropLast(), as: UTF8.self)
    }

    func end() { process.terminate() }
}
