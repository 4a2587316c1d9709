import JobQueue
import Postgres
import SheetModel

/// Runs all queries of a job, one after another, before anything is sent to Google.
struct QuerySource {
    let job: Job
    let payload: ExportPayload
    let database: SourceDatabase?
    let progress: ProgressReporter

    /// The sheets that the queries give, in the queries' order, and the job with what was saved meanwhile.
    func sheets() async throws -> (sheets: [CheckedSheet], job: Job) {
        guard !payload.queries.isEmpty else { return ([], job) }
        guard let database, let connection = database.connection(forProducer: job.login) else {
            throw JobFailure(
                .noSource,
                "The payload has a query, and there is no database to run it in: set SHEETSYNC_SOURCE_DATABASE_URL, or name "
                    + "the login \(job.login) in SHEETSYNC_SOURCE_DATABASE_URLS.",
                retry: .never)
        }
        let counter = RowCounter()
        return try await withThrowingTaskGroup { group in
            group.addTask { await report(counter) }
            defer { group.cancelAll() }
            let sheets = try await sheets(from: database, as: connection, counter)
            group.cancelAll()
            return (sheets, try await group.next() ?? job)
        }
    }

    private func sheets(
        from database: SourceDatabase, as connection: ConnectionConfiguration, _ counter: RowCounter
    ) async throws -> [CheckedSheet] {
        let share = database.spool.share()
        var sheets: [CheckedSheet] = []
        var cellsLeft = Limits.cells - payload.cellsBesideQueries
        for query in payload.queries {
            let run = QueryRun(
                query: query, source: database, connection: connection, timeZone: payload.shownZone,
                cellsLeft: cellsLeft, share: share, counter: counter)
            let sheet = try await run.sheet()
            cellsLeft -= (sheet.rows.count + 1) * sheet.columns.count
            sheets.append(sheet)
            counter.next()
        }
        return sheets
    }

    /// Tells how many rows have come, once a second while the queries run, and returns the job as it is saved then.
    private func report(_ counter: RowCounter) async -> Job {
        var job = job
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return job }
            if case .new = payload.destination, !job.isRedelivered, job.checkpoint == nil {
                // So that nobody looks for a spreadsheet where the daemon dies during a long query. Noted also where it may not
                // be saved: whoever makes the spreadsheet then saves that first.
                let checkpoint = ExportCheckpoint(stage: .notMade).json
                job.checkpoint = checkpoint
                try? await progress.save(checkpoint, step: "querying", rowsDone: counter.total)
            } else {
                await progress("querying", rowsDone: counter.total)
            }
        }
    }
}
