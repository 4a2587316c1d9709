import Google
import HTTPTypes
import JSON
import JobQueue
import SheetModel
import Synchronization

/// Rehearses an export: it reads what the real one reads, refuses what that one refuses, and counts its calls, but sends none
/// that changes anything.
struct DryRun {
    let export: PreparedExport
    let workspace: Workspace
    let folders: FolderDirectory
    let batchBytes: Int
    let progress: ProgressReporter

    private var payload: ExportPayload { export.payload }

    func result() async throws -> JSON {
        switch payload.destination {
        case .existing: try await rehearsed(in: nil)
        case .new(_, let folder, copyOf: let original?): try await rehearsed(in: original, in: folder)
        case .new(_, let folder, copyOf: nil): try await planned(in: folder)
        }
    }

    /// Rehearses what is done in a spreadsheet that is there.
    ///
    /// - Parameter original: The one that is copied, which is as its copy will be; nil for the one that is written to.
    private func rehearsed(
        in original: String?, in folder: ExportDestination.Folder? = nil
    ) async throws -> JSON {
        let calls = Tally()
        calls.add("drive.files.get", 1)
        if let original {
            let missing = try await missingFolders(folder)
            for (name, count) in creations(missing, isCopy: true) { calls.add(name, count) }
            // The time zone of the original.
            if export.look?.zone != nil { calls.add("sheets.spreadsheets.get", 1) }
            calls.add("drive.permissions.create", payload.shares.count)
            return try await rehearsed(calls) { try await $0.rehearsed(asCopyOf: original) }
        }
        calls.add("sheets.spreadsheets.get", 1)
        return try await rehearsed(calls) { try await $0.result() }
    }

    private func rehearsed(_ calls: Tally, _ body: (ExportRun) async throws -> JSON) async throws -> JSON {
        let progress = ProgressReporter(holds: { [progress] in progress.isHeld }) { _ in }
        let run = ExportRun(
            export, in: workspace.rehearsing { calls.add($0.methodName, 1) }, folders: folders, batchBytes: batchBytes,
            patience: LookupPolicy(), progress: progress,
            checkpoints: CheckpointStore(of: export.job, as: nil, progress), rehearsed: { calls.add($0, 1) })
        let result = try await body(run)
        let there = Set((export.look?.target?.sheets ?? []).map { JSON($0.id) })
        // Ids of sheets that are yet to be made are nobody's.
        let sheets = (result["sheets"]?.array ?? []).map { sheet -> JSON in
            var members = sheet.object ?? JSONObject()
            if let id = members["sheet_id"], !there.contains(id) { members["sheet_id"] = nil }
            return .object(members)
        }
        return ExportResult.json(
            dryRun: sheets, cells: result["cells"] ?? 0, warnings: result["warnings"]?.array ?? [],
            planned: calls.sorted, calls: result["api_calls"] ?? 0)
    }

    /// Plans a new spreadsheet, of which nothing is there yet.
    private func planned(in folder: ExportDestination.Folder?) async throws -> JSON {
        let calls = Tally()
        for (name, count) in creations(try await missingFolders(folder), isCopy: false) { calls.add(name, count) }
        let plan = try SpreadsheetPlan(
            forJob: export.spreadsheet, target: .empty, template: export.template, batchBytes: batchBytes)
        let writes = try self.writes(of: plan)
        calls.add("sheets.spreadsheets.batchUpdate", writes.count { $0 == .batchUpdate })
        calls.add("sheets.spreadsheets.values.batchUpdateByDataFilter", writes.count { $0 == .values })
        calls.add("drive.permissions.create", payload.shares.count)
        return ExportResult.json(
            dryRun: plan.sheets, warnings: export.spreadsheet.warnings.map(\.description), planned: calls.sorted)
    }

    private func creations(_ missing: Int, isCopy: Bool) -> [(name: String, count: Int)] {
        [
            ("drive.files.list", missing), ("drive.files.generateIds", missing),
            ("drive.files.create", missing + (isCopy ? 0 : 1)), ("drive.files.copy", isCopy ? 1 : 0),
        ]
    }

    /// Counts calls by the names of Google's methods.
    private final class Tally: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        func add(_ name: String, _ count: Int) { counts.withLock { $0[name, default: 0] += count } }

        var sorted: [(name: String, count: Int)] {
            counts.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
        }
    }

    private func writes(of plan: SpreadsheetPlan) throws -> [PlanBatch.Method] {
        var batches = plan.batches()
        var methods: [PlanBatch.Method] = []
        while let batch = try batches.next() { methods.append(batch.method) }
        return methods
    }

    private func missingFolders(_ folder: ExportDestination.Folder?) async throws -> Int {
        switch folder {
        case .id?: 0
        case .path(let path)?: try await folders.missing(of: workspace.path(path.names))
        case nil: try await folders.missing(of: workspace.path([]))
        }
    }
}

extension APIRequest {
    /// What Google calls the method, such as `sheets.spreadsheets.get`.
    fileprivate var methodName: String {
        let isPermission = path.hasSuffix("/permissions")
        switch (service, method) {
        case (.drive, .get): return isPermission ? "drive.permissions.list" : "drive.files.get"
        case (.drive, .post): return isPermission ? "drive.permissions.create" : "drive.files.create"
        case (.drive, _): return "drive.files.\(method == .delete ? "delete" : "update")"
        case (.sheets, .get) where path.hasSuffix("/values:batchGet"): return "sheets.spreadsheets.values.batchGet"
        case (.sheets, .get): return "sheets.spreadsheets.get"
        case (.sheets, _):
            let verb = path.split(separator: ":").last.map { String($0) } ?? ""
            return path.contains("/values:") ? "sheets.spreadsheets.values.\(verb)" : "sheets.spreadsheets.\(verb)"
        }
    }
}
