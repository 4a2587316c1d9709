import Export
import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// A database with a login for each role, an emulated Google, and the program between them.
struct Stage {
    /// Who a program is to the database.
    enum Login: String, CaseIterable {
        case producer, query, worker, `operator`
    }

    /// A password that stands in every URL; the server trusts loopback and does not ask for it.
    static let password = "pass-word-canary"

    let queue: TestQueue
    let emulator: GoogleEmulator
    let directory: TemporaryDirectory
    private let endpoint: String

    /// Sets everything up, runs the body and ends everything.
    static func with(
        serviceAccounts: Int = 1, serviceAccountsOwnFiles: Bool = true, delegatedUsers: Set<String> = [],
        quotas: QuotaLimits = .init(), usesTLS: Bool = false,
        _ body: (Stage) async throws -> Void
    ) async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        let roles = Login.allCases.map {
            "create role \($0)_of_\(queue.database) login; grant sheetsync_\($0) to \($0)_of_\(queue.database);"
        }
        _ = try await queue.psql(roles.joined())
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        try SharedKey.lend(to: directory.path)
        let emulator = try GoogleEmulator(
            .init(
                directory: directory.path, serviceAccounts: serviceAccounts, delegatedUsers: delegatedUsers,
                serviceAccountsOwnFiles: serviceAccountsOwnFiles, checksAnswers: true, quotas: quotas, usesTLS: usesTLS)
        )
        let running = Task { try await emulator.run() }
        let outcome: Result<Void, any Error>
        do {
            let stage = Stage(
                queue: queue, emulator: emulator, directory: directory, endpoint: try await emulator.baseURL)
            try SharedKey.keep(from: directory.path)
            outcome = .success(try await body(stage))
        } catch {
            outcome = .failure(error)
        }
        running.cancel()
        _ = try? await running.value
        try outcome.get()
    }

    /// The name of a login of this stage's database.
    func name(_ login: Login) -> String { "\(login)_of_\(queue.database)" }

    /// The database's URL for a login, over TCP and with a password; another port may lead there too.
    func url(_ login: Login, scheme: String = "postgresql", port: Int? = nil, query: String = "") -> String {
        "\(scheme)://\(name(login)):\(Self.password)@127.0.0.1:\(port ?? queue.server.port)/\(queue.database)\(query)"
    }

    /// The path of the emulator's service-account key.
    var key: String { "\(directory.path)/service-account.json" }

    /// The folder of the keys, where the emulator has several service accounts.
    var keys: String { "\(directory.path)/service-accounts" }

    /// The program with nothing but a login's database.
    func program(_ login: Login) -> Program { Program(environment: ["DATABASE_URL": url(login)]) }

    /// The program as a daemon is set up.
    var daemon: Program {
        program(.worker).with([
            "GOOGLE_API_ENDPOINT": endpoint, "GOOGLE_SHEETS_CREDENTIALS_PATH": key, "SHEETSYNC_POLL_INTERVAL": "0.2",
            "SHEETSYNC_CONCURRENCY": "4", "SHEETSYNC_HTTP_ADDRESS": "",
            "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "100000",
            "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER": "100000",
            "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_PROJECT": "100000",
        ])
    }

    /// Enqueues a job as the API server does, by psql as the producer; one that sleeps as an administrator, who may.
    func enqueue(_ kind: String, _ payload: JSON, _ more: String = "") async throws -> Int {
        let sleeps = payload["sleep_ms"]?.int ?? 0 > 0
        return try await enqueue(
            kind, text: payload.description, more, as: sleeps ? "postgres" : name(.producer))
    }

    /// Enqueues a payload that is text already.
    func enqueue(_ kind: String, text: String, _ more: String = "", as login: String? = nil) async throws -> Int {
        let literal = text.replacing("'", with: "''")
        let id = try await queue.psql(
            "select sheetsync.enqueue('\(kind)', '\(literal)'\(more))", as: login ?? name(.producer))
        return try #require(Int(id), "psql printed \(id)")
    }

    /// Waits for a job's end and returns it.
    func ended(_ id: Int, within limit: Duration = .seconds(240)) async throws -> JobRecord {
        try await wait(for: "job \(id) to end", within: limit, seeing: { try await job(id).json.description }) {
            try await job(id).isFinal
        }
        return try await job(id)
    }

    /// A job as it is now.
    func job(_ id: Int) async throws -> JobRecord { try #require(try await queue.jobs.find(id)) }

    /// What a job is called outside of the queue, such as `42-9f86d081`: its number and a part of its random text.
    func tag(of id: Int) async throws -> String {
        try await queue.psql("select id || '-' || left(uid::text, 8) from sheetsync.job where id = \(id)")
    }

    /// The names of the spreadsheets in the emulated Drive.
    var spreadsheets: [String] {
        (emulator.state(showsValues: false)["files"]?.array ?? []).filter {
            $0["mime_type"] == "application/vnd.google-apps.spreadsheet"
        }.compactMap { $0["name"]?.string }
    }

    /// What stands in the first sheet of a job's spreadsheet.
    func values(_ job: JobRecord) -> JSON? {
        emulator.state(spreadsheetID: job.result?["spreadsheet_id"]?.string)["spreadsheets"]?[0]?["sheets"]?[0]?[
            "values"]
    }
}

extension Schema {
    /// The schema as the program makes it.
    static let sheetsync = Schema(steps: Migration.sheetsync)
}

/// An export of a few cells.
func export(_ title: String, _ cell: JSON = "x") -> JSON {
    ["title": .string(title), "columns": ["a", "b"], "rows": [[1, cell]]]
}

extension JobRecord {
    /// The codes of the failed attempts, the first one first.
    var errorCodes: [String] { (json["errors"]?.array ?? []).compactMap { $0["code"]?.string } }
    /// The sentences of the failed attempts.
    var errorMessages: [String] { (json["errors"]?.array ?? []).compactMap { $0["message"]?.string } }
    /// How many attempts there were.
    var attempt: Int? { json["attempt"]?.int }
}

extension Stage {
    /// The seconds of a quota's window that holds all of a test: it began some time ago, and is not half over.
    static var roomyWindow: Int {
        let now = Int(Date.now.timeIntervalSince1970)
        return (1200...3600).first { (0.05...0.5).contains(Double(now % $0) / Double($0)) } ?? 3600
    }
}
