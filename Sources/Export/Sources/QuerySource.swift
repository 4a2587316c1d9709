import JobQueue
import SheetModel

/// Runs all queries of a job, one after another, before anything is sent to Google.
struct QuerySource {
    let payload: ExportPayload
    let database: SourceDatabase?
    let progress: ProgressReporter

    /// The sheets that the queries give, in the queries' order.
    func sheets() async throws -> [CheckedSheet] {
        guard !payload.queries.isEmpty else { return [] }
        guard let database else {
            throw JobFailure(
                .noSource,
                "The payload has a query, and there is no database to run it in: set SHEETSYNC_SOURCE_DATABASE_URL.",
                retry: .never)
        }
        let counter = RowCounter()
        return try await withThrowingTaskGroup { group in
            group.addTask { await report(counter) }
            defer { group.cancelAll() }
            return try await sheets(from: database, counter)
        }
    }

    private func sheets(from database: SourceDatabase, _ counter: RowCounter) async throws -> [CheckedSheet] {
        let share = database.spool.share()
        var sheets: [CheckedSheet] = []
        var cellsLeft = Limits.cells - payload.cellsBesideQueries
        for query in payload.queries {
            let run = QueryRun(
                query: query, source: database, timeZone: payload.timeZone ?? .utc, cellsLeft: cellsLeft, share: share,
                counter: counter)
            let sheet = try await run.sheet()
            cellsLeft -= (sheet.rows.count + 1) * sheet.columns.count
            sheets.append(sheet)
            counter.next()
        }
        return sheets
    }

    /// Tells how many rows have come, once a second while the queries run.
    private func report(_ counter: RowCounter) async {
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            await progress("querying", rowsDone: counter.total)
        }
    }
}
