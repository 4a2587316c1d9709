public import PostgresServer
import Synchronization

/// The one server that all tests of a run share; it is started by the first test that asks and ends with the process.
public enum SharedPostgres {
    private static let start = Mutex<Task<PostgresServer, any Error>?>(nil)
    private static let databases = Atomic<Int>(0)

    /// The running server.
    public static func server() async throws -> PostgresServer {
        let task = start.withLock { start in
            if let start { return start }
            let (started, continuation) = AsyncThrowingStream<PostgresServer, any Error>.makeStream()
            Task {
                do {
                    // The programs of some tests come over TCP, with passwords and through relays.
                    try await PostgresServer.run(overTCP: true) { server in
                        continuation.yield(server)
                        while true { try await Task.sleep(for: .seconds(3600)) }
                    }
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            let task = Task<PostgresServer, any Error> {
                for try await server in started { return server }
                throw CancellationError()
            }
            start = task
            return task
        }
        return try await task.value
    }

    /// Makes a database that no other test uses and returns its name: an empty one, or a copy of one that nobody uses.
    public static func makeDatabase(encoding: String? = nil, copying template: String? = nil) async throws -> String {
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        let other =
            template.map { " template \($0)" }
            ?? encoding.map { " template template0 encoding '\($0)' lc_collate 'C' lc_ctype 'C'" } ?? ""
        try await psql("create database \(name)\(other)")
        return name
    }

    /// Runs SQL as the superuser and returns what psql prints, rows on lines and columns between bars.
    @discardableResult
    public static func psql(_ sql: String, database: String = "postgres", user: String = "postgres") async throws
        -> String
    {
        let server = try await server()
        return try await Psql.run(sql, url: server.url(database: database, user: user))
    }
}
