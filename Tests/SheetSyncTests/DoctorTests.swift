import Foundation
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

@testable import sheetsync

/// What `sheetsync doctor` looks at in the database, each with what it finds when that is not as it should be.
@Suite struct DoctorTests {
    /// What `doctor` says of one thing: a level and words.
    private func finding(
        _ name: String, _ program: Program, patience: Duration = .seconds(5),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let reader = try await SettingsReader(environment: program.environment)
        var checkup = Checkup()
        await DatabaseCheck(
            settings: try DatabaseSettings(reader), google: try GoogleSettings(reader),
            silenceLimit: try reader.silenceLimit(), patience: patience
        ).look(&checkup)
        let found = checkup.findings.filter { $0.name == name }.map { "\($0.level.rawValue): \($0.words)" }
        #expect(!found.isEmpty, "nothing is said of \(name): \(checkup.json)", sourceLocation: sourceLocation)
        return found.joined(separator: "\n")
    }

    @Test func eachRightThatTheRolesLack() async throws {
        try await Stage.with { stage in
            let doctor = stage.daemon
            #expect(try await finding("grants", doctor).hasPrefix("ok: "))
            for (change, back, words) in [
                (
                    "revoke select on sheetsync.report_wait from sheetsync_worker",
                    "grant select on sheetsync.report_wait to sheetsync_worker",
                    "sheetsync_worker lacks select on sheetsync.report_wait"
                ),
                (
                    "revoke insert on sheetsync.google_token from sheetsync_worker",
                    "grant insert on sheetsync.google_token to sheetsync_worker",
                    "sheetsync_worker lacks insert on sheetsync.google_token"
                ),
                (
                    "revoke execute on function sheetsync.enqueue from sheetsync_producer",
                    "grant execute on function sheetsync.enqueue to sheetsync_producer",
                    "sheetsync_producer may not call sheetsync.enqueue"
                ),
                (
                    "revoke all on sequence sheetsync.lease_number from sheetsync_owner",
                    "grant all on sequence sheetsync.lease_number to sheetsync_owner",
                    "sheetsync_owner lacks usage on sheetsync.lease_number"
                ),
                (
                    "alter table sheetsync.progress owner to postgres",
                    "alter table sheetsync.progress owner to sheetsync_owner",
                    "sheetsync.progress belongs to postgres"
                ),
                (
                    "alter function sheetsync.lock_holder rename to other",
                    "alter function sheetsync.other rename to lock_holder", "sheetsync.lock_holder is missing"
                ),
            ] {
                _ = try await stage.queue.psql(change)
                let found = try await finding("grants", doctor)
                #expect(found.contains("FAIL: ") && found.contains(words), "\(change): \(found)")
                _ = try await stage.queue.psql(back)
            }
            #expect(try await finding("grants", doctor).hasPrefix("ok: "))
        }
    }

    @Test func loginsThatMayCreateWhereOthersLookForNames() async throws {
        try await Stage.with { stage in
            let database = stage.queue.database
            _ = try await stage.queue.psql("revoke create on schema public from public")
            #expect(try await finding("PUBLIC", stage.daemon).hasPrefix("ok: "))
            _ = try await stage.queue.psql(
                "grant create on schema public to public; grant create on database \(database) to public")
            let found = try await finding("PUBLIC", stage.daemon)
            #expect(found.contains("warn: every login may create objects in the schema public"), "\(found)")
            #expect(found.contains("`revoke create on schema public from public`"), "\(found)")
            #expect(found.contains("`revoke create on database \(database) from public`"), "\(found)")
        }
    }

