import Glibc
import Subprocess

/// A throw-away PostgreSQL server in a temporary folder, for demonstrations and tests.
///
/// It listens on a socket in its folder, which its own user and root alone may enter. A small guard process waits for the
/// end of this one, however it comes, then stops the server and deletes the folder: nothing is left behind, also after a
/// `kill -9`. A server does not run as root, so root starts it as the user `postgres`, or `nobody` where that is missing.
public struct PostgresServer: Sendable {
    /// The folder that holds the data, the socket and the server's log.
    public let directory: String
    /// A part of the socket's name, and where it listens over TCP too, the port on 127.0.0.1.
    public let port: Int
    /// The superuser's, which TCP asks for.
    private let password: String
    private let binaries: String
    private let account: Account

    /// Starts a server, runs the body, stops the server and deletes its folder.
    ///
    /// - Parameters:
    ///   - base: Where the server's folder is made; nil for the system's temporary folder.
    ///   - durable: Whether commits wait for the disk; a demonstration or a test can do without.
    ///   - overTCP: Whether it listens on a free port of the loopback interface too. Everybody on the machine reaches that, so
    ///     the superuser has a password there; other logins have none.
    ///   - primary: The server that this one follows as a streaming replica, until it is promoted.
    public static func run<Result>(
        in base: String? = nil, durable: Bool = false, overTCP: Bool = false,
        following primary: PostgresServer? = nil, _ body: (PostgresServer) async throws -> Result
    ) async throws -> Result {
        let account = try Account.unprivileged()
        let server = PostgresServer(
            directory: try account.makeTemporaryDirectory(in: base), port: try freePort(),
            password: primary?.password ?? String(UInt64.random(in: .min ... .max), radix: 36),
            binaries: try Self.findBinaries(),
            account: account)
        let (release, releaser) = AsyncStream<Never>.makeStream()
        let guardian = Task { try await server.watch(until: release) }
        let outcome: Swift.Result<Result, any Error>
        do {
            if let primary { try await server.copy(primary) } else { try await server.initialize() }
            try await server.start(durable: durable, overTCP: overTCP)
            outcome = .success(try await body(server))
        } catch {
            outcome = .failure(error)
        }
        releaser.finish()
        try await guardian.value
        return try outcome.get()
    }

    /// A URL of one of the server's databases, over the socket, as the superuser `postgres`.
    public func url(database: String = "postgres", user: String = "postgres") -> String {
        "postgresql:///\(database)?host=\(directory)&port=\(port)&user=\(user)"
    }

    /// A URL of one of the server's databases, over TCP and with the superuser's password.
    public func tcpURL(database: String = "postgres", user: String = "postgres") -> String {
        let login = user == "postgres" ? "\(user):\(password)" : user
        return "postgresql://\(login)@127.0.0.1:\(port)/\(database)"
    }

    /// Stops the server and starts it again; `immediate` ends it as a crash would.
    public func restart(immediate: Bool = false) async throws {
        try await control([
            "restart", "-w", "-t", "30", "-m", immediate ? "immediate" : "fast", "-l", "\(directory)/log",
        ])
    }

    /// Stops the server; `immediate` ends it as a crash would.
    public func stop(immediate: Bool = false) async throws {
        try await control(["stop", "-w", "-t", "30", "-m", immediate ? "immediate" : "fast"])
    }

    /// Makes a replica a server of its own, which takes writes.
    public func promote() async throws { try await control(["promote", "-w", "-t", "30"]) }

    private func copy(_ primary: PostgresServer) async throws {
        let place = "host=\(primary.directory) port=\(primary.port) user=postgres"
        try await command(
            "pg_basebackup", ["-D", "\(directory)/data", "-d", place, "-R", "-X", "stream", "-c", "fast", "--no-sync"])
    }

    private func initialize() async throws {
        let file = "\(directory)/password"
        try account.write(password, to: file)
        try await command(
            "initdb",
            [
                "-D", "\(directory)/data", "-U", "postgres", "--pwfile=\(file)", "-A", "trust", "-E", "UTF8",
                "--locale=C", "--no-sync",
            ])
        try account.write(
            """
            local all all trust
            local replication postgres trust
            host all postgres 127.0.0.1/32 scram-sha-256
            host all all 127.0.0.1/32 trust

            """, to: "\(directory)/data/pg_hba.conf")
    }

    private func start(durable: Bool, overTCP: Bool) async throws {
        let settings = [
            "-p \(port)", "-k \(directory)", "-c listen_addresses=\(overTCP ? "127.0.0.1" : "''")",
            "-c max_connections=500", "-c max_prepared_transactions=10",
            "-c fsync=\(durable ? "on" : "off")", "-c full_page_writes=\(durable ? "on" : "off")",
        ]
        try await control(["start", "-w", "-t", "30", "-l", "\(directory)/log", "-o", settings.joined(separator: " ")])
    }

    private func control(_ arguments: [String]) async throws {
        try await command("pg_ctl", ["-D", "\(directory)/data"] + arguments)
    }

    private func command(_ name: String, _ arguments: [String]) async throws {
        // By `env`, because the line begins with a path, or for root with a name.
        let result = try await Subprocess.run(
            .name("env"), arguments: Arguments(account.commandLine(["\(binaries)/\(name)"] + arguments)),
            output: .discarded,
            error: .string(limit: 16_384))
        guard result.terminationStatus.isSuccess else {
            throw PostgresServerError(description: "\(name) failed: \(result.standardError)")
        }
    }

    /// Runs the guard: a shell whose standard input ends when this process does, or when the stream ends.
    private func watch(until release: AsyncStream<Never>) async throws {
        let script =
            "cat > /dev/null; \"$1/pg_ctl\" -D \"$2/data\" -m immediate -w stop > /dev/null 2>&1; rm -rf \"$2\""
        // In a session of its own, so that an interrupt at the terminal does not reach it.
        let line = account.commandLine(["setsid", "/bin/sh", "-c", script, "sheetsync-guard", binaries, directory])
        _ = try await Subprocess.run(
            .name(line[0]), arguments: Arguments(Array(line.dropFirst())), input: .inputWriter, output: .discarded,
            error: .discarded
        ) { execution in
            for await _ in release {}
            try await execution.standardInputWriter.finish()
        }
    }

    /// The folder of the server's programs: the one that `SHEETSYNC_TEST_POSTGRES` names, Debian's newest, or the one on the PATH.
    private static func findBinaries() throws -> String {
        let given = unsafe getenv("SHEETSYNC_TEST_POSTGRES").map { [unsafe String(cString: $0)] } ?? []
        let debian = (14...40).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? ""
        let candidates = given + debian + path.split(separator: ":").map(String.init)
        guard
            let found = candidates.first(where: {
                unsafe access("\($0)/initdb", X_OK) == 0 && access("\($0)/pg_ctl", X_OK) == 0
            })
        else {
            throw PostgresServerError(
                description:
                    "PostgreSQL's server programs are not installed (on Debian or Ubuntu: apt-get install postgresql)")
        }
        return found
    }
}

/// Why a throw-away server could not be had.
public struct PostgresServerError: Error, CustomStringConvertible {
    /// One sentence, with what the failed program said.
    public let description: String
}
