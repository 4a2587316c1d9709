import Google
import JobQueue
import SheetModel

/// Replaces sheets of somebody's spreadsheet by more than one write, none of which is to be seen before the last.
///
/// What an attempt leaves behind are hidden sheets of its own. The next attempt goes on in them, if they are all there and
/// the rows are the same; else it deletes them and begins anew, under ids that no late call of an earlier one knows.
struct StagedReplace {
    let spreadsheetID: String
    let target: TargetSpreadsheet
    /// The same as one batch.
    let plan: SpreadsheetPlan
    let run: ExportRun

    /// Does what is left to do.
    func write() async throws -> SheetReplacer.Outcome {
        if case .staged(let earlier) = run.checkpoint.stage, canGoOn(earlier) {
            let staged = try self.staged(plan, earlier.written.sheetIDs, among: target)
            if staged.layout == earlier.layout { return try await write(staged, from: earlier.written.next) }
        }
        return try await write(try staged(plan, freeIDs(), among: target, removing: target.staged), from: nil)
    }

    private func write(
        _ staged: StagedPlan, from position: PlanPosition?
    ) async throws -> SheetReplacer.Outcome {
        let sender = BatchSender(sheets: run.sheets, spreadsheetID: spreadsheetID)
        let ids = staged.filling.sheets.map(\.id)
        try await sender.send(staged.filling, from: position) { try await save(ids, $0, staged.layout) }
        return try await finish(staged)
    }

    private func staged(
        _ plan: SpreadsheetPlan, _ ids: [Int], among target: TargetSpreadsheet, removing leftovers: [Int] = []
    ) throws(JobFailure) -> StagedPlan {
        let mark = StagingSheetName(installation: run.workspace.configuration.installation, job: run.job.tag)
        return try StagedPlan(
            forJob: plan, among: target.sheets, removing: leftovers,
            hidden: ids.enumerated().map { ($0.element, mark.title($0.offset + 1)) })
    }

    /// Brings the hidden sheets over, to where the columns are by now: people may have moved them while the rows were written.
    private func finish(_ filled: StagedPlan) async throws -> SheetReplacer.Outcome {
        let ids = filled.filling.sheets.map(\.id)
        let end = PlanPosition(sheet: ids.count, row: 0)
        let layout = filled.layout
        let now = try await run.target(spreadsheetID, withBelongings: run.payload.hasResets)
        let places = try await PlaceFinder(spreadsheetID: spreadsheetID, target: now, run: run).find()
        let plan = try run.plan(.existing(places.sheets), among: now)
        let staged = try staged(plan, ids, among: now)
        guard staged.layout == layout else {
            throw JobFailure(
                .sheetChanged,
                "Columns of formulas were moved, or a sheet was deleted, while the job wrote its rows beside the old ones. Nothing "
                    + "is replaced; the job writes them anew.", retry: .backoff)
        }
        let outcome = SheetReplacer.Outcome(
            sheets: staged.sheets, warnings: plan.remarks + places.warnings + places.warningsIfStaged)
        // Before the call: afterwards it may be too late to know that it was made.
        try await save(ids, end, layout, outcome)
        let notes = Self.note(ids, run).requests(on: outcome.sheets[0].id, of: now)
        do throws(GoogleError) {
            _ = try await run.sheets.batchUpdate(spreadsheetID, body: staged.finish(with: notes))
        } catch {
            guard !error.mayHaveTakenEffect else { throw error }
            if error.code == .badRequest {
                // An earlier, late call may have done it, so that this one named sheets that are gone.
                let now = try await run.target(spreadsheetID)
                if Self.note(ids, run).isOn(now) { return outcome }
                guard ids.allSatisfy(now.staged.contains) else {
                    throw JobFailure(
                        .sheetChanged,
                        "The hidden sheets in which the job wrote its rows were deleted before they were brought over; the "
                            + "job writes them anew.", retry: .backoff)
                }
            }
            try? await save(ids, end, layout)
            throw error
        }
        return outcome
    }

    /// The note that the last batch of a try leaves.
    static func note(_ hidden: [Int], _ run: ExportRun) -> ReplacementReceipt {
        ReplacementReceipt(
            installation: run.workspace.configuration.installation, job: run.job.tag, hidden: hidden.first ?? 0)
    }

    private func canGoOn(_ staging: ExportCheckpoint.Staging) -> Bool {
        run.canGoOn(from: staging.written) && staging.written.sheetIDs.allSatisfy(target.staged.contains)
    }

    /// Ids that neither a sheet nor an earlier attempt has.
    private func freeIDs() -> [Int] {
        PlanTarget.newIDs(plan.sheets.count, besides: target.sheets.map(\.id) + target.staged)
    }

    private func save(
        _ ids: [Int], _ next: PlanPosition, _ layout: String, _ outcome: SheetReplacer.Outcome? = nil
    ) async throws {
        let staging = ExportCheckpoint.Staging(
            written: ExportCheckpoint.Written(sheetIDs: ids, next: next), outcome: outcome, layout: layout)
        try await run.save(
            .staged(staging), step: outcome == nil ? "writing" : "replacing", rowsDone: plan.rows(before: next),
            result: ExportResult.unfinished(
                spreadsheetID, target.url,
                outcome == nil
                    ? "Nothing is replaced yet: the rows so far are in hidden sheets, which the next job for the "
                        + "spreadsheet takes away."
                    : "Whether the rows were replaced is not certain; all of them were, or none."))
    }
}
