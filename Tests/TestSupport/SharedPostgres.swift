import Foundation
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
                    try await PostgresServer.run(in: memoryDisk, overTCP: true) { server in
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

    /// The file system in memory, where there is room for the databases of a whole run: each has 300 files, which a disk
    /// takes several times as long to make.
    private static var memoryDisk: String? {
        let path = "/dev/shm"
        let gigabyte = 1 << 30
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        let free = attributes?[.systemFreeSize] as? Int ?? 0
        let memory = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        let available = memory.firstMatch(of: /MemAvailable: +([0-9]+) kB/).flatMap { Int($0.1) } ?? 0
        return free >= 10 * gigabyte && available * 1024 >= 14 * gigabyte ? path : nil
    }

    /// How a database is copied, by its files; nil before it is asked for.
    ///
    /// PostgreSQL 14 knows no other way, and newer ones would log each page.
    private static let strategy = Mutex<String?>(nil)

    private static func copying(_ template: String) async throws -> String {
        if strategy.withLock({ $0 == nil }) {
            let version = Int(try await psql("select current_setting('server_version_num')")) ?? 0
            strategy.withLock { $0 = version >= 150_000 ? " strategy file_copy" : "" }
        }
        return " template \(template)\(strategy.withLock { $0 ?? "" })"
    }

    /// Makes a database that no other test uses and returns its name: an empty one, or a copy of one that nobody uses.
    public static func makeDatabase(encoding: String? = nil, copying template: String? = nil) async throws -> String {
        let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
        let other =
            if let template {
                try await copying(template)
            } else {
                encoding.map { " template template0 encoding '\($0)' lc_collate 'C' lc_ctype 'C'" } ?? ""
            }
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
