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
        var staging: ExportCheckpoint.Staging?
        if case .staged(let earlier)? = run.checkpoint, canGoOn(earlier) { staging = earlier }
        let ids = staging?.written.sheetIDs ?? freeIDs()
        let mark = StagingMark(installation: run.workspace.configuration.installation, job: run.job.tag)
        let staged = try StagedPlan(
            forJob: plan, among: target.sheets, removing: staging == nil ? target.staged : [],
            hidden: ids.enumerated().map { ($0.element, mark.title($0.offset + 1)) })
        let sender = BatchSender(sheets: run.sheets, spreadsheetID: spreadsheetID)
        try await sender.send(staged.filling, from: staging?.written.next) { try await save(ids, $0) }
        return try await finish(staged)
    }

    /// Brings the hidden sheets over.
    private func finish(_ staged: StagedPlan) async throws -> SheetReplacer.Outcome {
        let ids = staged.filling.sheets.map(\.id)
        let end = PlanPosition(sheet: ids.count, row: 0)
        let outcome = SheetReplacer.Outcome(sheets: staged.sheets)
        // Before the call: afterwards it may be too late to know that it was made.
        try await save(ids, end, outcome)
        let notes = Self.note(ids, run).requests(on: outcome.sheets[0].id, of: target)
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
            try? await save(ids, end)
            throw error
        }
        return outcome
    }

    /// The note that the last batch of a try leaves.
    static func note(_ hidden: [Int], _ run: ExportRun) -> ReplacementNote {
        ReplacementNote(
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
        _ ids: [Int], _ next: PlanPosition, _ outcome: SheetReplacer.Outcome? = nil
    ) async throws {
        let staging = ExportCheckpoint.Staging(
            written: ExportCheckpoint.Written(sheetIDs: ids, next: next), outcome: outcome)
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
