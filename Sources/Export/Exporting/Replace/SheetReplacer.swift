import Google
import SheetModel

/// Replaces sheets of somebody's spreadsheet: by one write where that is enough, else beside the old ones.
struct SheetReplacer {
    /// What was written.
    struct Outcome: Sendable, Hashable {
        let sheets: [SheetSummary]
        var warnings: [String] = []
    }

    let spreadsheetID: String
    let target: TargetSpreadsheet
    let run: ExportRun

    /// Writes the sheets.
    func write() async throws -> Outcome {
        // Where the last write of a staged replacement may have been done, nothing else must be begun.
        if case .staged(let staging) = run.checkpoint.stage {
            let ids = staging.written.sheetIDs
            // What was written then, which need not be what a query gives now.
            if let done = staging.outcome, StagedReplace.note(ids, run).isOn(target) { return done }
        }
        let places = try await PlaceFinder(spreadsheetID: spreadsheetID, target: target, run: run).find()
        let plan = try run.plan(.existing(places.sheets), removing: target.staged, among: target)
        return try await write(plan, warnings: plan.remarks + places.warnings + places.warningsIfSmall)
    }

    /// - Parameter warnings: Those of one write; a staged replacement finds its own when it is done.
    private func write(_ plan: SpreadsheetPlan, warnings: [String]) async throws -> Outcome {
        if case .staged = run.checkpoint.stage { return try await staged(plan) }
        var batches = plan.batches()
        guard let batch = try batches.next() else { return Outcome(sheets: plan.sheets, warnings: warnings) }
        guard try batches.next() == nil else { return try await staged(plan) }
        do throws(GoogleError) {
            try await BatchSender(sheets: run.sheets, spreadsheetID: spreadsheetID).send(batch)
        } catch {
            if error.mayHaveTakenEffect {
                // For people only: the next attempt writes the same to the same place.
                try? await run.save(
                    result: ExportResult.unfinished(
                        spreadsheetID, target.url,
                        "Whether the rows were replaced is not certain; all of them were, or none."))
            }
            throw error
        }
        return Outcome(sheets: plan.sheets, warnings: warnings)
    }

    private func staged(_ plan: SpreadsheetPlan) async throws -> Outcome {
        try await StagedReplace(spreadsheetID: spreadsheetID, target: target, plan: plan, run: run).write()
    }
}
