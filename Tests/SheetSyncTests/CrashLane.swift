import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import Synchronization
import TestSupport
import Testing

/// A database and an emulated Google in which one daemon after another is struck, each at a job of its own.
struct CrashLane {
    /// What the jobs do.
    enum Work: CaseIterable {
        /// A new spreadsheet in a folder that is not there yet, shared with somebody.
        case make
        /// All rows of a spreadsheet that is there.
        case replace
        /// Rows below those of one sheet of a spreadsheet that is there, and among those of another.
        case keep
    }

    /// What came of one job.
    struct Outcome {
        var isStruck = false
        /// The boundaries that the daemon came by.
        var passed: [Trap.Point] = []
        /// Jobs, folders, spreadsheets and sheets that are not as they should be.
        var lost = 0
        /// Folders, spreadsheets and mails about a share too many.
        var duplicated = 0
    }

    private let stage: Stage
    /// The spreadsheet whose rows are replaced; nil where each job makes its own.
    private var target: JSON?
    /// The spreadsheet that all jobs append to and upsert into; nil where they do not.
    private var shared: SharedTable?

    /// Sets everything up, runs the body and ends everything.
    static func with(_ work: Work, _ body: (CrashLane) async throws -> Void) async throws {
        try await Stage.with { stage in
            var lane = CrashLane(stage: stage)
            switch work {
            case .make: break
            case .replace:
                #expect(try await lane.run(nil, .kill).lost == 0)
                lane.target = try await stage.queue.jobs.list().first?.result?["spreadsheet_id"]
            case .keep:
                let id = try await stage.queue.jobs.enqueue(kind: "export", payload: SharedTable.first)
                try await stage.daemon.withDaemon { _ in _ = try await stage.ended(id) }
                let made = try await stage.job(id)
                lane.shared = SharedTable(id: try #require(made.result?["spreadsheet_id"]?.string, "\(made.json)"))
            }
            try await body(lane)
        }
    }

    /// Runs one job with a daemon that is struck at a boundary, and checks what is left when it has ended.
    func run(_ point: Trap.Point?, _ blow: Trap.Blow) async throws -> Outcome {
        let name = "Crash \(UUID().uuidString)"
        let id = try await stage.queue.jobs.enqueue(kind: "export", payload: shared?.payload(name) ?? payload(name))
        let trap = Trap(at: point, blow)
        let said = try await strike(trap, job: id, blow)
        if try await !hasEnded(id) {
            // The dead daemon's last sign of life was long ago.
            try await stage.queue.inspector.silence()
            // It takes jobs of dead ones over when it has worked for a fifth of a lease.
            let next = daemon(stage.url(.worker), try await stage.emulator.baseURL, pollInterval: "1").with([
                "SHEETSYNC_LEASE_SECONDS": "5"
            ])
            try await next.withDaemon { _ in
                try await wait(for: "job \(id) to end") { try await hasEnded(id) }
            }
        }
        var outcome = Outcome(isStruck: trap.hasStruck, passed: trap.passed)
        compare(name, try await stage.job(id), try await stage.tag(of: id), &outcome)
        if outcome.lost + outcome.duplicated > 0 {
            Issue.record(
                """
                \(blow) \(point?.description ?? "nowhere"): \(try await stage.job(id).json.description.prefix(2000))
                \(stage.emulator.state(spreadsheetID: "none")["files"]?.description.suffix(3000) ?? "")
                \(said)
                """)
        }
        return outcome
    }

    /// Runs a daemon behind relays until it is dead or its job has ended; returns what it said.
    private func strike(_ trap: Trap, job id: Int, _ blow: Trap.Blow) async throws -> String {
        let said = Mutex("")
        try await Relay.with(.postgres, to: stage.queue.server.port, hook: trap.note) { database in
            try await Relay.with(.http, to: try await stage.emulator.port, hook: trap.note) { google in
                // A killed one looks for jobs once; one that goes on looks again soon.
                let daemon = daemon(
                    stage.url(.worker, port: database.port), "http://127.0.0.1:\(google.port)",
                    pollInterval: blow == .kill ? "60" : "0.5")
                let ended = try await daemon.launch(["run"]) { running in
                    trap.set(for: running)
                    try await wait(
                        for: "the job's end or the daemon's", every: .milliseconds(50), seeing: { running.errors }
                    ) {
                        if !running.isAlive { return true }
                        return try await hasEnded(id)
                    }
                    running.send(SIGTERM)
                }
                said.withLock { $0 = ended.description }
            }
        }
        return said.withLock { $0 }
    }

    /// Without the payload, which may be long.
    private func hasEnded(_ id: Int) async throws -> Bool {
        try await stage.queue.connection.query(
            "select from sheetsync.jobs where id = \(id) and finalized_at is not null"
        ).count == 1
    }

    private func daemon(_ database: String, _ google: String, pollInterval: String) -> Program {
        stage.daemon.with([
            "DATABASE_URL": database, "GOOGLE_API_ENDPOINT": google, "SHEETSYNC_POLL_INTERVAL": pollInterval,
            "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER": "100000", "SHEETSYNC_SHEETS_READS_PER_MINUTE_PROJECT": "100000",
            "SHEETSYNC_BATCH_BYTES": "3000", "SHEETSYNC_LIST_DELAY": "0.2", "LOG_LEVEL": "debug",
        ])
    }

    /// Two sheets, new ones in a folder that is not there yet, or in place of those that are.
    private func payload(_ name: String) -> JSON {
        var payload = JSONObject()
        if let target {
            payload["spreadsheet_id"] = target
        } else {
            payload["title"] = .string(name)
            payload["folder"] = .string(name)
            payload["share"] = [["type": "user", "email": "ada@example.com", "role": "reader"]]
        }
        payload["sheets"] = .array(
            sheets(name).map { sheet in
                ["name": .string(sheet.name), "columns": ["n", "text"], "rows": .array(sheet.rows)]
            })
        return .object(payload)
    }

    /// So long that they do not fit into one batch.
    private func sheets(_ name: String) -> [(name: String, rows: [JSON])] {
        ["One", "Two"].map { sheet in
            (
                sheet,
                (1...6).map {
                    [JSON($0), .string("\($0) of \(sheet) of \(name) " + String(repeating: "x", count: 300))]
                }
            )
        }
    }

    private func compare(_ name: String, _ job: JobRecord, _ tag: String, _ outcome: inout Outcome) {
        if let shared { return shared.compare(name, job, stage.emulator, &outcome) }
        if job.state != "completed" { outcome.lost += 1 }
        if target == nil { compareFiles(name, job, tag, &outcome) }
        let id = job.result?["spreadsheet_id"]?.string
        let made = stage.emulator.state(spreadsheetID: id)["spreadsheets"]?[0]?["sheets"]?.array ?? []
        let expected = sheets(name)
        if made.prefix(2).map({ $0["title"]?.string }) != expected.map(\.name) { outcome.lost += 1 }
        // Hidden sheets of its own too.
        outcome.duplicated += max(0, made.count - 2)
        for (index, (sheet, expected)) in zip(made, expected).enumerated() {
            let isRight =
                sheet["hidden"] == false && sheet["id"]?.int == index
                && sheet["values"] == .array([["n", "text"]] + expected.rows)
            if !isRight { outcome.lost += 1 }
        }
    }

    /// One folder, one spreadsheet in it with the job's mark, shared once.
    private func compareFiles(_ name: String, _ job: JobRecord, _ tag: String, _ outcome: inout Outcome) {
        func expect(_ condition: Bool) { if !condition { outcome.lost += 1 } }
        let files = (stage.emulator.state(spreadsheetID: "none")["files"]?.array ?? []).filter {
            $0["name"]?.string == name && $0["trashed"] == false
        }
        let folders = files.filter { $0["mime_type"] == "application/vnd.google-apps.folder" }
        let spreadsheets = files.filter { $0["mime_type"] == "application/vnd.google-apps.spreadsheet" }
        outcome.duplicated += max(0, folders.count - 1) + max(0, spreadsheets.count - 1)
        expect(folders.count > 0)
        guard let file = spreadsheets.first(where: { $0["id"] == job.result?["spreadsheet_id"] }) else {
            return expect(false)
        }
        expect(file["parent"] == folders.first?["id"])
        let shares = stage.emulator.journal.entries.count { entry in
            entry.method == "drive.permissions.create" && entry.status == 200
                && entry.path.contains(file["id"]?.string ?? "")
        }
        expect(shares > 0)
        outcome.duplicated += max(0, shares - 1)
        expect(file["app_properties"]?.description.contains("/\(tag)\"") == true)
    }
}
