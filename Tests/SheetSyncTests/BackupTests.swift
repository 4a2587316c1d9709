import Foundation
import JSON
import JobQueue
import Postgres
import PostgresServer
import Subprocess
import TestSupport
import Testing

/// A backup by pg_dump, restored on another server as docs/operating.md says.
@Suite(.serialized) struct BackupTests {
    /// What that has an administrator run, because jobs may have ended after the backup.
    private static let afterwards = """
        update sheetsync.ready set redelivered = true;
        delete from sheetsync.progress where checkpoint ->> 'stage' = 'not_made';
        select setval(pg_get_serial_sequence('sheetsync.job', 'id'),
                      nextval(pg_get_serial_sequence('sheetsync.job', 'id')) + 1000000);
        """

    @Test func aRestoredQueueGoesOnWithoutDuplicates() async throws {
        try await Stage.with { stage in
            let dump = "\(stage.directory.path)/queue.dump"
            let daemon = stage.daemon.with(["SHEETSYNC_LEASE_SECONDS": "5", "SHEETSYNC_LIST_DELAY": "0.2"])
            var (finished, waiting, running, scheduled) = (0, [Int](), 0, 0)
            try await daemon.withDaemon { _ in
                finished = try await stage.enqueue("export", export("Finished"))
                _ = try await stage.ended(finished)
                try await stage.program(.operator)("queue", "pause", "export").expect(0)
                for title in ["Waiting 1", "Waiting 2"] {
                    waiting.append(try await stage.enqueue("export", export(title)))
                }
                // One whose first attempt failed before it made anything.
                let checkpoint = #"{"stage": "not_made"}"#
                _ = try await stage.queue.psql(
                    """
                    insert into sheetsync.progress (id, step, checkpoint)
                    values (\(waiting[1]), 'waiting', '\(checkpoint)')
                    """)
                scheduled = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 day'")
                running = try await stage.enqueue("noop", ["sleep_ms": 5000])
                try await stage.queue.expect(running, "running")
                let database = stage.queue.server.url(database: stage.queue.database)
                try await command("pg_dump", "--format=custom", "--schema=sheetsync", "--file=\(dump)", database)
                // What happens after the backup, and the restored queue knows nothing of.
                try await stage.program(.operator)("queue", "resume").expect(0)
                for id in waiting { _ = try await stage.ended(id) }
            }
            #expect(stage.spreadsheets.sorted() == ["Finished", "Waiting 1", "Waiting 2"])

            try await PostgresServer.run { server in
                let administrator = Program(environment: ["DATABASE_URL": server.url()])
                try await administrator("migrate").expect(0)
                let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
                try await connection.script("drop schema sheetsync cascade")
                try await command("pg_restore", "--exit-on-error", "--single-transaction", "-d", server.url(), dump)
                try await administrator("migrate").expect(0)
                for login in [Stage.Login.worker, .producer] {
                    let name = stage.name(login)
                    try await connection.script("create role \(name) login; grant sheetsync_\(login) to \(name)")
                }
                try await connection.script(Self.afterwards)

                let restored = QueueClient(Schema.sheetsync, on: connection)
                func job(_ id: Int) async throws -> JobRecord { try #require(try await restored.find(id)) }
                #expect(try await job(running).state == "running", "as it was when the backup was made")
                let url = server.url(user: stage.name(.worker))
                try await daemon.with(["DATABASE_URL": url]).withDaemon { daemon in
                    try await administrator("queue", "resume").expect(0)
                    for id in waiting + [running] {
                        try await wait(for: "job \(id) to end", seeing: { daemon.errors }) {
                            try await job(id).isFinal
                        }
                        let ended = try await job(id)
                        #expect(ended.state == "completed", "\(ended.json)")
                        #expect(ended.errorCodes == (id == running ? ["queue.worker_lost"] : []), "\(ended.json)")
                    }
                }
                #expect(stage.spreadsheets.sorted() == ["Finished", "Waiting 1", "Waiting 2"], "duplicated 0")
                for id in waiting {
                    #expect(try await job(id).result?["spreadsheet_id"] == stage.job(id).result?["spreadsheet_id"])
                }
                let before = try await stage.job(finished)
                #expect(try await job(finished).json == before.json, "what had ended stays as it was")
                #expect(try await job(scheduled).state == "scheduled")
                let next = try await connection.query("select sheetsync.enqueue('noop', '{}') as id")[0].int("id")
                #expect(next > 1_000_000, "no number comes twice: \(next)")
                print(
                    "restored: 2 waiting jobs run, 1 running one rescued, \(stage.spreadsheets.count) of 3 spreadsheets"
                )
            }
        }
    }

    @Test func theStatementsAreThoseOfTheDocument() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/operating.md"), encoding: .utf8)
        func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        #expect(words(document).contains(words(Self.afterwards)))
    }

    private func command(_ name: String, _ arguments: String...) async throws {
        let result = try await Subprocess.run(
            .name(name), arguments: Arguments(arguments), input: .none, output: .discarded,
            error: .string(limit: 10_000))
        #expect(result.terminationStatus.isSuccess, "\(name): \(result.standardError)")
    }
}
