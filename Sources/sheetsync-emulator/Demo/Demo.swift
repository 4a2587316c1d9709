import FoundationEssentials
import Glibc
import GoogleEmulator
import JSON
import JobQueue
import Logging
import Output
import PostgresServer

/// The main job from end to end, on real parts; Google alone is played.
struct Demo {
    func run() async throws {
        _ = LogSettings(level: .error, format: .text).start()
        let sheetsync = try CompanionProgram("sheetsync")
        // The emulated Google is on this machine, and the caller's proxy need not be.
        unsafe setenv("no_proxy", "127.0.0.1", 1)
        try await PostgresServer.run { postgres in
            heading("A throw-away PostgreSQL server listens on a socket in \(postgres.directory)")
            try await withTemporaryDirectory { directory in
                try await withEmulator(directory) { google in
                    heading("An emulated Google answers at \(google)")
                    try await run(
                        DemoStage(
                            sheetsync, databaseURL: postgres.url(), sourceURL: postgres.url(user: DemoStage.source),
                            google: google, directory: directory))
                }
            }
        }
        Console.print(lines: ["", "Everything is ended and deleted."])
    }

    private func run(_ stage: DemoStage) async throws {
        let steps = try await stage.migrate()
        heading("sheetsync migrate: \(steps) steps, schema \(stage.schema.name)")
        try await stage.withDaemon {
            heading("sheetsync run: claims jobs as \(stage.account)")
            heading("Three jobs are enqueued by SQL")
            let jobs = try await stage.enqueueAll()
            for id in jobs { try await show(try await stage.waitForEnd(of: id), stage) }
            try await showSync(stage)
            heading("sheetsync status")
            try await stage.sheetsync("status")
            if isatty(STDIN_FILENO) == 1, Console.isTerminal {
                Console.print(lines: ["", "The pages are there until you press Return."])
                try await Self.waitForReturn()
            }
        }
    }

    /// A table changes and its sheet follows, while a column that a person added stays.
    private func showSync(_ stage: DemoStage) async throws {
        heading("A sync keeps a sheet the same as a table: put_sync with the mode mirror, and on_change")
        let first = try await stage.makeSync()
        try await show(first, stage)
        let id = first.result?["spreadsheet_id"]?.string ?? ""
        try await stage.writeBeside(id)
        heading("A person writes a column beside it, and the table changes: one row is updated, one deleted, one added")
        try await show(try await stage.changeTable(after: first.id), stage)
        try await stage.sheetsync("sync", "list")
    }

    private func show(_ job: JobRecord, _ stage: DemoStage) async throws {
        guard job.state == "completed", let result = job.result else {
            let why = job.lastError.map { "\($0.code): \($0.message)" } ?? "no reason was kept"
            throw CommandFailure(status: .degraded, message: "job \(job.id) is \(job.state): \(why)")
        }
        let calls = result["api_calls"]?.int ?? 0
        Console.print(
            lines: ["", "\(Style.bold("job \(job.id)")): \(result["cells"]?.int ?? 0) cells, \(calls) calls to Google"])
        Console.print("   \(result["spreadsheet_url"]?.string ?? "")")
        for sheet in result["sheets"]?.array ?? [] {
            let name = sheet["name"]?.string ?? ""
            Console.print("   sheet \(name): \(sheet["rows"]?.int ?? 0) rows, \(sheet["columns"]?.int ?? 0) columns")
            if let changes = sheet["changes"] {
                let kinds = ["inserted", "updated", "deleted", "unchanged", "kept"]
                let words = kinds.filter { changes[$0] != 0 }.map { "\(changes[$0]?.int ?? 0) \($0)" }
                Console.print("   \(words.joined(separator: ", "))")
            }
            for line in try await stage.firstRows(of: result["spreadsheet_id"]?.string ?? "", sheet: name) {
                Console.print("      \(line)")
            }
        }
    }

    private func heading(_ text: String) { Console.print(lines: ["", "\(Style.green("●")) \(text)"]) }

    private func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sheetsync-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: directory) }
        try await body(directory.path)
    }

    private func withEmulator(_ directory: String, _ body: (String) async throws -> Void) async throws {
        let emulator = try GoogleEmulator(.init(directory: directory))
        let running = Task { try await emulator.run() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(try await emulator.baseURL)) } catch { outcome = .failure(error) }
        running.cancel()
        _ = try? await running.value
        try outcome.get()
    }

    /// Waits beside this task, so that an interruption is not held up by it.
    private static func waitForReturn() async throws {
        let (lines, continuation) = AsyncStream<Void>.makeStream()
        Task.detached {
            _ = readLine()
            continuation.finish()
        }
        for await _ in lines {}
        try Task.checkCancellation()
    }
}
