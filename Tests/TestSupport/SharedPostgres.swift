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
                    try await PostgresServer.run { server in
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

    /// A name for a database that no other test uses.
    public static func freshName() -> String {
        "test_\(databases.add(1, ordering: .relaxed).newValue)"
    }
}
