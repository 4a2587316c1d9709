import Foundation
import GoogleEmulator
import JSON
import JobQueue
import PostgresServer
import TestSupport
import Testing

/// Rows of a query below those of a sheet: an attempt that goes on must have the same rows as the one before.
@Suite(.serialized) struct QueryAppendTests {
    /// Appends forty rows in several writes, of which the second breaks.
    private func append(_ statement: String, _ body: (Stage, JobRecord, [JSON]) throws -> Void) async throws {
        try await Stage.with { stage in
            let reader = "reader_of_\(stage.queue.database)"
            _ = try await stage.queue.psql(
                """
                create role \(reader) login;
                create table public.line as select n from generate_series(1, 40) n;
                grant select on public.line to \(reader);
                """)
            let daemon = stage.daemon.with([
                "SHEETSYNC_BATCH_BYTES": "2000",
                "SHEETSYNC_SOURCE_DATABASE_URL":
                    "postgresql://\(reader)@127.0.0.1:\(stage.queue.server.port)/\(stage.queue.database)",
            ])
            try await daemon.withDaemon { _ in
                let first = try await stage.queue.jobs.enqueue(
                    kind: "export", payload: ["title": "Log", "columns": ["n", "text"], "rows": []])
                let target = try await stage.ended(first).result?["spreadsheet_id"] ?? .null
                for action in [Fault.Action.delay(.zero), .resetBefore] {
                    stage.emulator.addFault(
                        Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
                }
                let id = try await stage.queue.jobs.enqueue(
                    kind: "export",
                    payload: [
                        "spreadsheet_id": target,
                        "sheets": [["name": "Sheet1", "mode": "append", "query": .string(statement)]],
                    ])
                let job = try await stage.ended(id)
                let state = stage.emulator.state(spreadsheetID: target.string)["spreadsheets"]?[0]
                try body(stage, job, state?["sheets"]?[0]?["values"]?.array ?? [])
            }
        }
    }

    @Test func anInterruptedAppendGoesOnWithTheSameRows() async throws {
        try await append("select n, repeat('x', 100) as text from public.line order by n") { _, job, found in
            #expect(job.state == "completed" && job.attempt == 2, "\(job.json)")
            let text = JSON.string(String(repeating: "x", count: 100))
            #expect(found == [["n", "text"]] + (1...40).map { [JSON($0), text] })
        }
    }

    @Test func anInterruptedAppendDoesNotGoOnWithOtherRows() async throws {
        try await append("select n, repeat(random()::text, 6) as text from public.line order by n") { _, job, found in
            #expect(job.state == "discarded", "\(job.json)")
            #expect(job.errorCodes.last == "export.rows_changed", "\(job.json)")
            #expect((2..<41).contains(found.count), "\(found.count) rows stand there")
            #expect(job.errorMessages.last?.contains("appended \(found.count - 1) rows") == true, "\(job.json)")
        }
    }
}
