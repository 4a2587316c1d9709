import JSON
import JobQueue
import TestSupport
import Testing

/// Syncs whose runs are mirrors.
@Suite struct MirrorSyncTests {
    private func payload(_ name: String, title: String = "Orders") -> String {
        """
        {"title": "\(title)", "sheets": [{"name": "Data", "mode": "mirror", "key": ["id"], "columns": ["id", "name"],
         "rows": [[1, "\(name)"]]}]}
        """
    }

    @Test func goesOnInTheSpreadsheetThatItsFirstRunMade() async throws {
        try await ExportStage.with { stage in
            try await stage.work { queue in
                func run(_ flags: String = "") async throws -> JSON? {
                    let id = try #require(Int(try await queue.psql("select sheetsync.run_sync('orders'\(flags))")))
                    let job = try await stage.ended(id)
                    #expect(job.state == "completed", "\(job.json)")
                    try await wait(for: "the end of job \(id) to be noted") {
                        try await queue.psql("select not is_open from sheetsync.sync where name = 'orders'") == "t"
                    }
                    return job.result
                }
                _ = try await queue.psql("select sheetsync.put_sync('orders', 'export', '\(payload("a"))')")
                let first = try await run()
                #expect(first?["sheets"]?[0]?["changes"]?["inserted"] == 1)
                _ = try await queue.psql("select sheetsync.put_sync('orders', 'export', '\(payload("b"))')")
                let second = try await run()
                #expect(second?["spreadsheet_id"] == first?["spreadsheet_id"])
                #expect(second?["sheets"]?[0]?["changes"]?["updated"] == 1)
                // Whoever gives it another name wants another one.
                _ = try await queue.psql(
                    "select sheetsync.put_sync('orders', 'export', '\(payload("b", title: "New"))')")
                let third = try await run()
                #expect(third?["spreadsheet_id"] != first?["spreadsheet_id"])
                let fourth = try await run(", from_scratch => true")
                #expect(fourth?["spreadsheet_id"] == third?["spreadsheet_id"])
                let totals = try await queue.psql(
                    "select last_changes ->> 'unchanged' from sheetsync.syncs where name = 'orders'")
                #expect(totals == "1")
            }
        }
    }
}
