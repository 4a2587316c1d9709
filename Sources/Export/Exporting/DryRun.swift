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
        var calls: [(name: String, count: Int)] = []
        let target: PlanTarget
        var batchLimit = Int.max
        switch payload.destination {
        case .existing:
            target = .existing([])
            batchLimit = 1
            calls.append(("drive.files.get", workspace.configuration.ownTargetsOnly ? 1 : 0))
            calls.append(("sheets.spreadsheets.get", 1))
            calls.append(("drive.permissions.list", payload.shares.isEmpty ? 0 : 1))
        case .new(_, let folder, let original):
            target = original == nil ? .empty : .existing([])
            let missing = try await missingFolders(folder)
            calls += [("drive.files.list", missing), ("drive.files.generateIds", missing)]
            calls.append(("drive.files.create", missing + (original == nil ? 1 : 0)))
            calls.append(("drive.files.copy", original == nil ? 0 : 1))
            calls.append(("sheets.spreadsheets.get", original == nil ? 0 : 1))
        }
        let plan = try SpreadsheetPlan(
            forJob: spreadsheet, target: target, template: template, batchBytes: batchBytes)
        var batches = plan.batches()
        var count = 0
        while try batches.next() != nil { count += 1 }
        guard count <= batchLimit else { throw PayloadError.tooLargeForReplace(batchBytes) }
        calls += [("sheets.spreadsheets.batchUpdate", count), ("drive.permissions.create", payload.shares.count)]
        return ExportResult.json(dryRun: plan, planned: calls)
    }

    private func missingFolders(_ folder: ExportDestination.Folder?) async throws -> Int {
        switch folder {
        case .id?: 0
        case .path(let path)?: try await folders.missing(of: workspace.path(path.names))
        case nil: try await folders.missing(of: workspace.path([]))
        }
    }
}
