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
        if case .staged(let earlier)? = run.checkpoint { staging = earlier }
        if let staging, let way = staging.finishing, target.staged.allSatisfy({ !staging.written.sheetIDs.contains($0) })
        {
            // The last batch takes the hidden sheets away and does nothing else without that. Which ids the sheets have now,
            // the look at the target has told.
            return outcome(plan.sheets, way)
        }
        if let earlier = staging, !canGoOn(earlier) { staging = nil }
        let ids = staging?.written.sheetIDs ?? freeIDs()
        let mark = StagingMark(installation: run.workspace.configuration.installation, job: run.job.id)
        let staged = try StagedPlan(
            forJob: plan, among: target.sheets, removing: staging == nil ? target.staged : [],
            hidden: ids.enumerated().map { ($0.element, mark.title($0.offset + 1)) })
        let sender = BatchSender(sheets: run.sheets, spreadsheetID: spreadsheetID)
        try await sender.send(staged.filling, from: staging?.written.next) { try await save(ids, $0, nil) }
        let end = PlanPosition(sheet: ids.count, row: 0)
        return try await finish(staged, staging?.finishing ?? .copy) { try await save(ids, end, $0) }
    }

    /// Brings the hidden sheets over; where Google refuses to copy out of them they take the old ones' places.
    private func finish(
        _ staged: StagedPlan, _ way: StagedPlan.Way, saving save: (StagedPlan.Way?) async throws -> Void
    ) async throws -> SheetReplacer.Outcome {
        // Before the call: afterwards it may be too late to know that it was made.
        try await save(way)
        do throws(GoogleError) {
            _ = try await run.sheets.batchUpdate(spreadsheetID, body: staged.finish(way))
        } catch {
            guard !error.mayHaveTakenEffect else { throw error }
            if error.code == .badRequest, try await isBroughtOver(staged) { return outcome(staged.sheets(way), way) }
            guard error.code == .badRequest, way == .copy else {
                try? await save(nil)
                throw error
            }
            return try await finish(staged, .swap, saving: save)
        }
        return outcome(staged.sheets(way), way)
    }

    /// Whether an earlier, late call has done it: this one then names sheets that are gone.
    private func isBroughtOver(_ staged: StagedPlan) async throws(GoogleError) -> Bool {
        let now = try await run.target(spreadsheetID).staged
        return staged.filling.sheets.allSatisfy { !now.contains($0.id) }
    }

    private func canGoOn(_ staging: ExportCheckpoint.Staging) -> Bool {
        run.canGoOn(from: staging.written) && staging.written.sheetIDs.allSatisfy(target.staged.contains)
    }

    /// Ids that neither a sheet nor an earlier attempt has.
    private func freeIDs() -> [Int] {
        var taken = Set(target.sheets.map(\.id) + target.staged)
        return plan.sheets.map { _ in
            while true {
                let id = Int.random(in: 1 << 24..<Int(Int32.max))
                if taken.insert(id).inserted { return id }
            }
        }
    }

    private func save(_ ids: [Int], _ next: PlanPosition, _ finishing: StagedPlan.Way?) async throws {
        let staging = ExportCheckpoint.Staging(
            written: ExportCheckpoint.Written(sheetIDs: ids, next: next), finishing: finishing)
        try await run.save(
            .staged(staging), step: finishing == nil ? "writing" : "replacing", rowsDone: plan.rows(before: next))
    }

    private func outcome(_ sheets: [SheetSummary], _ way: StagedPlan.Way) -> SheetReplacer.Outcome {
        var outcome = SheetReplacer.Outcome(sheets: sheets)
        if way == .swap {
            let old = target.sheets.map { $0.title.lowercased() }
            outcome.warnings = sheets.filter { old.contains($0.name.lowercased()) }.map { sheet in
                "Google refused to copy into the sheet \(sheet.name), so that a new one took its place: "
                    + "its id is \(sheet.id) now; mend links and formulas that named the old one."
            }
        }
        return outcome
    }
}
