import Google
import JSON
import JobQueue
import SheetModel

/// One attempt at a job of kind `export`.
struct ExportRun {
    let job: Job
    let payload: ExportPayload
    let spreadsheet: Spreadsheet
    /// The formatting template; nil keeps the formats that are there.
    let template: FormattingTemplate?
    /// What was found out of the spreadsheet that the payload names; nil for a new one.
    private let look: TargetLook?
    let workspace: Workspace
    let folders: FolderDirectory
    /// The size that one write's body grows to.
    ///
    /// Most faults pass, so that a second attempt is like the first. From the third on batches are smaller and smaller: what is
    /// too much for Google to do in time is not too much in halves.
    let batchBytes: Int
    let patience: LookupPolicy
    let progress: ProgressReporter
    let drive: DriveClient
    let sheets: SheetsClient
    /// What the attempts before this one came to.
    let checkpoint: ExportCheckpoint
    let checkpoints: CheckpointStore
    let calls: CallCounter
    /// What mirrors need.
    private let mirror: MirrorContext
    /// In a rehearsal, is told of calls that cannot be made there.
    private let rehearsed: (@Sendable (String) -> Void)?
    /// The sheets that one plan replaces, and their formatting template; nil keeps the formats that are there.
    let replaced: Spreadsheet
    private let replacingTemplate: FormattingTemplate?
    /// Of the replaced ones, where their rows belong.
    let replacedPositions: [(sheet: CheckedSheet, index: Int, position: SheetPosition)]
    /// The others, which come after them.
    let incremental: [IncrementalSheet]

    init(
        _ export: PreparedExport, in workspace: Workspace, folders: FolderDirectory, batchBytes: Int,
        patience: LookupPolicy, progress: ProgressReporter, checkpoints: CheckpointStore,
        rehearsed: (@Sendable (String) -> Void)? = nil
    ) {
        job = export.job
        payload = export.payload
        spreadsheet = export.spreadsheet
        template = export.template
        look = export.look
        mirror = export.mirror
        self.rehearsed = rehearsed
        self.workspace = workspace
        self.folders = folders
        self.batchBytes = max(min(1_000, batchBytes), batchBytes >> min(max(0, job.attempt - 2), 4))
        self.patience = patience
        self.progress = progress
        self.checkpoints = checkpoints
        (drive, sheets, calls) = workspace.clients(for: progress)
        replacingTemplate = payload.keepsFormats ? nil : template
        checkpoint = job.exportCheckpoint
        let sheetsByMode = SheetsByMode(
            spreadsheet, of: payload, template: template, batchBytes: self.batchBytes)
        replaced = sheetsByMode.replaced
        replacedPositions = sheetsByMode.replacedPositions
        incremental = sheetsByMode.incremental
    }

    /// Does what is left to do, and returns the job's result.
    func result() async throws -> JSON {
        let spreadsheet: ExportedSpreadsheet
        let sheets: [SheetSummary]
        var known: TargetSpreadsheet?
        var isNew = false
        switch payload.destination {
        case .existing(let id) where payload.isMirror:
            // Where rows stand is read right before each write.
            known = payload.queries.isEmpty ? look?.target : nil
            let url = look?.target?.url ?? mirror.url ?? "https://docs.google.com/spreadsheets/d/\(id)/edit"
            spreadsheet = ExportedSpreadsheet(id: id, url: url, folder: nil)
            sheets = []
        case .existing(let id):
            // This job writes there too, so that no mirror may take its rows for known.
            if rehearsed == nil { try await mirror.memory.invalidate(id) }
            // A query takes so long that people may have changed the spreadsheet meanwhile.
            let target: TargetSpreadsheet
            if let found = look?.target, payload.queries.isEmpty {
                target = found
            } else {
                target = try await self.target(id, withBelongings: payload.hasResets)
            }
            let outcome = try await SheetReplacer(spreadsheetID: id, target: target, run: self).write()
            spreadsheet = ExportedSpreadsheet(id: id, url: target.url, folder: nil, warnings: outcome.warnings)
            sheets = outcome.sheets
            if replaced.isEmpty, target.staged.isEmpty { known = target }
        case .new(let title, let folder, let original):
            let writer = NewSpreadsheetWriter(title: title, folder: folder, original: original, run: self)
            let plan: SpreadsheetPlan
            (spreadsheet, plan, isNew) = try await writer.write()
            sheets = try await keepMirrors(plan.sheets, of: spreadsheet)
        }
        let outcomes: [IncrementalSheet.Outcome]
        do { outcomes = try await writeIncremental(in: spreadsheet, known, beside: sheets) } catch {
            throw await leavingNothing(of: spreadsheet, isNew: isNew, error)
        }
        func result(_ more: [String] = []) -> JSON { self.result(spreadsheet, outcomes, more) }
        do { return result(try await share(spreadsheet.id)) } catch {
            // The job has this to show where it ends now, whatever became of the sharing.
            try? await checkpoints.save(
                result: result(), isWritten: true, step: "sharing", rowsDone: rowsTotal, of: rowsTotal)
            throw PostWriteFailure(cause: error)
        }
    }

