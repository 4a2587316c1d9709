import JobQueue
import PostgresServer
import Subprocess
import TestSupport
import Testing

/// `sheetsync migrate`, as an operator uses it.
@Suite(.serialized) struct MigrateCommandTests {
    private let state = "schema sheetsync is at step \(Schema.sheetsync.steps.count)"

    @Test func migrateBringsTheSchemaAndSaysSo() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let program = Program(environment: ["DATABASE_URL": server.url(database: database)])
        let plan = try await program("migrate", "--plan").expect(0)
        #expect(plan.output.contains("create table job"), "\(plan)")
        let schemas = "select count(*) from pg_namespace where nspname = 'sheetsync'"
        #expect(try await SharedPostgres.psql(schemas, database: database) == "0")

        let first = try await program("migrate").expect(0)
        let steps = Schema.sheetsync.steps.map { "applied step \($0.number): \($0.name)\n" }.joined()
        #expect(first.output == "\(steps)\(state)\n", "\(first)")
        let second = try await program("migrate").expect(0)
        #expect(second.output == "\(state)\n", "\(second)")
        let nothing = try await program("migrate", "--plan").expect(0)
        #expect(nothing.line == "-- nothing to do: \(state)", "\(nothing)")
        #expect(try await SharedPostgres.psql("select count(*) from sheetsync.jobs", database: database) == "0")
    }

    /// The plan is what an administrator runs by hand, so it does the whole work by itself, on a server that is new.
    @Test func thePlanRunByPsqlIsTheMigration() async throws {
        try await PostgresServer.run { server in
            let program = Program(environment: ["DATABASE_URL": server.url()])
            let plan = try await program("migrate", "--plan").expect(0)
            #expect(plan.output.hasPrefix("create role sheetsync_owner nologin;\n"), "\(plan.output.prefix(300))")
            let psql = try await Subprocess.run(
                .name("psql"), arguments: ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", server.url()],
                input: .string(plan.output), output: .discarded, error: .string(limit: 100_000))
            #expect(psql.terminationStatus.isSuccess, "\(psql.standardError)")
            let after = try await program("migrate", "--plan").expect(0)
            #expect(after.line == "-- nothing to do: \(state)", "\(after)")
            try await program("enqueue", "noop").expect(0)
            let second = try await program("migrate").expect(0)
            #expect(second.output == "\(state)\n", "\(second)")
        }
    }

    @Test func aLoginThatMayNotMakeRolesGetsTheStatements() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        try await SharedPostgres.psql("create role stranger_in_\(database) login", database: database)
        let program = Program(environment: [
            "DATABASE_URL": server.url(database: database, user: "stranger_in_\(database)")
        ])
        let ended = try await program("migrate").expect(3)
        #expect(
            ended.errors.split(separator: "\n").contains {
                $0.hasPrefix("grant sheetsync_owner to stranger_in_\(database)")
            },
            "\(ended)")
    }

    @Test func aLoginThatMayNotCreateIsToldWhoMay() async throws {
        let server = try await SharedPostgres.server()
        _ = try await TestQueue.make()
        let database = try await SharedPostgres.makeDatabase()
        let login = "builder_in_\(database)"
        try await SharedPostgres.psql("create role \(login) login", database: database)
        try await SharedPostgres.psql("grant sheetsync_owner to \(login)", database: database)
        let program = Program(environment: ["DATABASE_URL": server.tcpURL(database: database, user: login)])
        let ended = try await program("migrate")
        ended.expectRefusal(1, "permission denied for database", "grant create on database", "migrate --plan")
        #expect(!ended.errors.contains("sheetsync_producer"), "\(ended)")
    }
}
