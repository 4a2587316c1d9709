import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport

/// A server of its own (because it is restarted), an emulated Google, and the daemon's program.
struct ChaosStage {
    let plan: ChaosPlan
    let server: PostgresServer
    let emulator: GoogleEmulator
    let daemon: Program
    /// What struck, by name.
    let strikes = Strikes()
    private let connection: Connection

    /// Sets everything up, runs the body and ends everything.
    static func with(_ plan: ChaosPlan, _ body: (ChaosStage) async throws -> Void) async throws {
        try await PostgresServer.run { server in
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let emulator = try GoogleEmulator(.init(directory: directory.path, checksAnswers: !plan.isLong))
            let running = Task { try await emulator.run() }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await body(try await ChaosStage(plan, server, emulator, directory.path)))
            } catch {
                outcome = .failure(error)
            }
            running.cancel()
            _ = try? await running.value
            try outcome.get()
        }
    }

    private init(
        _ plan: ChaosPlan, _ server: PostgresServer, _ emulator: GoogleEmulator, _ directory: String
    ) async throws {
        self.plan = plan
        self.server = server
        self.emulator = emulator
        connection = Connection(try ConnectionConfiguration(url: server.url()), label: "chaos")
        _ = try await Schema.sheetsync.migrate(on: connection)
        try await connection.query("create role chaos_worker login")
        try await connection.query("grant sheetsync_worker to chaos_worker")
        try await connection.query("create role chaos_source login")
        daemon = Program(environment: [
            "DATABASE_URL": server.url(user: "chaos_worker"), "GOOGLE_API_ENDPOINT": try await emulator.baseURL,
            "GOOGLE_SHEETS_CREDENTIALS_PATH": "\(directory)/service-account.json",
            "SHEETSYNC_SOURCE_DATABASE_URL": server.url(user: "chaos_source"),
            "SHEETSYNC_SPOOL_DIR": directory,
            "SHEETSYNC_POLL_INTERVAL": "0.2", "SHEETSYNC_CONCURRENCY": "8",
            "SHEETSYNC_LEASE_SECONDS": "\(plan.lease)", "SHEETSYNC_SHUTDOWN_GRACE": "2",
            "SHEETSYNC_HTTP_ADDRESS": "", "SHEETSYNC_QUOTA_WINDOW": "1", "SHEETSYNC_BATCH_BYTES": "4000",
            "SHEETSYNC_LIST_DELAY": "3",
            "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "100000",
            "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER": "100000",
            "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_PROJECT": "100000", "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER": "100000",
            "SHEETSYNC_SHEETS_READS_PER_MINUTE_PROJECT": "100000",
        ])
    }

    /// Runs a statement as the superuser, again and again while the server is down.
    @discardableResult
    func query(_ query: Query) async throws -> [Row] {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do { return try await connection.query(query) } catch {
                guard ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Makes the spreadsheets that are there before the jobs.
    func makeSpreadsheets() async throws -> ChaosSpreadsheets {
        func make(_ title: String, _ values: [JSON]) async throws -> String {
            let payload: JSON = [
                "title": .string(title), "columns": values[0], "rows": .array(Array(values.dropFirst())),
            ]
            let id = try await enqueue("export", payload, key: title)
            let jobs = QueueClient(Schema.sheetsync, on: connection)
            try await wait(for: title) { try await jobs.find(id)?.state == "completed" }
            return try await jobs.find(id)?.result?["spreadsheet_id"]?.string ?? ""
        }
        var made = ChaosSpreadsheets()
        for sharing in ChaosJob.Sharing.allCases {
            for number in 0..<(plan.targets[sharing] ?? 0) {
                made.shared[sharing, default: []].append(
                    try await make("To \(sharing) \(number)", [ChaosJob.header]))
            }
        }
        made.original = try await make("Original", ChaosSpreadsheets.originalRows)
        return made
    }

    /// Enqueues once, however often the server goes away meanwhile.
    func enqueue(_ kind: String, _ payload: JSON, key: String) async throws -> Int {
        try await query(
            """
            select sheetsync.enqueue(\(kind), \(payload.description)::jsonb, idempotency_key => \(key),
                max_attempts => 100) as id
            """)[0].int("id")
    }
}

/// Counts what struck, from several tasks.
final class Strikes: Sendable {
    private let heard = Heard()

    func add(_ name: String, _ count: Int = 1) { for _ in 0..<count { heard.add(name) } }

    /// The counts by name.
    var all: [String: Int] { heard.all.reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
