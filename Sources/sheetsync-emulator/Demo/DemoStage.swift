import FoundationEssentials
import Google
import HTTP
import HTTPTypes
import JSON
import JobQueue
import Logging
import Output
import Postgres
import SheetModel
import Subprocess
import SystemPackage

/// The parts that a demonstration has started, and what it does with them.
struct DemoStage {
    let schema = Schema()
    private let executable: Executable
    private let connection: Connection
    private let environment: Environment
    private let google: String
    private let credentials: CredentialsSource
    private let log: String

    /// The login as which queries run.
    static let source = "demo_source"

    init(
        _ sheetsync: CompanionProgram, databaseURL: String, sourceURL: String, google: String, directory: String
    ) throws {
        executable = .path(FilePath(sheetsync.path))
        connection = Connection(try ConnectionConfiguration(url: databaseURL), label: "demo")
        let key = "\(directory)/service-account.json"
        // Nothing else of the caller's: a setting or a proxy of theirs is meant for another daemon.
        let caller = ProcessInfo.processInfo.environment
        let needed: [Environment.Key: String?] = [
            "PATH": caller["PATH"], "HOME": caller["HOME"], "TMPDIR": caller["TMPDIR"], "LANG": caller["LANG"],
        ]
        environment = .custom(needed.compactMapValues(\.self)).updating([
            "DATABASE_URL": databaseURL, "GOOGLE_API_ENDPOINT": google, "GOOGLE_SHEETS_CREDENTIALS_PATH": key,
            "GOOGLE_DRIVE_DEFAULT_FOLDER": "SheetSync", "LOG_LEVEL": "info", "SHEETSYNC_SOURCE_DATABASE_URL": sourceURL,
            "SHEETSYNC_HTTP_ADDRESS": "",
        ])
        self.google = google
        credentials = CredentialsSource(value: Secret(key), setting: "GOOGLE_SHEETS_CREDENTIALS_PATH")
        log = "\(directory)/daemon.log"
    }

    var account: String { (try? credentials.load().credentials.identity) ?? "nobody" }

    /// Makes the schema; returns how many steps that took.
    func migrate() async throws -> Int {
        let result = try await Subprocess.run(
            executable, arguments: ["migrate"], environment: environment, output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(
                status: .degraded, message: "the schema cannot be made:",
                lastLines: result.standardError.split(separator: "\n").suffix(20).map(String.init))
        }
        return result.standardOutput.split(separator: "\n").count { $0.hasPrefix("applied step ") }
    }

