import Google
import JSON
import JobQueue
import SheetModel

/// One attempt at a job of kind `export`.
struct ExportRun {
    let job: Job
    let payload: ExportPayload
    let spreadsheet: Spreadsheet
    /// The look; nil keeps the one that is there.
    let template: FormattingTemplate?
    let workspace: Workspace
    let folders: FolderDirectory
    let batchBytes: Int
    let patience: LookingPatience
    let progress: ProgressReporter
    private let clients: (drive: DriveClient, sheets: SheetsClient, calls: CallCounter)
    private let checkpoint: ExportCheckpoint?
    /// The sheets that one plan replaces.
    private let replaced: Spreadsheet
    /// The others, which come after them.
    private let kept: [KeptSheet]

    init(
        _ job: Job, _ payload: ExportPayload, _ spreadsheet: Spreadsheet, template: FormattingTemplate?,
        workspace: Workspace, folders: FolderDirectory, batchBytes: Int, patience: LookingPatience,
        progress: ProgressReporter
    ) {
        self.job = job
        self.payload = payload
        self.spreadsheet = spreadsheet
        self.template = template
        self.workspace = workspace
        self.folders = folders
        self.batchBytes = batchBytes
        self.patience = patience
        self.progress = progress
        clients = workspace.clients(for: progress)
        checkpoint = job.checkpoint.flatMap(ExportCheckpoint.init)
        kept = KeptSheet.list(of: payload, spreadsheet, template: template, batchBytes: batchBytes)
        replaced = spreadsheet.keeping { [kept] index in !kept.contains { $0.index == index } }
    }

    /// Does what is left to do, and returns the job's result.
    func result() async throws -> JSON {
        var spreadsheet: ExportedSpreadsheet
        let plan: SpreadsheetPlan
        var known: TargetSpreadsheet?
        switch payload.destination {
        case .existing(let id):
            try await workspace.checkTarget(id, using: clients.drive)
            let target = try await TargetSpreadsheet(id, using: clients.sheets)
            spreadsheet = ExportedSpreadsheet(id: id, url: target.url, folder: nil)
            plan = try self.plan(.existing(target.sheets))
            let isUntouched = try await !replace(plan, in: id)
            known = isUntouched ? target : nil
        case .new(let title, let folder, let original):
            (spreadsheet, plan) = try await fill(title, in: folder, copyOf: original)
        }
        let sheets = try await writeKept(in: spreadsheet.id, known, beside: plan)
        spreadsheet.warnings += try await share(spreadsheet.id)
        return ExportResult.json(
            spreadsheet, folder: spreadsheet.folder.map(workspace.url(ofFolder:)), sheets: sheets.map(\.summary),
            warnings: self.spreadsheet.warnings.map(\.description) + sheets.flatMap(\.warnings),
            calls: clients.calls.total)
    }

    private func plan(_ target: PlanTarget) throws -> SpreadsheetPlan {
        try SpreadsheetPlan(forJob: replaced, target: target, template: template, batchBytes: batchBytes)
    }

    // MARK: Somebody's spreadsheet

    /// Replaces sheets; false where there is nothing to do.
    private func replace(_ plan: SpreadsheetPlan, in id: String) async throws -> Bool {
        var batches = plan.batches()
        guard let batch = try batches.next() else { return false }
        guard try batches.next() == nil else { throw PayloadError.tooLargeForReplace(batchBytes) }
        _ = try await clients.sheets.batchUpdate(id, body: batch.body)
        return true
    }

    // MARK: Sheets that keep their rows

    /// Writes them one after another, and returns what became of all sheets in the payload's order.
    private func writeKept(
        in id: String, _ known: TargetSpreadsheet?, beside plan: SpreadsheetPlan
    ) async throws -> [KeptSheet.Outcome] {
        var known = known
        var outcomes = plan.sheets.map { KeptSheet.Outcome(summary: $0) }
        let total = spreadsheet.sheets.reduce(0) { $0 + $1.rows.count }
        for kept in kept {
            let target: TargetSpreadsheet
            if let known { target = known } else { target = try await TargetSpreadsheet(id, using: clients.sheets) }
            known = nil
            let done = outcomes.reduce(0) { $0 + $1.summary.rows }
            let place = KeptSheet.Place(
                spreadsheetID: id, client: clients.sheets, installation: workspace.configuration.installation,
                job: job.id
            ) { rows in await progress("writing", rowsDone: done + rows, of: total) }
            outcomes.insert(try await kept.write(to: place, target), at: kept.index)
        }
        return outcomes
    }

    // MARK: The job's own spreadsheet

