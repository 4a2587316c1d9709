import JSON
import JobQueue
import SheetModel

/// Checks and plans an export and counts its calls, without a single one of them.
struct DryRun {
    let payload: ExportPayload
    let spreadsheet: Spreadsheet
    let template: FormattingTemplate?
    let workspace: Workspace
    let folders: FolderDirectory
    let batchBytes: Int

    func result() async throws -> JSON {
        let kept = KeptSheet.list(of: payload, spreadsheet, template: template, batchBytes: batchBytes)
        let replaced = spreadsheet.keeping { index in !kept.contains { $0.index == index } }
        var calls: [(name: String, count: Int)] = []
        let target: PlanTarget
        var batchLimit = Int.max
        // Each sheet that keeps its rows looks at the spreadsheet, unless nothing was written since the last look.
        var looks = kept.count
        switch payload.destination {
        case .existing:
            target = .existing([])
            batchLimit = 1
            calls.append(("drive.files.get", workspace.configuration.ownTargetsOnly ? 1 : 0))
            looks += replaced.isEmpty ? (kept.isEmpty ? 1 : 0) : 1
            calls.append(("drive.permissions.list", payload.shares.isEmpty ? 0 : 1))
        case .new(_, let folder, let original):
            target = original == nil ? .empty : .existing([])
            let missing = try await missingFolders(folder)
            calls += [("drive.files.list", missing), ("drive.files.generateIds", missing)]
            calls.append(("drive.files.create", missing + (original == nil ? 1 : 0)))
            calls.append(("drive.files.copy", original == nil ? 0 : 1))
            looks += original == nil ? 0 : 1
        }
        let plan = try SpreadsheetPlan(
            forJob: replaced, target: target, template: template, batchBytes: batchBytes)
        var batches = plan.batches()
        var count = 0
        while try batches.next() != nil { count += 1 }
        guard count <= batchLimit else { throw PayloadError.tooLargeForReplace(batchBytes) }
        var sheets = plan.sheets
        for kept in kept {
            let (summary, writes) = try kept.planned()
            count += writes
            sheets.insert(summary, at: kept.index)
        }
        calls += [
            ("sheets.spreadsheets.get", looks), ("sheets.spreadsheets.batchUpdate", count),
            ("drive.permissions.create", payload.shares.count),
        ]
        return ExportResult.json(
            dryRun: sheets, warnings: spreadsheet.warnings.map(\.description), planned: calls)
    }

    private func missingFolders(_ folder: ExportDestination.Folder?) async throws -> Int {
        switch folder {
        case .id?: 0
        case .path(let path)?: try await folders.missing(of: workspace.path(path.names))
        case nil: try await folders.missing(of: workspace.path([]))
        }
    }
}
