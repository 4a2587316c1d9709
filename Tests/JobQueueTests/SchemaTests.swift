import JSON
import Postgres
import PostgresServer
import TestSupport
import Testing

@testable import JobQueue

@Suite(.serialized) struct SchemaTests {
    @Test func migratesOnceAlsoWhenManyTry() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let configuration = try ConnectionConfiguration(url: server.url(database: database))
        let schema = Schema()
        let connection = Connection(configuration, label: "test")
        #expect(try await schema.state(on: connection) == .missing)
        #expect(try await schema.pending(on: connection).count == Migration.all.count)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask { try await schema.migrate(on: Connection(configuration, label: "test")).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == Migration.all.count)
        #expect(try await schema.state(on: connection) == .fit(number: Migration.all.count))
        #expect(try await schema.pending(on: connection).isEmpty)
    }

    @Test func livesUnderAnotherName() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let connection = Connection(try ConnectionConfiguration(url: server.url(database: database)), label: "test")
        let schema = Schema(name: "Odd \"name")
        _ = try await schema.migrate(on: connection)
        let jobs = JobDirectory(schema, on: connection)
        let id = try await jobs.enqueue(kind: "noop", payload: [:])
        #expect(try await jobs.find(id)?.state == "available")
        #expect(try await Schema().state(on: connection) == .missing)
    }

    @Test func refusesAChangedStep() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("update sheetsync.schema_migration set checksum = 'other' where number = 1")
        let error = await #expect(throws: SchemaError.self) { try await queue.schema.migrate(on: queue.connection) }
        #expect(error?.description.contains("step 1 (tables)") == true)
    }

    @Test func judgesOlderAndNewerSchemas() {
        #expect(Schema.judge(newest: 3, oldestBinary: 1, known: 2) == .fit(number: 3))
        #expect(Schema.judge(newest: 2, oldestBinary: 1, known: 2) == .fit(number: 2))
        guard case .unfit(let old) = Schema.judge(newest: 1, oldestBinary: 1, known: 2),
            case .unfit(let new) = Schema.judge(newest: 3, oldestBinary: 3, known: 2)
        else {
            Issue.record("both are unfit")
            return
        }
        #expect(old.contains("sheetsync migrate"))
        #expect(new.contains("newer sheetsync"))
    }

    @Test func printsTheStatementsThatALoginWithoutRightsLacks() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("create role plain login; grant create on database \(queue.database) to plain")
        let plain = Connection(
            try ConnectionConfiguration(url: queue.server.url(database: queue.database, user: "plain")), label: "test")
        let error = await #expect(throws: SchemaError.self) { try await Schema(name: "own").migrate(on: plain) }
        #expect(error?.description.contains("grant sheetsync_owner to plain;") == true)
        // After an administrator has run it, the same login succeeds.
        _ = try await queue.psql("grant sheetsync_owner to plain")
        #expect(try await Schema(name: "own").migrate(on: plain).count == Migration.all.count)
    }
}