    /// Keeps what mirrors have written into a new spreadsheet, and returns the sheets with that.
    private func keepMirrors(
        _ summaries: [SheetSummary], of spreadsheet: ExportedSpreadsheet
    ) async throws -> [SheetSummary] {
        guard case .new(_, _, copyOf: nil) = payload.destination else { return summaries }
        var summaries = summaries
        for (index, mode) in payload.modes.enumerated() {
            guard case .mirror(let options) = mode else { continue }
            summaries[index].changes = try await SheetMirror.keep(
                self.spreadsheet.sheets[index], options, at: payload.positions[index], index: index,
                id: summaries[index].id, in: spreadsheet,
                timeZone: self.spreadsheet.timeZone?.googleName ?? "Etc/GMT", mirror)
        }
        return summaries
    }

    private func result(
        _ spreadsheet: ExportedSpreadsheet, _ outcomes: [IncrementalSheet.Outcome], _ more: [String] = []
    ) -> JSON {
        ExportResult.json(
            spreadsheet, folder: spreadsheet.folder.map(workspace.url(ofFolder:)), sheets: outcomes.map(\.summary),
            warnings: (look?.warnings ?? []) + self.spreadsheet.warnings.map(\.description)
                + outcomes.flatMap(\.warnings) + more, calls: calls.total + (look?.calls ?? 0) + mirror.calls)
    }

    /// Rehearses what is done in a copy, in the spreadsheet that would be copied.
    func rehearsed(asCopyOf original: String) async throws -> JSON {
        let target = try await self.target(original, withBelongings: payload.hasResets)
        let places = try await PlaceFinder(spreadsheetID: original, target: target, run: self).find()
        let plan = try self.plan(.existing(places.sheets), removing: target.staged, among: target)
        try await BatchSender(sheets: sheets, spreadsheetID: original).send(plan, from: nil) { _ in }
        let warnings = places.warnings + places.warningsIfSmall + plan.remarks
        let spreadsheet = ExportedSpreadsheet(id: original, url: target.url, folder: nil, warnings: warnings)
        return result(spreadsheet, try await writeIncremental(in: spreadsheet, nil, beside: plan.sheets))
    }

    /// Writes the sheets that keep their rows one after another; returns what became of all, in the payload's order.
    private func writeIncremental(
        in spreadsheet: ExportedSpreadsheet, _ known: TargetSpreadsheet?, beside replaced: [SheetSummary]
    ) async throws -> [IncrementalSheet.Outcome] {
        // What is known of the original is not known of its copy.
        var isRehearsedCopy = false
        if case .new = payload.destination { isRehearsedCopy = rehearsed != nil }
        var known = known
        var outcomes = replaced.map { IncrementalSheet.Outcome(summary: $0) }
        for sheet in incremental {
            let target = known
            known = nil
            let done = outcomes.reduce(0) { $0 + $1.summary.rows }
            let place = IncrementalSheet.Place(
                spreadsheetID: spreadsheet.id, client: sheets, calls: calls,
                installation: workspace.configuration.installation,
                job: job.tag, progress: checkpoint.appendProgress(ofSheet: sheet.index), rehearsed: rehearsed,
                mirror: isRehearsedCopy ? mirror.fromScratch : mirror,
                report: { rows in await progress("writing", rowsDone: done + rows, of: rowsTotal) },
                save: { progress, rows in
                    try await checkpoints.save(
                        progress, ofSheet: sheet.index,
                        result: ExportResult.unfinished(
                            spreadsheet.id, spreadsheet.url,
                            warnings: replaced.isEmpty
                                ? [] : ["Replaced: \(replaced.map { "\"\($0.name)\"" }.joined(separator: ", "))."]),
                        rowsDone: done + rows, of: rowsTotal)
                })
            do { outcomes.insert(try await sheet.write(to: place, target), at: sheet.index) } catch {
                throw await tellingWhatIsWritten(error, outcomes.map(\.summary.name), besides: sheet, in: spreadsheet)
            }
        }
        return outcomes
    }

