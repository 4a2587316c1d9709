import Google
import JSON
import JobQueue
import SheetModel

/// Puts rows below the last row of a sheet, each once: every write carries a note that no second one can make.
struct SheetAppender {
    let spreadsheetID: String
    let client: SheetsClient
    /// Saves how far it is, before each write and where one was refused.
    let save: (AppendProgress) async throws -> Void

    /// Appends the rows of a plan from one on.
    ///
    /// - Parameters:
    ///   - digest: That of the rows before it.
    ///   - fence: What the sheet says of the job.
    ///   - looksFirst: Whether to look before the first write, and not only before the others.
    ///   - look: Throws where the columns are not any more where the plan has them.
    func append(
        _ plan: AppendPlan, from row: Int, behind digest: RowDigest, _ fence: AppendFence, looksFirst: Bool,
        _ look: () async throws -> Void
    ) async throws {
        var (fence, row, digest, looks) = (fence, row, digest, looksFirst)
        var batches = plan.batches(from: row, behind: digest)
        while let batch = try batches.next() {
            var progress = AppendProgress(
                sheetID: plan.summary.id, rows: row, digest: digest.description, sent: batch.end, others: fence.others)
            if looks {
                do { try await look() } catch {
                    progress.sent = row
                    try? await save(progress)
                    throw error
                }
            }
            (looks, progress.sent) = (true, batch.end)
            try await save(progress)
            let body = batch.body(with: fence.add(batch.rows, digest: batch.digest))
            do throws(GoogleError) {
                _ = try await client.batchUpdate(spreadsheetID, body: body)
            } catch {
                if !error.mayHaveTakenEffect {
                    progress.sent = row
                    try? await save(progress)
                }
                // Whoever sees a bad request looks first whether another worker has been there.
                guard error.retry == .never, error.code != .badRequest, row > 0 else { throw error }
                throw JobFailure(
                    code: error.code.rawValue,
                    message: "\(error) The first \(row) rows of this job stand in the sheet already; "
                        + "if it is retried, it goes on behind them.", retry: .never)
            }
            (row, digest) = (batch.end, batch.digest)
        }
    }
}
