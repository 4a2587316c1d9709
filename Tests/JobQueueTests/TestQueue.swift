import JSON
import JobQueue
import Logging
import Postgres
import PostgresServer
import ServiceLifecycle
import Synchronization
import TestSupport

/// A migrated queue in a database of its own.
struct TestQueue: Sendable {
    let database: String
    let server: PostgresServer
    let schema = Schema()
    let connection: Connection

    static func make() async throws -> TestQueue {
        let server = try await SharedPostgres.server()
        let database = try await SharedPostgres.makeDatabase()
        let connection = Connection(
            try ConnectionConfiguration(url: server.url(database: database)), label: "test")
        let queue = TestQueue(database: database, server: server, connection: connection)
        _ = try await queue.schema.migrate(on: connection)
        return queue
    }

    var jobs: JobDirectory { JobDirectory(schema, on: connection) }

    func configuration() throws -> ConnectionConfiguration {
        try ConnectionConfiguration(url: server.url(database: database))
    }

    func psql(_ sql: String, as user: String = "postgres") async throws -> String {
        try await SharedPostgres.psql(sql, database: database, user: user)
    }

    /// Runs a worker beside the body and shuts it down behind it.
    func withWorker(
        _ handlers: [String: any JobHandler], change: (inout WorkerConfiguration) -> Void = { _ in },
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
            handlers: handlers, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let group = ServiceGroup(services: [worker], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await group.run() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(self)) } catch { outcome = .failure(error) }
        await group.triggerGracefulShutdown()
        try await running.value
        try outcome.get()
    }

    /// Waits until a job is in a state.
    func expect(_ id: Int, _ state: String) async throws {
        try await wait(
            for: "job \(id) to be \(state)", seeing: { try await jobs.find(id)?.json.description ?? "no job" }
        ) {
            try await jobs.find(id)?.state == state
        }
    }
}

/// Runs a closure as a handler.
struct ClosureHandler: JobHandler {
    let body: @Sendable (Job, ProgressReporter) async throws -> JSON

    init(_ body: @escaping @Sendable (Job, ProgressReporter) async throws -> JSON) { self.body = body }

    func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON { try await body(job, progress) }
}

/// Counts from several tasks.
final class Tally: Sendable {
    private let counts = Mutex<[Int: Int]>([:])
    func add(_ id: Int) { counts.withLock { $0[id, default: 0] += 1 } }
    var all: [Int: Int] { counts.withLock { $0 } }
    subscript(id: Int) -> Int { all[id] ?? 0 }
}
