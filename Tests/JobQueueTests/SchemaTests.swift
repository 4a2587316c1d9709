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
        #expect(try await schema.pending(on: connection).count == Migration.queue.count)
        let applied = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 {
                group.addTask { try await schema.migrate(on: Connection(configuration, label: "test")).count }
            }
            return try await group.reduce(0, +)
        }
        #expect(applied == Migration.queue.count)
        #expect(
            try await schema.state(on: connection)
                == .compatible(number: Migration.queue[Migration.queue.count - 1].number))
        #expect(try await schema.pending(on: connection).isEmpty)
    }

    /// Whoever may connect may take any advisory lock; a migration takes none, and says who holds what it needs.
    @Test func nobodyStopsAMigrationUnseen() async throws {
        let queue = try await TestQueue.make()
        let configuration = try queue.configuration()
        let next = Migration(
            number: 901, name: "next", embedded: Array("alter table job add column next int;".utf8))
        let schema = Schema(steps: queue.schema.steps + [next])
        let other = Connection(configuration, label: "other")
        try await other.script(
            "select pg_advisory_lock(hashtextextended('sheetsync migrate sheetsync', 0)); begin; lock table sheetsync.job"
        )
        let connection = Connection(configuration, label: "test", lockTimeout: .milliseconds(200))
        let said = Heard()
        let migrating = Task {
            do { return try await schema.migrate(on: connection) { said.add($0) }.count } catch {
                said.add("\(error)")
                throw error
            }
        }
        try await wait(for: "the holder to be named twice", within: .seconds(20), seeing: { "\(said.all)" }) {
            said.all.count >= 2
        }
        #expect(said.all[0].contains("which is in use: process "), "\(said.all)")
        #expect(said.all[0].contains("(sheetsync other) has held job for"), "\(said.all)")
        // Nobody waits behind it for longer than that.
        try await other.script("rollback")
        #expect(try await migrating.value == 1)

        // Nor does one that holds the list of steps itself stay unknown.
        try await other.script("begin; lock table sheetsync.schema_migration")
        let hurried = Connection(configuration, label: "test", lockTimeout: .milliseconds(20))
        let error = await #expect(throws: SchemaError.self) { try await schema.migrate(on: hurried) }
        #expect(
            error?.description.contains("(sheetsync other) has held schema_migration") == true,
            "\(String(describing: error))")
        try await other.script("rollback")
        #expect(try await schema.migrate(on: connection).isEmpty)
    }

    @Test func livesUnderAnotherName() async throws {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let connection = Connection(try ConnectionConfiguration(url: server.url(database: database)), label: "test")
        let schema = Schema(name: "Odd \"name", steps: Migration.queue + [TestQueue.kinds])
        _ = try await schema.migrate(on: connection)
        let jobs = QueueClient(schema, on: connection)
        let id = try await jobs.enqueue(kind: "noop", payload: [:])
        #expect(try await jobs.find(id)?.state == "available")
        #expect(try await Schema().state(on: connection) == .missing)
    }

    /// The rights that `doctor` looks for are read from the steps themselves, and are those that these steps give.
    @Test func theRightsOfTheStepsAreThoseOfTheCatalog() async throws {
        let queue = try await TestQueue.make()
        let granted = try await queue.connection.query(
            """
            select a.grantee::regrole::text as role, x.name as object, lower(a.privilege_type) as privilege
            from (select p.proname as name, p.proacl as acl, p.pronamespace as namespace from pg_proc p
                  union all
                  select c.relname, c.relacl, c.relnamespace from pg_class c where c.relkind in ('r', 'v', 'S')) x
            join pg_namespace n on n.oid = x.namespace and n.nspname = 'sheetsync'
            cross join lateral aclexplode(x.acl) a where a.grantee <> 'sheetsync_owner'::regrole
            """
        ).map {
            SchemaRight(role: try $0.text("role"), object: try $0.text("object"), privilege: try $0.text("privilege"))
        }
        let rights = queue.schema.rights
        #expect(Set(rights.filter { $0.role != "sheetsync_owner" }) == Set(granted))
        #expect(granted.count > 30, "else nothing is compared")
        let made = try await queue.connection.query(
            """
            select x.name from (
                select p.proname as name, p.pronamespace as namespace from pg_proc p
                union all
                select c.relname, c.relnamespace from pg_class c
                where c.relkind in ('r', 'v') or c.relkind = 'S' and not exists (
                    select from pg_depend d where d.objid = c.oid and d.deptype = 'i')) x
            join pg_namespace n on n.oid = x.namespace and n.nspname = 'sheetsync' where x.name <> 'schema_migration'
            """
        ).map { try $0.text("name") }
        #expect(Set(rights.filter { $0.role == "sheetsync_owner" }.map(\.object)) == Set(made))
        #expect(try await queue.schema.faults(on: queue.connection).isEmpty)
    }

    @Test func refusesAChangedStep() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("update sheetsync.schema_migration set checksum = 'other' where number = 1")
        let error = await #expect(throws: SchemaError.self) { try await queue.schema.migrate(on: queue.connection) }
        #expect(error?.description.contains("step 1 (tables)") == true)
    }

    @Test func judgesOlderAndNewerSchemas() {
        #expect(Schema.judge(newest: 3, oldestBinary: 1, known: 2) == .compatible(number: 3))
        #expect(Schema.judge(newest: 2, oldestBinary: 1, known: 2) == .compatible(number: 2))
        guard case .incompatible(let old) = Schema.judge(newest: 1, oldestBinary: 1, known: 2),
            case .incompatible(let new) = Schema.judge(newest: 3, oldestBinary: 3, known: 2)
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
        #expect(error?.description.contains("grant sheetsync_owner to plain") == true)
        // After an administrator has run it, the same login succeeds.
        _ = try await queue.psql("grant sheetsync_owner to plain")
        #expect(try await Schema(name: "own").migrate(on: plain).count == Migration.queue.count)
    }

    /// The owner of a schema that was made beforehand must let sheetsync_owner build in it; nothing is built elsewhere.
    @Test func namesTheStatementThatASchemaMadeBeforehandLacks() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("create schema ready_made")
        let schema = Schema(name: "ready_made")
        let error = await #expect(throws: SchemaError.self) { try await schema.migrate(on: queue.connection) }
        let grant = #"grant create, usage on schema "ready_made" to sheetsync_owner;"#
        #expect(error?.description.contains(grant) == true, "\(error?.description ?? "")")
        #expect(try await schema.plan(on: queue.connection)?.contains(grant) == true)
        #expect(try await schema.state(on: queue.connection) == .missing)
        #expect(
            try await queue.psql("select count(*) from pg_class where relnamespace::regnamespace::text like 'pg_temp%'")
                == "0")
        _ = try await queue.psql(grant)
        #expect(try await schema.migrate(on: queue.connection).count == Migration.queue.count)
        #expect(
            try await schema.state(on: queue.connection)
                == .compatible(number: Migration.queue[Migration.queue.count - 1].number))
    }

    /// A login from which row-level security hides all rows must not be told that there is no schema.
    @Test func rowsThatAreHiddenAreNotAMissingSchema() async throws {
        let queue = try await TestQueue.make()
        let login = "hidden_\(queue.database)"
        _ = try await queue.psql(
            """
            create role \(login) login; grant sheetsync_worker to \(login);
            alter table sheetsync.schema_migration enable row level security
            """)
        let connection = Connection(
            try ConnectionConfiguration(url: queue.server.url(database: queue.database, user: login)), label: "test")
        guard case .incompatible(let reason) = try await queue.schema.state(on: connection) else {
            Issue.record("the schema should not be usable")
            return
        }
        #expect(reason.contains("row-level security"), "\(reason)")
    }
}