    @Test func aPublishedTableWithoutReplicaIdentity() async throws {
        try await Stage.with { stage in
            #expect(try await finding("replica identity", stage.daemon).hasPrefix("ok: "))
            _ = try await stage.queue.psql(
                "create publication everything for all tables; alter table sheetsync.ready replica identity nothing")
            let job = try await stage.enqueue("noop", [:])
            let refused = await #expect(throws: PsqlFailure.self) {
                try await stage.queue.psql("delete from sheetsync.ready where id = \(job)")
            }
            #expect(refused?.description.contains("replica identity") == true, "else it is no fault")
            let found = try await finding("replica identity", stage.daemon)
            #expect(
                found.contains("FAIL: the publication everything has sheetsync.ready")
                    && found.contains("`alter table sheetsync.ready replica identity default`"), "\(found)")
        }
    }

    @Test func settingsEncodingAndCollationsOfTheDatabase() async throws {
        try await Stage.with { stage in
            let login = stage.name(.worker)
            #expect(try await finding("session settings", stage.daemon) == "ok: none that matters")
            _ = try await stage.queue.psql("alter role \(login) set default_transaction_isolation = 'serializable'")
            #expect(
                try await finding("session settings", stage.daemon)
                    == "ok: default_transaction_isolation=serializable of the login changes nothing: sessions bring their own"
            )
            _ = try await stage.queue.psql("alter database \(stage.queue.database) set synchronous_commit = off")
            let lossy = try await finding("session settings", stage.daemon)
            #expect(lossy.hasPrefix("warn: the database has synchronous_commit=off"), "\(lossy)")
            #expect(try await finding("encoding", stage.daemon) == "ok: UTF8")
            #expect(try await finding("collations", stage.daemon).hasPrefix("ok: "))
            let latin = "latin_of_\(stage.queue.database)"
            try await SharedPostgres.psql(
                "create database \(latin) template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
            let other = stage.daemon.with(["DATABASE_URL": stage.queue.server.tcpURL(database: latin)])
            #expect(try await finding("encoding", other).hasPrefix("warn: LATIN1 lacks characters"))
        }
    }

    @Test func collationsOfAnotherVersion() async throws {
        try await Stage.with { stage in
            let icu = try await stage.queue.psql(
                "select count(*) from pg_collation where collname = 'en-x-icu' and collversion is not null")
            guard icu == "1" else { return print("this server has no ICU: collation versions are not tried") }
            // As if the system had been upgraded since.
            _ = try await stage.queue.psql(
                """
                create table public.names (name text collate "en-x-icu" primary key);
                update pg_collation set collversion = '1' where collname = 'en-x-icu'
                """)
            let found = try await finding("collations", stage.daemon)
            #expect(
                found.hasPrefix("warn: ")
                    && found.contains("`alter collation pg_catalog.\"en-x-icu\" refresh version`"),
                "\(found)")
            guard Int(try await stage.queue.psql("select current_setting('server_version_num')")) ?? 0 >= 150_000 else {
                return
            }
            let database = "icu_of_\(stage.queue.database)"
            try await SharedPostgres.psql(
                "create database \(database) template template0 locale_provider icu icu_locale 'en' lc_collate 'C' lc_ctype 'C'"
            )
            try await SharedPostgres.psql("update pg_database set datcollversion = '1' where datname = '\(database)'")
            let other = stage.daemon.with(["DATABASE_URL": stage.queue.server.tcpURL(database: database)])
            let whole = try await finding("collations", other)
            #expect(whole.contains("`alter database \(database) refresh collation version`"), "\(whole)")
        }
    }

    /// A check that takes too long is no check that was not there.
    @Test func aCheckThatWaitsInVainNamesWhomItWaitedFor() async throws {
        try await Stage.with { stage in
            let holder = Connection(try stage.queue.configuration(), label: "forgotten")
            try await holder.script(
                "begin; lock table sheetsync.google_quota, sheetsync.job in access exclusive mode")
            for name in ["sequences", "queue"] {
                let found = try await finding(name, stage.daemon, patience: .milliseconds(300))
                #expect(
                    found.hasPrefix("FAIL: process ")
                        && found.contains("(sheetsync forgotten, login postgres) has locked"),
                    "\(name): \(found)")
            }
            try await holder.script("rollback; begin; lock table sheetsync.schema_migration in access exclusive mode")
            let found = try await finding("schema", stage.daemon, patience: .milliseconds(300))
            #expect(found.contains("has locked sheetsync.schema_migration"), "\(found)")
            try await holder.script("rollback")
        }
    }
}
