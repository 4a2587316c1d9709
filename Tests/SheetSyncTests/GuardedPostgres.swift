import Postgres
import PostgresServer

/// A throw-away server that a test gives TLS and passwords, as an administrator does.
struct GuardedPostgres {
    let server: PostgresServer
    /// A connection as the superuser, over the socket.
    let connection: Connection

    /// Starts a server, runs the body and ends the server.
    static func with(_ body: (GuardedPostgres) async throws -> Void) async throws {
        try await PostgresServer.run(overTCP: true) { server in
            let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
            try await body(GuardedPostgres(server: server, connection: connection))
        }
    }

    /// The database's URL by the name or the address of the loopback interface.
    func url(_ login: String, host: String = "localhost", query: String = "") -> String {
        "postgresql://\(login)@\(host):\(server.port)/postgres?hostaddr=127.0.0.1\(query)"
    }

    /// Switches TLS on.
    func useTLS(_ identity: (certificate: String, key: String)) async throws {
        try await write(identity.certificate, to: "server.crt")
        try await write(identity.key, to: "server.key")
        try await connection.query("alter system set ssl = on")
        try await server.restart()
    }

    /// Replaces pg_hba.conf: who gets in, and how.
    func admit(_ lines: String...) async throws {
        try await write((["local all all trust"] + lines).joined(separator: "\n"), to: "pg_hba.conf")
        try await server.restart()
    }

    /// Has the server itself write a file beside its data, so that it is the owner.
    private func write(_ text: String, to file: String) async throws {
        let literal = text.replacing("'", with: "''")
        try await connection.script(
            "copy (select unnest(string_to_array('\(literal)', chr(10)))) to program 'umask 077; cat > \(file)'")
    }
}
