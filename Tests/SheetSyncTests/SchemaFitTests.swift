import JSON
import JobQueue
import PostgresServer
import TestSupport
import Testing

/// A schema that is missing or does not fit ends each command with 3.
@Suite(.serialized) struct SchemaFitTests {
    @Test func withoutASchemaEveryCommandSaysToMigrate() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let program = Program(environment: [
            "DATABASE_URL": server.tcpURL(database: database),
            "GOOGLE_SHEETS_CREDENTIALS":
                #"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#,
        ])
        for command in [
            ["run"], ["enqueue", "noop"], ["jobs", "list"], ["jobs", "show", "1"], ["jobs", "retry", "1"],
        ] {
            try await program.run(command).expectRefusal(3, "sheetsync migrate")
        }
        let status = try await program("status").expect(3)
        #expect(status.output.hasPrefix("DOWN: the schema sheetsync is missing"), "\(status)")
        let json = try await program("status", "--json").expect(3)
        #expect(try JSON(parsing: json.output)["verdict"] == "DOWN")
    }

    @Test func aSchemaThatAsksForANewerProgramIsRefused() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql(
                """
                insert into sheetsync.schema_migration (number, name, checksum) values (99, 'future', '');
                update sheetsync.setting set value = '99' where name = 'min_binary'
                """)
            try await stage.daemon("run").expectRefusal(3, "install the newer sheetsync", "99")
            try await stage.program(.operator)("jobs", "list").expectRefusal(3, "install the newer sheetsync")
            let status = try await stage.program(.operator)("status").expect(3)
            #expect(status.output.hasPrefix("DOWN: ") && status.output.contains("install the newer"), "\(status)")
        }
    }

    @Test func aNewerSchemaThatAllowsThisProgramWorks() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql(
                "insert into sheetsync.schema_migration (number, name, checksum) values (99, 'future', '')")
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.ended(try await stage.enqueue("noop", [:]))
                #expect(job.state == "completed", "\(job.json)")
                try await stage.program(.operator)("status").expect(0)
            }
        }
    }
}
