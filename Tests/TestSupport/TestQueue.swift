public import JSON
public import JobQueue
import Logging
public import Postgres
public import PostgresServer
import ServiceLifecycle
import Synchronization

/// A migrated queue in a database of its own.
public struct TestQueue: Sendable {
    /// The database's name.
    public let database: String
    /// The server that all tests share.
    public let server: PostgresServer
    /// The queue's schema.
    public let schema: Schema
    /// A connection of the test's own, as the superuser.
    public let connection: Connection

    /// Kinds of jobs for tests of the queue alone: `write` and `paint` change a file, the others run beside everything.
    public static let kinds = Migration(
        number: 900, name: "kinds",
        embedded: Array(
            """
            insert into kind (name, target_name, target_path, restricted, restricted_to, is_reconciled) values
                ('write', 'file', '{file}', 'lax $ ? (exists (@.query) || exists (@.sheets[*].query))',
                 'sheetsync_query', true),
                ('paint', 'file', '{file}', null, null, false), ('make', null, null, null, null, false),
                ('noop', null, null, null, null, false);
            """.utf8))

    /// The databases that were migrated once and are copied since, by their steps; a copy takes a third of the time.
    private static let templates = Mutex<[String: Task<String, any Error>]>([:])

    private static func template(_ steps: [Migration], on server: PostgresServer) async throws -> String {
        let key = steps.map { "\($0.number) \($0.sql)" }.joined()
        let making = templates.withLock { templates in
            let making =
                templates[key]
                ?? Task {
                    let database = try await SharedPostgres.makeDatabase()
                    let connection = Connection(
                        try ConnectionConfiguration(url: server.url(database: database)), label: "test")
                    _ = try await Schema(steps: steps).migrate(on: connection)
                    await connection.close()
                    try await SharedPostgres.psql("alter database \(database) allow_connections false")
                    return database
                }
            templates[key] = making
            return making
        }
        return try await making.value
    }

    /// Makes a migrated database.
    ///
    /// - Parameters:
    ///   - steps: The steps that bring the kinds of jobs.
    ///   - encoding: The database's encoding; nil for the server's own, UTF8.
    public static func make(
        _ steps: [Migration] = Migration.queue + [kinds], encoding: String? = nil
    ) async throws -> TestQueue {
        let server = try await SharedPostgres.server()
        // One of another encoding cannot be copied.
        let template = encoding == nil ? try await template(steps, on: server) : nil
        let database = try await SharedPostgres.makeDatabase(encoding: encoding, copying: template)
        // Some tests fill tables, which takes long beside others.
        let connection = Connection(
            try ConnectionConfiguration(url: server.url(database: database)), label: "test",
            statementTimeout: .seconds(120), lockTimeout: .seconds(30))
        let queue = TestQueue(
            database: database, server: server, schema: Schema(steps: steps), connection: connection)
        if encoding != nil { _ = try await queue.schema.migrate(on: connection) }
        return queue
    }

    /// The queue's functions and view.
    public var jobs: QueueClient { QueueClient(schema, on: connection) }

    /// The queue's own tables.
    public var inspector: QueueInspector { QueueInspector(queue: self) }

    /// How to connect to the database.
    public func configuration() throws -> ConnectionConfiguration {
        try ConnectionConfiguration(url: server.url(database: database))
    }

    /// A connection as a login that was made with `psql`.
    public func connection(as login: String) throws -> Connection {
        Connection(try ConnectionConfiguration(url: server.url(database: database, user: login)), label: "test")
    }

    /// Runs SQL by psql as some user and returns what it prints.
    public func psql(_ sql: String, as user: String = "postgres") async throws -> String {
        try await SharedPostgres.psql(sql, database: database, user: user)
    }

    /// Runs a worker beside the body and shuts it down behind it.
    public func withWorker(
        _ handlers: [String: any JobHandler], admission: (any AdmissionControl)? = nil,
        change: (inout WorkerConfiguration) -> Void = { _ in },
        observer: @escaping @Sendable (WorkerEvent) -> Void = { _ in },
        _ body: (TestQueue) async throws -> Void
    ) async throws {
        var configuration = WorkerConfiguration()
        configuration.pollInterval = .milliseconds(200)
        configuration.shutdownGrace = .seconds(5)
        configuration.retryPolicy = RetryPolicy(base: .milliseconds(20), longest: .milliseconds(50))
        change(&configuration)
        let database = try self.configuration()
        let worker = Worker(
            configuration, database: database, schema: schema, control: Connection(database, label: "control"),
            handlers: handlers, admission: admission, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            observer: observer)
        let group = ServiceGroup(services: [worker], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(self)) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try outcome.get()
    }

    /// Waits until a job is in a state.
    public func expect(_ id: Int, _ state: String) async throws {
        try await wait(
            for: "job \(id) to be \(state)", seeing: { try await jobs.find(id)?.json.description ?? "no job" }
        ) {
            try await jobs.find(id)?.state == state
        }
    }
}

/// Runs a closure as a handler.
public struct ClosureHandler: JobHandler {
    private let body: @Sendable (Job, ProgressReporter) async throws -> JSON
    private let look: @Sendable (Job, Duration) async throws -> Reconciliation

    /// Makes a handler.
    public init(
        _ body: @escaping @Sendable (Job, ProgressReporter) async throws -> JSON,
        reconcile look: @escaping @Sendable (Job, Duration) async throws -> Reconciliation = { _, _ in .upToDate }
    ) {
        self.body = body
        self.look = look
    }

    /// Runs the closure that looks at ended jobs.
    public func reconcile(_ job: Job, endedAgo age: Duration) async throws -> Reconciliation {
        try await look(job, age)
    }

    /// Runs the closure.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await body(job, progress)
    }
}
