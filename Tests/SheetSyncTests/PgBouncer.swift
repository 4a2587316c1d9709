import Foundation
import Glibc
import Subprocess
import SystemPackage
import TestSupport

/// A pooler in transaction mode, as managed databases put before themselves.
struct PgBouncer {
    /// The port that it listens on, on the loopback interface.
    let port: Int

    /// Whether it is installed.
    static var isInstalled: Bool { unsafe access(path, X_OK) == 0 }

    private static let path = "/usr/sbin/pgbouncer"

    /// Runs a pooler before a server of the loopback interface, which lets the users in without a password.
    static func run(
        before server: Int, users: [String], ignoring parameters: String = "", poolSize: Int = 3,
        _ body: (PgBouncer) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let port = try Relay.freePort()
        let names = try directory.write(users.map { "\"\($0)\" \"\"\n" }.joined(), to: "users", mode: 0o644)
        let settings = try directory.write(
            """
            [databases]
            * = host=127.0.0.1 port=\(server)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            pool_mode = transaction
            auth_type = trust
            auth_file = \(names)
            default_pool_size = \(poolSize)
            ignore_startup_parameters = \(parameters)
            """, to: "pgbouncer.ini", mode: 0o644)
        // It refuses to run as root.
        let user = getuid() == 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : []
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory.path)
        let line = user + [path, settings]
        let said = "\(directory.path)/said"
        let result = try await Subprocess.run(
            .name("env"), arguments: Arguments(line), input: .none, output: .discarded,
            error: .fileDescriptor(
                try .open(FilePath(said), .writeOnly, options: .create, permissions: .ownerReadWrite),
                closeAfterSpawningProcess: true)
        ) { execution in
            let outcome: Result<Void, any Error>
            do {
                try await wait(
                    for: "the pooler", within: .seconds(20),
                    seeing: { try String(contentsOfFile: said, encoding: .utf8) }
                ) { Relay.isListening(on: port) }
                outcome = .success(try await body(PgBouncer(port: port)))
            } catch {
                outcome = .failure(error)
            }
            kill(execution.processIdentifier.value, SIGKILL)
            return outcome
        }
        try result.closureResult.get()
    }
}