    /// Runs the daemon as a process of its own beside the body, and ends it by SIGTERM behind it.
    func withDaemon(_ body: () async throws -> Void) async throws {
        let file = try FileDescriptor.open(
            FilePath(log), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
        let result = try await Subprocess.run(
            executable, arguments: ["run"], environment: environment, input: .none,
            output: .discarded, error: .fileDescriptor(file, closeAfterSpawningProcess: true)
        ) { execution in
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
            try execution.send(signal: .terminate)
            return outcome
        }
        guard result.terminationStatus.isSuccess else {
            throw CommandFailure(
                status: .degraded, message: "the daemon ended badly, and said last:", lastLines: lastLines)
        }
        try result.closureResult.get()
    }

    /// Runs a command of sheetsync's and shows what it prints.
    func sheetsync(_ arguments: String...) async throws {
        _ = try await Subprocess.run(
            executable, arguments: Arguments(arguments), environment: environment,
            output: .currentStandardOutput, error: .currentStandardError)
    }

    /// Enqueues a CSV file, a part of Postgres's own catalogue and a report with two sheets.
    func enqueueAll() async throws -> [Int] {
        let jobs = QueueClient(schema, on: connection)
        var orders = try CSVReader.table(from: PackageResources.orders_csv).payload()
        orders["title"] = "Orders from a CSV file"
        orders["folder"] = "Demo"
        let first = try await jobs.enqueue(kind: "export", payload: .object(orders))
        let second = try await connection.query(
            """
            select sheetsync.enqueue('export', jsonb_build_object(
                'title', 'Largest tables of the catalogue', 'folder', 'Demo',
                'columns', '["Table", {"name": "Bytes", "type": "integer"}, {"name": "Has index", "type": "boolean"}]'::jsonb,
                'rows', (select jsonb_agg(jsonb_build_array(relname, size, relhasindex) order by size desc)
                         from (select relname, relhasindex, pg_total_relation_size(oid) as size
                               from pg_class where relkind = 'r' and relnamespace = 'pg_catalog'::regnamespace) t))) as id
            """)[0].int("id")
        let third = try await jobs.enqueue(kind: "export", payload: try JSON(parsing: PackageResources.report_json))
        return [first, second, third]
    }

    /// Makes a table and a sync of it into a new spreadsheet; returns its first run when that has ended.
    func makeSync() async throws -> JobRecord {
        for statement: Query in [
            "create schema shop", "create table shop.orders (id int primary key, customer text, total numeric)",
            "insert into shop.orders values (1, 'Ada', 12.5), (2, 'Grace', 99), (3, 'Edsger', 7.25)",
            "create role demo_source login", "grant usage on schema shop to demo_source",
            "grant select on shop.orders to demo_source", "select sheetsync.watch('shop.orders')",
            """
            select sheetsync.put_sync('orders', 'export', '{"title": "Orders kept in step", "folder": "Demo",
                "sheets": [{"name": "Orders", "mode": "mirror", "key": ["id"],
                            "query": "select id, customer, total from shop.orders order by id"}]}',
                on_change => '{shop.orders}')
            """,
        ] { try await connection.query(statement) }
        return try await run(after: 0)
    }

    /// Writes a column of its own beside the rows, as a person would.
    func writeBeside(_ spreadsheet: String) async throws {
        let rows = ["Remark", "called", "", "wants blue"].map { text -> JSON in
            ["values": [text.isEmpty ? [:] : ["userEnteredValue": ["stringValue": .string(text)]]]]
        }
        let body: JSON = [
            "requests": [
                ["appendDimension": ["sheetId": 0, "dimension": "COLUMNS", "length": 1]],
                [
                    "updateCells": [
                        "start": ["sheetId": 0, "rowIndex": 0, "columnIndex": 3], "fields": "userEnteredValue",
                        "rows": .array(rows),
                    ]
                ],
            ]
        ]
        try await withAPI { _ = try await SheetsClient(api: $0).batchUpdate(spreadsheet, body: body.bytes) }
    }

    /// Changes the table; returns the sync's next run when that has ended.
    func changeTable(after id: Int) async throws -> JobRecord {
        // One transaction, and so one change.
        try await connection.query(
            """
            with gone as (delete from shop.orders where id = 2), more as (insert into shop.orders values (4, 'Barbara', 55))
            update shop.orders set total = 8 where id = 3
            """)
        return try await run(after: id)
    }

    /// The first run of the sync behind a job, when it has ended.
    private func run(after id: Int) async throws -> JobRecord {
        for _ in 0..<600 {
            let rows = try await connection.query(
                "select min(id) as id from sheetsync.jobs where sync = 'orders' and id > \(id)")
            if let run = try rows.first?.optionalInt("id") { return try await waitForEnd(of: run) }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CommandFailure(
            status: .degraded, message: "the sync did not run within a minute; the daemon said last:",
            lastLines: lastLines)
    }

    /// Waits until a job has ended, at most a minute.
    func waitForEnd(of id: Int) async throws -> JobRecord {
        let jobs = QueueClient(schema, on: connection)
        for _ in 0..<1200 {
            if let job = try await jobs.find(id), job.isFinal { return job }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw CommandFailure(
            status: .degraded, message: "job \(id) did not end within a minute; the daemon said last:",
            lastLines: lastLines)
    }

    /// The end of the daemon's log, which is deleted with everything else.
    private var lastLines: [String] {
        let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return said.split(separator: "\n").suffix(20).map(String.init)
    }

    /// The first rows of a sheet as Google shows them, read back through its own interface.
    func firstRows(of spreadsheet: String, sheet: String) async throws -> [String] {
        let range = A1.quoted(sheet) + "!A1:I4"
        let answer = try await withAPI { api in
            try await api.call(
                APIRequest(.sheets, .get, "/v4/spreadsheets/\(spreadsheet)/values/\(range)", fields: "values"))
        }
        return (answer["values"]?.array ?? []).map { row in
            (row.array ?? []).map { $0.string ?? $0.description }.joined(separator: " | ")
        }
    }

    /// Calls the emulated Google as the daemon does.
    private func withAPI<Result>(_ body: (APIClient) async throws -> Result) async throws -> Result {
        let http = try HTTPClient(userAgent: "sheetsync/\(Release.version) (gzip)")
        let tokens = TokenSource(http: http, logger: Logger(label: "demo")) {
            [credentials] () throws(CredentialsError) in
            try credentials.load().credentials
        }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(APIClient(http: http, tokens: tokens, endpoint: google))) } catch {
            result = .failure(error)
        }
        await http.shutdown()
        return try result.get()
    }
}
