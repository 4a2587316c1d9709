import Foundation
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// What a server of its own can be: a standby, or one with a prepared transaction that nobody ended.
@Suite(.serialized) struct ServerStateTests {
    /// Runs the body with a server that has the schema, a job and a worker that has just shown a sign of life.
    private func withServer(
        _ body: (_ stage: Stage, _ server: PostgresServer, _ program: Program, _ job: Int) async throws -> Void
    ) async throws {
        try await Stage.with { stage in
            try await PostgresServer.run { server in
                let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
                _ = try await Schema.sheetsync.migrate(on: connection)
                let job = try await QueueClient(Schema.sheetsync, on: connection).enqueue(kind: "noop", payload: [:])
                try await connection.query("select sheetsync.register_worker(7, 'w', '1', 5)")
                try await connection.query("alter system set max_prepared_transactions = 2")
                await connection.close()
                try await server.restart()
                try await body(stage, server, stage.daemon.with(["DATABASE_URL": server.url()]), job)
            }
        }
    }

    @Test func aStandbyIsNamed() async throws {
        try await withServer { _, server, program, job in
            // A server that finds this file follows another one, though nobody has told it which.
            try Data().write(to: URL(filePath: "\(server.directory)/data/standby.signal"))
            try await server.restart()
            let words = "the database only reads, because its server is a standby"
            let status = try await program("status").expect(2)
            #expect(status.firstLine.hasPrefix("DOWN: \(words)"), "\(status)")
            let why = try await program("why", "\(job)").expect(0)
            #expect(why.firstLine.hasPrefix("job \(job) (noop, available) cannot begin: \(words)"), "\(why)")
            let doctor = try await program("doctor").expect(1)
            #expect(doctor.firstLine.hasPrefix("FAIL: database writes: \(words)"), "\(doctor)")
        }
    }

    @Test func aPreparedTransactionThatIsForgotten() async throws {
        try await withServer { stage, server, program, job in
            let connection = Connection(
                try ConnectionConfiguration(url: server.url()), label: "test", statementTimeout: .seconds(120))
            try await connection.script(
                "begin; insert into sheetsync.kind (name) values ('x'); prepare transaction 'lost one'")
            try await connection.script("set synchronous_commit = off")
            try await connection.query(
                "do $$ begin for n in 1..100001 loop perform pg_current_xact_id(); commit; end loop; end $$")
            try await connection.script("update sheetsync.worker set beat_at = clock_timestamp()")
            let words = "an open transaction slows down the queue: the prepared transaction lost one (login postgres)"
            let status = try await program("status").expect(1)
            #expect(status.firstLine.hasPrefix("DEGRADED: \(words)"), "\(status)")
            #expect(status.firstLine.contains("`rollback prepared 'lost one'`"), "\(status)")
            let why = try await program("why", "\(job)").expect(0)
            #expect(why.firstLine.contains(words), "\(why)")
            let doctor = try await program("doctor").expect(0)
            #expect(doctor.firstLine.hasPrefix("WARN: queue: \(words)"), "\(doctor)")
            try await connection.script("rollback prepared 'lost one'")
            try await program("status").expect(0)
        }
    }

    /// After a switch to a logical replica the rows are there, and the sequences lie where they began.
    @Test func aSequenceThatLiesBehindItsTable() async throws {
        try await withServer { _, server, program, job in
            let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
            try await connection.query("select sheetsync.enqueue('noop', '{}')")
            try await connection.query("select setval('sheetsync.job_id_seq', \(job), false)")
            let doctor = try await program("doctor").expect(1)
            #expect(
                doctor.output.contains("FAIL: sequences: sheetsync.job_id_seq lies behind its table")
                    && doctor.output.contains("`select setval('sheetsync.job_id_seq', \(job + 1))`"), "\(doctor)")
            try await connection.query("select setval('sheetsync.job_id_seq', \(job + 1))")
            #expect(try await !program("doctor").expect(0).output.contains("FAIL: sequences"))
        }
    }
}
