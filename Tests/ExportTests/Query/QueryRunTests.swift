import Foundation
import GoogleEmulator
import JSON
import JobQueue
import SheetModel
import TestSupport
import Testing

@testable import Export

@Suite struct QueryRunTests {
    private func run(_ source: SourceStage, _ statement: String, cellsLeft: Int) async throws -> CheckedSheet {
        let query = SheetQuery(
            sheet: "S", index: 0, path: "sheets[0]", statement: statement, parameters: [], columns: nil)
        let connection = try SourceStage.configuration(source.stage.queue, source.login)
        let database = SourceDatabase(connection, queueSchema: "sheetsync", spool: source.spool)
        return try await QueryRun(
            query: query, source: database, connection: connection, timeZone: .utc, cellsLeft: cellsLeft,
            share: source.spool.share(), counter: RowCounter()
        ).sheet()
    }

    @Test func aSheetMayBeFullAndNotFuller() async throws {
        try await SourceStage.with { source in
            // The header takes three of the thirty.
            let full = try await run(source, "select g, g, g from generate_series(1, 9) g", cellsLeft: 30)
            #expect(full.rows.count == 9)
            await #expect(throws: PayloadError.self) {
                _ = try await run(source, "select g, g, g from generate_series(1, 10) g", cellsLeft: 30)
            }
            try await wait(for: "the session to be gone") { try await !source.isConnected() }
        }
    }

    /// Rows that come in many blocks are those of the query, from any row on; memory does not grow with them.
    @Test func manyRowsAreThoseOfTheQuery() async throws {
        try await SourceStage.with { source in
            let sheet = try await run(
                source, "select g, g * 0.5, md5(g::text) from generate_series(1, 50000) g", cellsLeft: 1_000_000)
            #expect(sheet.rows.count == 50_000)
            #expect(source.spool.bytesUsed > 1_000_000)
            for first in [0, 49_999, 12_345] {
                var cursor = sheet.rows.cursor(from: first)
                var row = first
                while let line = try cursor.next() {
                    row += 1
                    guard line.starts(with: Array("[\(row),\(row / 2).\(row % 2 * 5),\"".utf8)) else {
                        Issue.record("row \(row): \(String(decoding: line, as: UTF8.self))")
                        return
                    }
                }
                #expect(row == 50_000)
            }
        }
    }

    /// A long query saves that there is no spreadsheet; that must not outlive the create.
    @Test func whatIsSavedDuringALongQueryDoesNotHideACreate() async throws {
        try await SourceStage.with { source in
            let stage = source.stage
            _ = try await stage.queue.psql(
                """
                create table public.seen (n int generated always as identity, stage text);
                create function public.note() returns trigger language plpgsql security definer as $$ begin
                    insert into public.seen (stage) values (new.checkpoint ->> 'stage'); return new; end $$;
                create trigger note after insert or update on sheetsync.progress for each row execute function public.note();
                """)
            let job = try await source.export("select pg_sleep(1.5)")
            #expect(job.state == "completed" && stage.files("spreadsheet").count == 1, "\(job.json)")
            let stages = try await stage.queue.psql(
                "select string_agg(stage, ' ' order by n) from (select stage, min(n) as n from public.seen group by 1) s"
            )
            #expect(stages == "not_made unclear made", "in the order in which they were saved first")
        }
    }

    /// A take-over runs the query anew, and what an earlier attempt wrote of another answer does not stay.
    @Test func anotherAttemptWritesFromTheFirstRow() async throws {
        try await SourceStage.with(
            batchBytes: 20_000, sql: "create table app.n(rows int); insert into app.n values (2000)"
        ) { source in
            let stage = source.stage
            // The first attempt writes some batches, then it fails, and the table has changed before the next one.
            _ = try await stage.queue.psql(
                """
                create function public.shrink() returns trigger language plpgsql security definer as
                    $$ begin update app.n set rows = 1500; return new; end $$;
                create trigger shrink after insert on sheetsync.attempt_error
                    for each row execute function public.shrink();
                """)
            stage.emulator.addFault(
                Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(":batchUpdate"), count: 3))
            stage.emulator.addFault(
                Fault(.error(status: 503), api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
            let job = try await source.export("select g, rows from app.n, generate_series(1, rows) g")
            #expect(job.state == "completed" && job.json["attempt"] == 2, "\(job.json)")
            let values = source.values(job)?.array ?? []
            // The second answer, whole, with nothing of the first: each row says how many there are.
            #expect(values.dropFirst().map { $0 } == (1...1500).map { [JSON($0), 1500] }, "\(values.count) rows")

            // A write of the first attempt that Google gets to only now finds no sheet.
            let sheets = stage.spreadsheet(job)?["sheets"]
            #expect(sheets?.array?.count == 1 && sheets?[0]?["title"] == "Sheet1", "\(sheets?[0]?["title"] ?? .null)")
            #expect(sheets?[0]?["id"]?.int ?? 0 != 0)
        }
    }
}