    /// The failure of a job of several sheets, which says where it ends for good which of them are written.
    private func tellingWhatIsWritten(
        _ error: any Error, _ written: [String], besides failed: IncrementalSheet, in spreadsheet: ExportedSpreadsheet
    ) async -> any Error {
        let names = self.spreadsheet.sheets.map(\.name)
        guard names.count > 1, !payload.isDryRun else { return error }
        func list(_ names: [String]) -> String { names.map { "\"\($0)\"" }.joined(separator: ", ") }
        let left = names.filter { !written.contains($0) && $0 != failed.sheet.name }
        var words = written.isEmpty ? [] : ["Written in full: \(list(written))."]
        words.append("Not, or not in full: \(list([failed.sheet.name])).")
        if !left.isEmpty { words.append("Not begun: \(list(left)).") }
        // For people, where the job ends now.
        try? await checkpoints.save(
            result: ExportResult.unfinished(spreadsheet.id, spreadsheet.url, warnings: words), step: "writing")
        guard let failure = error as? JobFailure ?? (error as? GoogleError).map({ JobFailure($0) }),
            failure.retry == .never
        else { return error }
        return JobFailure(
            code: failure.code, message: ([failure.message] + words).joined(separator: " "), retry: .never,
            needsMending: failure.needsMending, details: failure.details)
    }

    /// The failure of a job that made a spreadsheet; where it is for good and nothing was ever written there, the spreadsheet
    /// is taken away, so that jobs which Google refuses leave no empty ones.
    ///
    /// - Parameter isNew: Whether this attempt made it.
    func leavingNothing(
        of spreadsheet: ExportedSpreadsheet, isNew: Bool, _ error: any Error
    ) async -> any Error {
        guard case .new = payload.destination, !calls.mayHaveWritten,
            let failure = error as? JobFailure ?? (error as? GoogleError).map({ JobFailure($0) }),
            failure.retry == .never
        else { return error }
        if !isNew {
            // What an earlier attempt may have sent was the same, so that it was refused as well; unless it was another
            // answer to a query, or this refusal is about something else than what was sent.
            guard case .made(_, written: nil) = checkpoint.stage, checkpoint.sheets.isEmpty, payload.queries.isEmpty,
                failure.code == GoogleError.Code.badRequest.rawValue || !failure.code.hasPrefix("google.")
            else { return error }
        }
        do {
            try await drive.remove(spreadsheet.id)
            try await checkpoints.save(.notMade, step: "waiting")
        } catch {
            return failure
        }
        return JobFailure(
            code: failure.code,
            message:
                "\(failure.message) The spreadsheet that the job had made, in which nothing was written, is taken away.",
            retry: .never, details: failure.details)
    }

    // MARK: What all ways of writing need

    /// Plans the job for a target.
    ///
    /// - Parameter spreadsheet: What Sheets tells of it; nil for a new one.
    func plan(
        _ target: PlanTarget, removing leftovers: [Int] = [], among spreadsheet: TargetSpreadsheet? = nil
    ) throws(JobFailure) -> SpreadsheetPlan {
        let installation = workspace.configuration.installation
        let notes = replaced.sheets.map { ColumnNote($0, installation: installation) }
        let places = Dictionary(
            target.sheets.map { ($0.id, $0.place) }, uniquingKeysWith: { first, _ in first })
        return try SpreadsheetPlan(
            forJob: replaced, target: target, removing: leftovers, template: replacingTemplate,
            notes: { index, id in notes[index].requests(on: id, of: spreadsheet, at: places[id] ?? nil) },
            batchBytes: batchBytes)
    }

    func target(_ id: String, withBelongings: Bool = false) async throws(GoogleError) -> TargetSpreadsheet {
        try await TargetSpreadsheet(
            id, of: workspace.configuration.installation, using: sheets, withBelongings: withBelongings)
    }

    /// Whether an earlier attempt wrote the same rows; a statement may give others each time.
    func canGoOn(from written: ExportCheckpoint.Written) -> Bool {
        written.sheetIDs.count == replaced.sheets.count && payload.queries.isEmpty
    }

    /// Saves how far the job is.
    ///
    /// - Parameter result: What it has to show where it ends now; nil for what the stage itself says.
    func save(
        _ stage: ExportCheckpoint.Stage, step: String, rowsDone: Int, result: JSON? = nil
    ) async throws(JobFailure) {
        try await checkpoints.save(stage, result: result, step: step, rowsDone: rowsDone, of: rowsTotal)
    }

    /// Saves what the job has to show where it ends now, and nothing for its next attempt.
    func save(result: JSON) async throws(JobFailure) {
        try await checkpoints.save(result: result, step: "writing", rowsDone: 0, of: rowsTotal)
    }

    private var rowsTotal: Int { spreadsheet.sheets.reduce(0) { $0 + $1.rows.count } }

    // MARK: Sharing

    /// Shares with one after another, as Drive wants it; what stands already is not repeated, so that no mail goes twice.
    private func share(_ id: String) async throws -> [String] {
        guard !payload.shares.isEmpty else { return [] }
        var standing: [DrivePermission] = []
        var mayStand = job.isRedelivered
        if case .existing = payload.destination { mayStand = true }
        if mayStand { standing = try await drive.permissions(of: id) }
        var warnings: [String] = []
        for (index, share) in payload.shares.enumerated()
        where !standing.contains(where: { $0.covers(share.permission) }) {
            do throws(GoogleError) {
                try await drive.share(
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
