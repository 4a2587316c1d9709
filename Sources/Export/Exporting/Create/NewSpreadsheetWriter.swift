import Google
import JobQueue
import SheetModel

/// Makes the spreadsheet of a job, or goes on with it, and fills it.
struct NewSpreadsheetWriter {
    let title: String
    let folder: ExportDestination.Folder?
    /// The spreadsheet that is copied; nil for an empty one.
    let original: String?
    let run: ExportRun

    /// Does what is left to do.
    func write() async throws -> (ExportedSpreadsheet, SpreadsheetPlan, isUntouched: Bool) {
        let maker = SpreadsheetMaker(
            title: title, original: original, place: folder,
            mark: SpreadsheetMark(installation: run.workspace.configuration.installation, job: run.job),
            isRedelivered: run.job.isRedelivered, workspace: run.workspace, folders: run.folders, drive: run.drive,
            patience: run.patience, checkpoints: run.checkpoints)
        var (spreadsheet, isUntouched) = try await maker.spreadsheet(after: run.checkpoint.stage)
        var written: ExportCheckpoint.Written?
        if case .made(_, let before) = run.checkpoint.stage {
            written = before.flatMap { run.canGoOn(from: $0) ? $0 : nil }
        } else {
            try await save(spreadsheet, nil, rowsDone: 0)
        }
        do {
            var warnings: [String] = []
            let plan = try await self.plan(spreadsheet, isUntouched: isUntouched, written, &warnings)
            let sender = BatchSender(sheets: run.sheets, spreadsheetID: spreadsheet.id)
            try await sender.send(plan, from: written?.next) { position in
                let written = ExportCheckpoint.Written(sheetIDs: plan.sheets.map(\.id), next: position)
                try await save(spreadsheet, written, rowsDone: plan.rows(before: position))
            }
            spreadsheet.warnings += warnings + plan.remarks
            return (spreadsheet, plan, isUntouched)
        } catch {
            let failure = try await explained(error, spreadsheet)
            throw await run.leavingNothing(of: spreadsheet, isNew: isUntouched, failure)
        }
    }

    private func plan(
        _ spreadsheet: ExportedSpreadsheet, isUntouched: Bool, _ written: ExportCheckpoint.Written?,
        _ warnings: inout [String]
    ) async throws -> SpreadsheetPlan {
        if let written, original == nil { return try run.plan(.prepared(written.sheetIDs)) }
        if isUntouched, original == nil { return try run.plan(.empty) }
        let target = try await run.target(
            spreadsheet.id, withBelongings: original != nil && run.payload.hasResets)
        if original != nil {
            let finder = PlaceFinder(spreadsheetID: spreadsheet.id, target: target, run: run)
            let places = try await finder.find()
            warnings += places.warnings + places.warningsIfSmall
            return try run.plan(.existing(places.sheets), removing: target.staged, among: target)
        }
        let place: PlanTarget =
            if run.payload.queries.isEmpty {
                .new(target.sheets)
            } else {
                // Rows of another answer to a query must not come in between, however late they arrive.
                .renewed(target.sheets)
            }
        return try run.plan(place, removing: target.staged, among: target)
    }

    private func save(
        _ spreadsheet: ExportedSpreadsheet, _ written: ExportCheckpoint.Written?, rowsDone: Int
    ) async throws {
        try await run.save(.made(spreadsheet, written: written), step: "writing", rowsDone: rowsDone)
    }

    /// The job's spreadsheet is not there: somebody deleted it between two attempts, or Sheets does not know it yet.
    private func explained(_ error: any Error, _ spreadsheet: ExportedSpreadsheet) async throws -> any Error {
        guard let error = error as? GoogleError, error.code == .notFound else { return error }
        do throws(GoogleError) {
            _ = try await run.drive.file(spreadsheet.id)
        } catch {
            guard error.code == .notFound else { throw error }
            try await run.checkpoints.save(.notMade, step: "waiting")
        }
        return JobFailure(
            code: error.code.rawValue,
            message:
                "The spreadsheet \(spreadsheet.id) of this job is not to be found; if it is gone, another is made.",
            retry: .backoff)
    }
}