    private func fill(
        _ title: String, in folder: ExportDestination.Folder?, copyOf original: String?
    ) async throws -> (ExportedSpreadsheet, SpreadsheetPlan) {
        let maker = SpreadsheetMaker(
            title: title, original: original, place: folder,
            mark: SpreadsheetMark(installation: workspace.configuration.installation, job: job.id),
            isRedelivered: job.isRedelivered, workspace: workspace, folders: folders, drive: clients.drive,
            patience: patience, progress: progress)
        let (spreadsheet, isUntouched) = try await maker.spreadsheet(after: checkpoint)
        var written: ExportCheckpoint.Written?
        if case .made(_, let before)? = checkpoint {
            // What was saved for a payload with other sheets cannot be this job's.
            written = before.flatMap { $0.sheetIDs.count == replaced.sheets.count ? $0 : nil }
        } else {
            try await save(spreadsheet, nil, rowsDone: 0)
        }
        do {
            let target: PlanTarget
            if let written {
                target = .prepared(written.sheetIDs)
            } else if isUntouched, original == nil {
                target = .empty
            } else {
                let sheets = try await TargetSpreadsheet(spreadsheet.id, using: clients.sheets).sheets
                target = original == nil ? .new(sheets) : .existing(sheets)
            }
            return (spreadsheet, try await write(target, to: spreadsheet, from: written?.next))
        } catch {
            throw try await explained(error, spreadsheet)
        }
    }

    private func write(
        _ target: PlanTarget, to spreadsheet: ExportedSpreadsheet, from position: PlanPosition?
    ) async throws -> SpreadsheetPlan {
        let plan = try self.plan(target)
        var batches = plan.batches(from: position)
        var next = try batches.next()
        while let batch = next {
            _ = try await clients.sheets.batchUpdate(spreadsheet.id, body: batch.body)
            next = try batches.next()
            // The last batch ends the job, which says more.
            guard next != nil else { break }
            let written = ExportCheckpoint.Written(sheetIDs: plan.sheets.map(\.id), next: batch.end)
            try await save(spreadsheet, written, rowsDone: plan.rows(before: batch.end))
        }
        return plan
    }

    private func save(
        _ spreadsheet: ExportedSpreadsheet, _ written: ExportCheckpoint.Written?, rowsDone: Int
    ) async throws {
        try await progress.save(
            ExportCheckpoint.made(spreadsheet, written: written).json, step: "writing", rowsDone: rowsDone,
            of: self.spreadsheet.sheets.reduce(0) { $0 + $1.rows.count })
    }

    /// The job's spreadsheet is not there: somebody deleted it between two attempts, or Sheets does not know it yet.
    private func explained(_ error: any Error, _ spreadsheet: ExportedSpreadsheet) async throws -> any Error {
        guard let error = error as? GoogleError, error.code == .notFound else { return error }
        do throws(GoogleError) {
            _ = try await clients.drive.file(spreadsheet.id)
        } catch {
            guard error.code == .notFound else { throw error }
            try await progress.save(ExportCheckpoint.notMade.json, step: "waiting")
        }
        return JobFailure(
            code: error.code.rawValue,
            message:
                "The spreadsheet \(spreadsheet.id) of this job is not to be found; if it is gone, another is made.",
            retry: .backoff)
    }

    // MARK: Sharing

    /// Shares with one after another, as Drive wants it; what stands already is not repeated, so that no mail goes twice.
    private func share(_ id: String) async throws -> [String] {
        guard !payload.shares.isEmpty else { return [] }
        var standing: [DrivePermission] = []
        var mayStand = job.isRedelivered
        if case .existing = payload.destination { mayStand = true }
        if mayStand { standing = try await clients.drive.permissions(of: id) }
        var warnings: [String] = []
        for (index, share) in payload.shares.enumerated()
        where !standing.contains(where: { $0.covers(share.permission) }) {
            do throws(GoogleError) {
                try await clients.drive.share(
                    id, with: share.permission, notify: share.notifies, message: share.message)
            } catch {
                if error.code == .notificationFailed {
                    warnings.append("share[\(index)]: \(error.message)")
                    continue
                }
                guard error.retry == .never, !error.code.concernsInstallation else { throw error }
                // A file that was made just now is not known everywhere at once.
                if error.code == .notFound, case .new = payload.destination, job.attempt < job.maxAttempts {
                    throw JobFailure(code: error.code.rawValue, message: "share[\(index)]: \(error)", retry: .backoff)
                }
                throw JobFailure(
                    code: error.code.rawValue, message: "share[\(index)]: \(error) The data is written.", retry: .never)
            }
        }
        return warnings
    }
}
