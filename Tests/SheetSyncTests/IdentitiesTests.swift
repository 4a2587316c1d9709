import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Subprocess
import TestSupport
import Testing

/// One installation that works at Google as several: users of a list, keys of a folder.
@Suite struct IdentitiesTests {
    private let users = (1...5).map { "exports-\($0)@example.com" }

    private func stage(
        quotas: QuotaLimits = .init(), _ body: (Stage, Program) async throws -> Void
    ) async throws {
        try await Stage.with(delegatedUsers: Set(users), quotas: quotas) { stage in
            // As people write lists.
            try await body(
                stage, stage.daemon.with(["GOOGLE_IMPERSONATE_SUBJECT": users.joined(separator: ", ")]))
        }
    }

    @Test func fiveIdentitiesHaveFiveQuotas() async throws {
        let (limit, length) = (8, 6)
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.sheetsWritesPerUser, quotas.sheetsWritesPerProject) = (length, limit, limit * 5)
        try await stage(quotas: quotas) { stage, daemon in
            let daemon = daemon.with([
                "SHEETSYNC_QUOTA_WINDOW": "\(length)", "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "\(limit)",
                "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_PROJECT": "\(limit * 5)", "SHEETSYNC_CONCURRENCY": "16",
            ])
            var ids: [Int] = []
            for number in 1...160 { ids.append(try await stage.enqueue("export", export("Export \(number)"))) }
            try await daemon.withDaemon { running in
                try await wait(for: "the exports", within: .seconds(120), seeing: { running.errors }) {
                    try await stage.queue.inspector.count(.outcome) == 160
                }
                let status = try await stage.program(.operator)("status", "--json")
                for user in users { #expect(status.output.contains("for \(user)"), "\(status)") }
            }
            let ended = "select state, count(*) from sheetsync.jobs group by 1"
            #expect(try await stage.queue.psql(ended) == "completed|160")
            #expect(stage.spreadsheets.count == 160, "lost 0, duplicated 0")
            let shares = try await stage.queue.psql(
                "select account, count(*) from sheetsync.spreadsheet_identity group by 1 order by 1")
            let writes = stage.emulator.journal.entries.filter { $0.api == .sheets && $0.verb == "POST" }
            let windows = Dictionary(grouping: writes) { $0.time / 1000 / length }.sorted { $0.key < $1.key }
            let used = windows.map { $0.value.filter { $0.status == 200 }.count }
            let refused = writes.filter { $0.status == 429 }.count
            print("of \(limit * 5) a window \(used) were used, \(refused) refused; \(shares)")
            #expect(shares.split(separator: "\n").count == 5, "\(shares)")
            #expect((used.max() ?? 0) > limit * 4, "more than four identities could")
            #expect(refused <= 3)
        }
    }

    /// Nobody else may write to a user's own files.
    @Test func aSpreadsheetStaysWithWhoMadeIt() async throws {
        try await stage { stage, daemon in
            try await daemon.withDaemon { _ in
                // A fault after the spreadsheet is there, so that another attempt goes on with it.
                _ = stage.emulator.addFault(Fault(.error(status: 503), api: .sheets, count: 4))
                var first: [Int] = []
                for number in 1...12 { first.append(try await stage.enqueue("export", export("Export \(number)"))) }
                var second: [Int] = []
                for id in first {
                    let made = try await stage.ended(id)
                    #expect(made.state == "completed", "\(made.json)")
                    let payload: JSON = [
                        "spreadsheet_id": made.result?["spreadsheet_id"] ?? nil, "columns": ["a"], "rows": [["again"]],
                    ]
                    second.append(try await stage.enqueue("export", payload))
                }
                for id in second {
                    let job = try await stage.ended(id)
                    #expect(job.state == "completed" && job.attempt == 1, "\(job.json)")
                }
            }
            let makers = try await stage.queue.psql(
                "select count(distinct account) from sheetsync.spreadsheet_identity")
            #expect((Int(makers) ?? 0) > 1, "the jobs went to several")
            #expect(stage.spreadsheets.count == 12, "duplicated 0")
        }
    }

    @Test func aBadKeyOfSeveralIsLeftOut() async throws {
        try await Stage.with { stage in
            let folder = try TemporaryDirectory()
            defer { folder.remove() }
            _ = try folder.write("no key", to: "a.json")
            let daemon = stage.daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": folder.path])
            try await daemon("run").expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS_PATH", "a.json", "JSON")
            _ = try folder.write(try String(contentsOfFile: stage.key, encoding: .utf8), to: "b.json")
            _ = try folder.write("not looked at", to: "README")
            try await daemon.withDaemon { running in
                let job = try await stage.ended(try await stage.enqueue("export", export("By the good one")))
                #expect(job.state == "completed", "\(job.json)")
                #expect(running.errors.contains("a key is left out") && running.errors.contains("a.json"))
                let status = try await stage.program(.operator)("status")
                let flat = status.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(status.status == .exited(1) && flat.hasPrefix("DEGRADED: a key is left out since"), "\(status)")
                #expect(flat.contains("\(folder.path)/a.json"), "\(status)")
            }
            // With the daemon goes what it said.
            #expect(try await stage.queue.psql("select count(*) from sheetsync.report_breaker") == "0")
            let ended = try await daemon.launch(["run"]) { running in
                try await running.expectToSay("worker is ready")
                let job = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await wait(for: "the job to run") { try await stage.job(job).state == "running" }
                running.send(SIGTERM)
                try await running.expectToSay("waiting for running jobs")
                running.send(SIGTERM)
            }
            ended.expect(0)
            let doctor = try await daemon("doctor")
            #expect(doctor.output.contains("a key is left out"), "\(doctor)")
        }
    }
}
