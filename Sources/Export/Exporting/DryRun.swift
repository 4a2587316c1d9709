import JSON
import JobQueue
import SheetModel

/// Checks and plans an export and counts its calls, and makes none of them but the look at the spreadsheet that it names.
struct DryRun {
    let payload: ExportPayload
    let spreadsheet: Spreadsheet
    let look: TargetLook?
    let template: FormattingTemplate?
    let workspace: Workspace
    let folders: FolderDirectory
    let batchBytes: Int

    func result() async throws -> JSON {
        let (replaced, kept) = KeptSheet.split(spreadsheet, of: payload, template: template, batchBytes: batchBytes)
        // Each sheet that keeps its rows looks at the spreadsheet, unless nothing was written since the last look.
        var looks = kept.count
        var calls: [(name: String, count: Int)] = []
        let target: PlanTarget
        switch payload.destination {
        case .existing:
            target = .existing([])
            calls.append(("drive.files.get", 1))
            looks += replaced.isEmpty ? (kept.isEmpty ? 1 : 0) : 1
            if !payload.queries.isEmpty { looks += 1 }
            calls.append(("drive.permissions.list", payload.shares.isEmpty ? 0 : 1))
        case .new(_, let folder, let original):
            target = original == nil ? .empty : .existing([])
            let missing = try await missingFolders(folder)
            calls += [("drive.files.list", missing), ("drive.files.generateIds", missing)]
            calls.append(("drive.files.create", missing + (original == nil ? 1 : 0)))
            calls.append(("drive.files.copy", original == nil ? 0 : 1))
            calls.append(("drive.files.get", original == nil ? 0 : 1))
            // The time zone of the original, and the sheets of the copy.
            looks += original == nil ? 0 : look?.zone == nil ? 1 : 2
        }
        let plan = try SpreadsheetPlan(
            forJob: replaced, target: target, template: payload.keepsLook ? nil : template, batchBytes: batchBytes)
        var writes = try self.writes(of: plan)
        if case .existing = payload.destination, writes.count > 1 {
            // Not quite as many as the sheets take that are there; their ids are of no account.
            let hidden = plan.sheets.indices.map { (id: $0, title: "hidden \($0)") }
            let staged = try StagedPlan(forJob: plan, among: [], removing: [], hidden: hidden)
            writes = try self.writes(of: staged.filling) + [.batchUpdate]
        }
        var sheets = plan.sheets
        for kept in kept {
            let (summary, count) = try kept.planned()
            writes += Array(repeating: .batchUpdate, count: count)
            sheets.insert(summary, at: kept.index)
        }
        calls.append(("sheets.spreadsheets.get", looks))
        calls.append(("sheets.spreadsheets.batchUpdate", writes.count { $0 == .batchUpdate }))
        calls.append(("sheets.spreadsheets.values.batchUpdateByDataFilter", writes.count { $0 == .values }))
        calls.append(("drive.permissions.create", payload.shares.count))
        return ExportResult.json(
            dryRun: sheets, warnings: (look?.warnings ?? []) + spreadsheet.warnings.map(\.description), planned: calls,
            calls: look?.calls ?? 0)
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
