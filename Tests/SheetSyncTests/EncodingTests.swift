import Foundation
import JobQueue
import PostgresServer
import TestSupport
import Testing

@testable import Postgres

/// A queue in a database that does not keep every character.
@Suite(.serialized) struct EncodingTests {
    private func makeDatabase() async throws -> (name: String, url: String) {
        let name = "latin_of_\(try await SharedPostgres.makeDatabase())"
        try await SharedPostgres.psql(
            "create database \(name) template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
        let server = try await SharedPostgres.server()
        return (name, server.tcpURL(database: name))
    }

    @Test func whatOthersSaidIsMadeStorable() async throws {
        let words = "“é” 😀 \0 \\u0000 \\u20ac \\\\u0000 …"
        for (url, expected) in [
            (try await makeDatabase().url, #"'é' ? ? ? ? \\u0000 ..."#),
            (try await SharedPostgres.server().url(), #"“é” 😀 ? ? \u20ac \\u0000 …"#),
        ] {
            let connection = Connection(try ConnectionConfiguration(url: url), label: "encoding")
            #expect(try await connection.query("select \(storable: words)::text as t")[0].text("t") == expected)
            // As JSON too.
            let json = "{\"a\": \"\(words.replacing("\0", with: "\\u0000"))\"}"
            _ = try await connection.query("select (\(storable: json)::jsonb ->> 'a') as t")
            let none: String? = nil
            #expect(try await connection.query("select \(storable: none)::text as t")[0].optionalText("t") == nil)
            await connection.close()
        }
        let latin = Connection(try ConnectionConfiguration(url: try await makeDatabase().url), label: "encoding")
        let refused = await #expect(throws: PostgresError.self) {
            try await latin.query("select \("“")::text as t")
        }
        #expect(refused?.sqlState == "22P05", "else nothing is shown here")
    }

    /// All running jobs lost an attempt when a heartbeat was refused.
    @Test func aHeartbeatArrivesWhateverGoogleSaid() async throws {
        try await Stage.with { stage in
            let (name, url) = try await makeDatabase()
            let daemon = stage.daemon.with([
                "DATABASE_URL": url, "SHEETSYNC_LEASE_SECONDS": "5", "GOOGLE_DRIVE_DEFAULT_FOLDER": "Reports 😀",
            ])
            try await daemon("migrate").expect(0)
            let doctor = try await daemon("doctor")
            #expect(doctor.output.contains("FAIL"), "\(doctor)")
            #expect(
                doctor.output.contains("GOOGLE_DRIVE_DEFAULT_FOLDER") && doctor.output.contains("LATIN1"), "\(doctor)")
            let ended = try await daemon.withDaemon { running in
                let sleeper = try await SharedPostgres.psql(
                    "select sheetsync.enqueue('noop', '{\"sleep_ms\": 9000}')", database: name)
                // Its folder cannot be kept, and the refusal names it.
                _ = try await SharedPostgres.psql(
                    "select sheetsync.enqueue('export', '{\"title\": \"x\", \"columns\": [\"a\"], \"rows\": [[1]]}')",
                    database: name)
                try await running.expectToSay("GOOGLE_DRIVE_DEFAULT_FOLDER has characters")
                try await wait(for: "the sleeper to end", within: .seconds(120), seeing: { running.errors }) {
                    try await SharedPostgres.psql(
                        "select state from sheetsync.jobs where id = \(sleeper)", database: name) == "completed"
                }
                #expect(
                    try await SharedPostgres.psql(
                        "select attempt from sheetsync.jobs where id = \(sleeper)", database: name) == "1")
            }
            #expect(!ended.errors.contains("cannot show a sign of life"), "\(ended)")
        }
    }
}
