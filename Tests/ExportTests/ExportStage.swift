import Export
import Foundation
import Google
import GoogleEmulator
import HTTP
import HTTPTypes
import JSON
import JobQueue
import Logging
import Postgres
import TestSupport
import Testing

/// A queue, an emulated Google and the handlers between them.
struct ExportStage {
    let queue: TestQueue
    let emulator: GoogleEmulator
    let api: APIClient
    /// A client of the same Google, which calls through a gate.
    let client: @Sendable (any CallGate) -> APIClient
    private let configuration: Workspace.Configuration
    private let batchBytes: Int
    private let templates: String?
    private let recheck: Duration
    private let patience: LookupPolicy
    private let source: SourceDatabase?
    private let csvFallback: CSVFallback?
    private let identities: Identities

    /// Sets everything up, runs the body and ends everything.
    static func with(
        _ configuration: GoogleEmulator.Configuration = .init(),
        change: (inout Workspace.Configuration) -> Void = { _ in }, batchBytes: Int = 8_000_000,
        templates: String? = nil, recheck: Duration = .seconds(600), patience: Duration = .milliseconds(400),
        source: ((TestQueue) async throws -> SourceDatabase?) = { _ in nil }, csvDirectory: String? = nil,
        csvLimit: Int = 1 << 30,
        _ body: (ExportStage) async throws -> Void
    ) async throws {
        let queue = try await TestQueue.make(Migration.sheetsync)
        let directory = FileManager.default.temporaryDirectory.appending(path: "sheetsync-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        var configuration = configuration
        configuration.directory = directory.path
        configuration.checksAnswers = true
        try SharedKey.lend(to: directory.path)
        let emulator = try GoogleEmulator(configuration)
        let running = Task { try await emulator.run() }
        let http = try HTTPClient(userAgent: "sheetsync-test (gzip)")
        let outcome: Result<Void, any Error>
        do {
            let stage = try await ExportStage(
                queue, emulator, directory.path, http, change, batchBytes, templates, recheck,
                LookupPolicy(time: patience),
                try await source(queue), csvDirectory.map { CSVFallback(directory: $0, limit: csvLimit) })
            outcome = .success(try await body(stage))
        } catch {
            outcome = .failure(error)
        }
        await http.shutdown()
        running.cancel()
        _ = try? await running.value
        try outcome.get()
    }

    private init(
        _ queue: TestQueue, _ emulator: GoogleEmulator, _ directory: String, _ http: HTTPClient,
        _ change: (inout Workspace.Configuration) -> Void, _ batchBytes: Int, _ templates: String?, _ recheck: Duration,
        _ patience: LookupPolicy, _ source: SourceDatabase?, _ csvFallback: CSVFallback?
    ) async throws {
        self.queue = queue
        self.emulator = emulator
        let key = CredentialsSource(value: Secret("\(directory)/service-account.json"), setting: "the test")
        let tokens = TokenSource(http: http, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            () throws(CredentialsError) in try key.load().credentials
        }
        let endpoint = try await emulator.baseURL
        try SharedKey.keep(from: directory)
        client = { APIClient(http: http, tokens: tokens, endpoint: endpoint, gate: $0) }
        api = client(OpenGate())
        var configuration = Workspace.Configuration(
            account: "test", installation: try await queue.schema.installation(on: queue.connection))
        change(&configuration)
        self.configuration = configuration
        self.batchBytes = batchBytes
        self.templates = templates
        self.recheck = recheck
        self.patience = patience
        self.source = source
        self.csvFallback = csvFallback
        identities = Identities([Self.identity(queue, configuration, api, recheck)])
    }

    private init(
        siblingOf stage: ExportStage, api: APIClient, governors: [Governor] = [], sharedDriveID: String? = nil
    ) {
        queue = stage.queue
        emulator = stage.emulator
        client = stage.client
        self.api = api
        var configuration = stage.configuration
        if let sharedDriveID { configuration.sharedDriveID = sharedDriveID }
        self.configuration = configuration
        batchBytes = stage.batchBytes
        templates = stage.templates
        recheck = stage.recheck
        patience = stage.patience
        source = stage.source
        csvFallback = stage.csvFallback
        identities = Identities(
            governors.isEmpty
                ? [Self.identity(queue, configuration, api, recheck)]
                : governors.map { Self.identity(stage.queue, configuration, stage.client($0), stage.recheck, $0) })
    }

    /// A second daemon, whose settings name a shared drive.
    func sibling(inSharedDrive id: String) -> ExportStage { ExportStage(siblingOf: self, api: api, sharedDriveID: id) }

    private static func identity(
        _ queue: TestQueue, _ configuration: Workspace.Configuration, _ api: APIClient, _ recheck: Duration,
        _ governor: Governor? = nil
    ) -> Identity {
        let unlimited = QuotaSettings()
        return Identity(
            account: "test", workspace: Workspace(configuration, api: api),
            folders: FolderDirectory(
                memory: FolderMemory(on: queue.connection, schema: "sheetsync", account: "test"),
                root: configuration.sharedDriveID, recheckInterval: recheck),
            governor: governor
                ?? Governor(
                    ledger: QuotaLedger(
                        on: queue.connection, schema: "sheetsync", account: "test", settings: unlimited),
                    settings: unlimited, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            spreadsheets: SpreadsheetIdentities(on: queue.connection, schema: "sheetsync"))
    }

    private var handlers: [String: any JobHandler] {
        let directory = TemplateDirectory(path: templates)
        return [
            "export": ExportHandler(
                identities: identities, templates: directory,
                mirrors: MirrorMemory(on: queue.connection, schema: "sheetsync"), batchBytes: batchBytes,
                patience: patience, source: source, csvFallback: csvFallback),
            "format": FormatHandler(identities: identities, templates: directory),
            "folder": FolderHandler(identities: identities), "noop": NoopHandler(),
        ]
    }

    /// The handlers of a second daemon on the same queue and Google: it remembers no folder by itself.
    func sibling() -> ExportStage { ExportStage(siblingOf: self, api: api) }

    /// A second daemon, whose calls go through a gate.
    func sibling(through gate: Governor) -> ExportStage {
        ExportStage(siblingOf: self, api: client(gate), governors: [gate])
    }

    /// A second daemon, whose calls a test lets through one by one.
    func sibling(gatedBy gate: any CallGate) -> ExportStage { ExportStage(siblingOf: self, api: client(gate)) }

    /// A second daemon, of whose calls somebody is told.
    func sibling(observedBy observer: @escaping @Sendable (APICall) -> Void) -> ExportStage {
        ExportStage(siblingOf: self, api: api.observed(by: observer))
    }

    /// Makes a folder in the root, as a person would, and returns its id.
    func makeFolder(_ name: String) async throws -> String {
        let drive = DriveClient(api: api)
        return try await drive.createFolder(id: try await drive.generateIDs(1)[0], name: name, parent: nil).id
    }

    /// Deletes a file for good, with what lies in it.
    func delete(_ id: String) async throws {
        _ = try await api.call(APIRequest(.drive, .delete, APIRequest.drivePath(id), fields: ""))
    }

    /// Changes a file, as a person would by hand.
    func change(_ id: String, _ change: JSON, query: [(name: String, value: String)] = []) async throws {
        _ = try await api.call(
            APIRequest(.drive, .patch, APIRequest.drivePath(id), query: query, fields: "id", body: change.bytes))
    }

    /// How many writes to Sheets were taken and refused in each of Google's windows.
    func writes(inWindowsOf length: Int) -> [(number: Int, used: Int, refused: Int)] {
        let writes = emulator.journal.entries.filter { $0.api == .sheets && $0.verb == "POST" }
        return Dictionary(grouping: writes) { $0.time / 1000 / length }.sorted { $0.key < $1.key }.map {
            number, calls in
            let refused = calls.filter { $0.status == 429 }.count
            return (number, calls.count - refused, refused)
        }
    }

    /// Lets new files show up in lists only after so many of them.
    func hideNewFiles(fromLists count: Int) async throws {
        let body: JSON = ["search": "parent", "lists": JSON(count)]
        _ = try await api.call(APIRequest(.drive, .post, "/emulator/visibility", fields: "", body: body.bytes))
    }

    /// Lets a waiting job look as if a worker had had it before.
    func redeliver(_ id: Int) async throws {
        _ = try await queue.psql("update sheetsync.ready set redelivered = true, attempted_at = now() where id = \(id)")
    }

    /// What a job is called outside of the queue, such as `42-9f86d081`: its number and a part of its random text.
    func tag(of id: Int) async throws -> String {
        try await queue.psql("select id || '-' || left(uid::text, 8) from sheetsync.job where id = \(id)")
    }

    /// The property by which a job's spreadsheet is found.
    func mark(of id: Int) async throws -> [String: String] {
        ["sheetsync_job": "\(configuration.installation)/\(try await tag(of: id))"]
    }

    /// Leaves a job as a worker does that is killed when its spreadsheet is made and nobody has saved that.
    ///
    /// - Returns: The numbers of the job and of its spreadsheet.
    func loseSpreadsheet(
        _ payload: JSON, in folder: String? = nil, notMade: Bool = false
    ) async throws -> (job: Int, spreadsheet: String?) {
        let id = try await queue.jobs.enqueue(kind: "export", payload: payload)
        try await redeliver(id)
        if notMade { return (id, Optional.none) }
        let made = try await DriveClient(api: api).createSpreadsheet(
            name: "Lost", parent: folder, appProperties: try await mark(of: id))
        return (id, made.id)
    }

    /// Waits until nobody need look for the spreadsheet of a job that has ended, and returns the job.
    func reconciled(_ id: Int) async throws -> JobRecord {
        try await wait(
            for: "job \(id) to be reconciled", seeing: { try await queue.jobs.find(id)?.json.description ?? "" }
        ) {
            try await queue.inspector.count(.outcome, where: "id = \(id) and reconcile_at is null") == 1
        }
        return try #require(try await queue.jobs.find(id))
    }

    /// Makes a spreadsheet as a person would, changes it by requests, and returns its id.
    func makeSpreadsheet(_ name: String, _ requests: [JSON] = []) async throws -> String {
        let id = try await DriveClient(api: api).createSpreadsheet(name: name, parent: nil).id
        let body: JSON = ["requests": .array(requests)]
        if !requests.isEmpty { _ = try await SheetsClient(api: api).batchUpdate(id, body: body.bytes) }
        return id
    }

    /// Enqueues a job and returns it once it has ended.
    func run(_ kind: String, _ payload: JSON) async throws -> JobRecord {
        try await ended(try await queue.jobs.enqueue(kind: kind, payload: payload))
    }

    /// Runs a worker beside the body.
    ///
    /// - Parameter whenStopped: Is told of each job that the worker stops in its middle.
    func work(
        limited: Bool = false, change: (inout WorkerConfiguration) -> Void = { _ in },
        whenStopped: @escaping @Sendable (Int) -> Void = { _ in }, _ body: (TestQueue) async throws -> Void
    ) async throws {
        let handlers = handlers.mapValues { handler in
            ClosureHandler { job, progress in
                try await withTaskCancellationHandler {
                    try await handler.run(job, reporting: progress)
                } onCancel: {
                    whenStopped(job.id)
                }
            } reconcile: { job, age in
                try await handler.reconcile(job, endedAgo: age)
            }
        }
        try await queue.withWorker(handlers, admission: limited ? identities : nil, change: change, body)
    }

    /// Enqueues an export and returns the job once it has ended.
    func export(_ payload: JSON) async throws -> JobRecord {
        let id = try await queue.jobs.enqueue(kind: "export", payload: payload)
        return try await ended(id)
    }

    func ended(_ id: Int) async throws -> JobRecord {
        try await wait(for: "job \(id) to end", seeing: { try await queue.jobs.find(id)?.json.description ?? "" }) {
            try await queue.jobs.find(id)?.isFinal == true
        }
        return try #require(try await queue.jobs.find(id))
    }

    /// What the emulator holds of the spreadsheet that a job made.
    func spreadsheet(_ job: JobRecord) -> JSON? {
        emulator.state(spreadsheetID: job.result?["spreadsheet_id"]?.string)["spreadsheets"]?[0]
    }

    /// The files that are live in the emulated Drive, of one type; the drive's own root is none of them.
    func files(_ type: String) -> [JSON] {
        (emulator.state(showsValues: false)["files"]?.array ?? []).filter {
            $0["mime_type"]?.string == "application/vnd.google-apps.\(type)" && $0["trashed"] == false
                && $0["parent"]?.isNull == false
        }
    }

    /// The live folder of a name.
    func file(named name: String) -> JSON? { files("folder").first { $0["name"]?.string == name } }
}
