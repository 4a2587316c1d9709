import Foundation
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

@testable import sheetsync

/// Encrypted connections and passwords, as managed databases demand them; each refusal names what to do.
@Suite struct DatabaseAccessTests {
    private static let password = "right-p@ss:w/rd"
    private static let escaped = "right-p%40ss%3Aw%2Frd"

    @Test func certificatesAreVerifiedAndEachRefusalSaysWhatToDo() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let certificates = Certificates(directory: directory)
        let authority = try await certificates.makeAuthority("Authority")
        let stranger = try await certificates.makeAuthority("Stranger")
        try await GuardedPostgres.with { database in
            try await database.connection.script("alter role postgres password '\(Self.password)'")
            let migrate = Program(environment: ["DATABASE_URL": database.url("postgres:\(Self.escaped)")])
            func plan(_ changes: [String: String]) async throws -> Ended {
                let ended = try await migrate.with(changes)("migrate", "--plan")
                #expect(!ended.description.contains("right-p"), "the password is told: \(ended)")
                return ended
            }
            try await plan(["SSL_REQUIRED": "true"])
                .expectRefusal(2, "does not support SSL", "Switch TLS on", "SSL_REQUIRED")

            try await database.useTLS(try await authority.issue(for: "localhost"))
            try await plan(["SSL_REQUIRED": "true"]).expect(0)
            let pem = try String(contentsOfFile: authority.path, encoding: .utf8)
            let other = try String(contentsOfFile: stranger.path, encoding: .utf8)
            // As a path, as text, on one line as platforms write it, with what else people copy, and in base64.
            let body = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
            for value in [
                authority.path, pem, pem.replacing("\n", with: "\\n"), pem.replacing("\n", with: " "),
                "# Our authority\nSubject: CN = Authority\n\n\(pem)\n# the end", "\"\(pem)\"",
                "'\(pem.replacing("\n", with: "\\n"))'",
                Data(pem.utf8).base64EncodedString(), body, other + pem,
            ] {
                try await plan(["DATABASE_CA_CERT": value]).expect(0)
            }
            for value in [stranger.path, other] {
                try await plan(["DATABASE_CA_CERT": value])
                    .expectRefusal(2, "certificate verify failed", "Give DATABASE_CA_CERT the certificate")
            }
            let byAddress = database.url("postgres:\(Self.escaped)", host: "127.0.0.1")
            try await plan(["DATABASE_CA_CERT": authority.path, "DATABASE_URL": byAddress])
                .expectRefusal(2, "does not match host name", "Name the server in DATABASE_URL")
            // Whoever says verify-ca does not mean the name.
            let authorityOnly = byAddress + (byAddress.contains("?") ? "&" : "?") + "sslmode=verify-ca"
            try await plan(["DATABASE_CA_CERT": authority.path, "DATABASE_URL": authorityOnly]).expect(0)
            for value in ["canary-text-that-is-no-path", "/canary text", String(repeating: "Y2FuYXJ5", count: 40)] {
                let refused = try await plan(["DATABASE_CA_CERT": value])
                refused.expectRefusal(78, "DATABASE_CA_CERT is neither a certificate")
                #expect(!refused.errors.contains("canary") && !refused.errors.contains("Y2Fu"), "\(refused)")
            }
            try await plan(["DATABASE_CA_CERT": "-----BEGIN CERTIFICATE-----\nbroken"])
                .expectRefusal(2, "Give DATABASE_CA_CERT the certificate")
        }
    }

    @Test func aPasswordIsAskedForAndNeverShown() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let authority = try await Certificates(directory: directory).makeAuthority("Authority")
        try await GuardedPostgres.with { database in
            try await Program(environment: ["DATABASE_URL": database.server.url()])("migrate").expect(0)
            try await database.connection.script(
                "create role watcher login password '\(Self.password)'; grant sheetsync_operator to watcher")
            try await database.useTLS(try await authority.issue(for: "localhost"))
            try await database.admit("hostssl all watcher all scram-sha-256")
            let stored = try await database.connection.query(
                "select rolpassword like 'SCRAM-SHA-256%' as b from pg_authid where rolname = 'watcher'")
            #expect(try stored[0].bool("b"), "it is SCRAM that is tried")

            func status(_ login: String, _ query: String = "") async throws -> Ended {
                let url = database.url(login, query: query)
                let program = Program(environment: ["DATABASE_URL": url, "DATABASE_CA_CERT": authority.path])
                let ended = try await program("status")
                #expect(!ended.description.contains("p@ss") && !ended.description.contains("p%40"), "\(ended)")
                return ended
            }
            let fine = try await status("watcher:\(Self.escaped)", "&channel_binding=require").expect(1)
            #expect(fine.output.hasPrefix("DEGRADED: no worker is alive"), "\(fine)")
            for login in ["watcher:wrong-p%40ss", "watcher"] {
                let refused = try await status(login).expect(2)
                #expect(refused.output.hasPrefix("DOWN: cannot connect to the database"), "\(refused)")
                #expect(refused.output.contains("Check the user and the password in DATABASE_URL"), "\(refused)")
            }
            let plain = Program(environment: [
                "DATABASE_URL": database.url("watcher:\(Self.escaped)", query: "&sslmode=disable")
            ])
            try await plain("jobs", "list").expectRefusal(2, "no encryption", "SSL_REQUIRED")
        }
    }

    /// Each of these was said to be something else.
    @Test func eachRefusalHasWordsOfItsOwn() async throws {
        try await Stage.with { stage in
            let login = stage.name(.operator)
            let program = stage.program(.operator)
            _ = try await stage.queue.psql("alter role \(login) connection limit 0")
            let full = try await program("status").expect(2)
            #expect(full.output.contains("has no connection left for this login"), "\(full)")
            #expect(!full.output.contains("Check DATABASE_URL"), "\(full)")
            _ = try await stage.queue.psql("alter role \(login) connection limit -1")

            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let service =
                "[queue]\nhost=127.0.0.1\nport=\(stage.queue.server.port)\ndbname=\(stage.queue.database)\nuser=\(login)\n"
            let file = try directory.write(service, to: "services.conf")
            let served = program.with(["DATABASE_URL": "postgresql://?service=queue", "PGSERVICEFILE": file])
            try await served("status").expect(1)
            let unknown = try await served.with(["DATABASE_URL": "postgresql://?service=other"])("status").expect(2)
            #expect(unknown.output.contains("Name a service in DATABASE_URL"), "\(unknown)")

            // A role that only reads is no full disk.
            let worker = stage.name(.worker)
            _ = try await stage.queue.psql("alter role \(worker) set default_transaction_read_only = on")
            let doctor = try await stage.daemon("doctor").expect(1)
            #expect(doctor.output.contains("not from this login, because default_transaction_read_only"), "\(doctor)")
            #expect(!doctor.output.contains("make room"), "\(doctor)")

            // Rows that a policy hides are no missing schema.
            _ = try await stage.queue.psql("alter table sheetsync.schema_migration enable row level security")
            let rows = try await program("status").expect(3)
            #expect(rows.output.contains("row-level security hides"), "\(rows)")
        }
    }

    @Test func adviceForAHomeThatCannotBeRead() {
        let words = "could not open certificate file \"/root/.postgresql/postgresql.crt\": Permission denied"
        let advice = PostgresError(.connectionFailed, words).connectionAdvice
        #expect(advice.contains("HOME") && !advice.contains("DATABASE_CA_CERT"))
    }

    @Test func aLockedTableHoldsNoCommandForEver() async throws {
        try await Stage.with { stage in
            try await stage.queue.connection.script("begin; lock table sheetsync.ready in access exclusive mode")
            let ended = try await stage.program(.operator)("status").expect(2)
            #expect(ended.output.hasPrefix("DOWN: process "), "\(ended)")
            #expect(ended.firstLine.contains("(sheetsync test, login postgres) has locked sheetsync.ready"), "\(ended)")
            try await stage.queue.connection.script("rollback")
            try await stage.program(.operator)("status").expect(1)
        }
    }
}
