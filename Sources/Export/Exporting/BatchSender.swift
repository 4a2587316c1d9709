import Google
import SheetModel

/// Sends the batches of a plan one after another.
struct BatchSender {
    let sheets: SheetsClient
    let spreadsheetID: String

    /// Sends all batches from a position on; while one is on its way the next one is made.
    ///
    /// Rows that Google does not take as plain values, whose ranges no recording shows, go once more as requests for cells; if
    /// something else was wrong with them, Google says so again.
    ///
    /// - Parameter sent: Takes note that all before a position is written; not called for the last batch.
    func send(
        _ plan: SpreadsheetPlan, from position: PlanPosition?, noting sent: (PlanPosition) async throws -> Void
    ) async throws {
        var written = position
        var batches = plan.batches(from: position, withValues: sheets.takesValuesByGridRange)
        var next = try batches.next()
        while let batch = next {
            async let answer: Void = send(batch)
            next = try batches.next()
            do {
                try await answer
            } catch {
                guard batch.method == .values, let refusal = error as? GoogleError, refusal.code == .badRequest else {
                    throw error
                }
                batches = plan.batches(from: written, withValues: false)
                next = try batches.next()
                continue
            }
            written = batch.end
            if next != nil { try await sent(batch.end) }
        }
    }

    /// Sends one batch.
    func send(_ batch: PlanBatch) async throws(GoogleError) {
        switch batch.method {
        case .batchUpdate: _ = try await sheets.batchUpdate(spreadsheetID, body: batch.body)
        case .values: try await sheets.updateValues(spreadsheetID, body: batch.body)
        }
    }
}
