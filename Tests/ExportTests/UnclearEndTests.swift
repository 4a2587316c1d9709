import GoogleEmulator
import JSON
import JobQueue
import Postgres
import TestSupport
import Testing

@Suite(.serialized) struct UnclearEndTests {
    private let payload: JSON = [
        "title": "Once", "folder": "F",
        "sheets": [
            ["name": "A", "columns": ["n"], "rows": [[1], [2]]], ["name": "B", "columns": ["n"], "rows": [[3]]],
        ],
    ]

    /// Strikes one call of the first attempt and expects one spreadsheet with each row once in the end.
    private func survive(_ fault: Fault, attempts: Int = 2) async throws {
        try await ExportStage.with { stage in
            let number = stage.emulator.addFault(fault)
            try await stage.work { _ in
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.json["attempt"]?.int == attempts)
                #expect(job.json["errors"]?.array?.count == attempts - 1)
                let sheets = stage.spreadsheet(job)?["sheets"]
                #expect(sheets?[0]?["values"] == [["n"], [1], [2]])
                #expect(sheets?[1]?["values"] == [["n"], [3]])
                #expect(sheets?.array?.count == 2)
            }
            #expect(stage.emulator.strikes(of: number) == attempts - 1, "\(fault.action)")
            #expect(stage.files("spreadsheet").count == 1, "\(fault.action)")
            #expect(stage.files("folder").count == 1)
        }
    }

    @Test(arguments: [
        Fault.Action.resetAfter, .resetBefore, .truncate, .garbage, .html(status: 502), .error(status: 503),
    ])
    func makesOneSpreadsheetWhateverBecomesOfTheFirstCreate(action: Fault.Action) async throws {
        // The folder's create comes first and is let through, so that the spreadsheet's is struck.
        try await ExportStage.with { stage in
            try await stage.work { queue in
                let folder = try await queue.jobs.enqueue(kind: "folder", payload: ["path": "F"])
                #expect(try await stage.ended(folder).state == "completed")
                let number = stage.emulator.addFault(
                    Fault(action, api: .drive, verb: "POST", path: .prefix("/drive/v3/files")))
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.json["attempt"] == 2)
                #expect(stage.emulator.strikes(of: number) == 1)
                #expect(stage.files("spreadsheet").count == 1, "\(action)")
                #expect(stage.spreadsheet(job)?["sheets"]?[1]?["values"] == [["n"], [3]])
            }
        }
    }

    @Test(arguments: [
        Fault.Action.resetAfter, .resetBefore, .truncate, .error(status: 500), .html(status: 503),
    ])
    func writesEachRowOnceWhateverBecomesOfTheFirstWrite(action: Fault.Action) async throws {
        try await survive(Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
    }

    @Test(arguments: [Fault.Action.resetAfter, .truncate, .error(status: 500)])
    func makesOneFolderWhateverBecomesOfTheFirstCreate(action: Fault.Action) async throws {
        try await survive(Fault(action, api: .drive, verb: "POST", path: .prefix("/drive/v3/files")))
    }

    @Test func theQuotaOfAMinuteCostsNoAttempt() async throws {
        try await ExportStage.with { stage in
            stage.emulator.addFault(
                Fault(.error(status: 429, reason: "RATE_LIMIT_EXCEEDED"), api: .sheets, count: 1))
            try await stage.work { queue in
                let id = try await queue.jobs.enqueue(kind: "export", payload: payload)
                try await wait(
                    for: "the job to be put off", seeing: { "\(try await queue.psql("table sheetsync.ready"))" }
                ) {
                    try await queue.psql("select gate, attempt from sheetsync.ready where id = \(id)") == "1|0"
                }
                // Nobody waits a minute in a test.
                _ = try await queue.psql("update sheetsync.ready set run_at = now()")
                let job = try await stage.ended(id)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.json["attempt"] == 1)
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func aRevokedTokenIsReplacedWithoutAnyJobNoticing() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                #expect(try await stage.export(payload).state == "completed")
                var change = AuthorityChange()
                change.revokesTokens = true
                stage.emulator.apply(change)
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.json["attempt"] == 1)
                #expect(stage.emulator.journal.counts["oauth.token"] == 2)
            }
        }
    }
}

@Suite(.serialized) struct FolderTests {
    @Test func adoptsTheOldestLiveFolderOfTheName() async throws {
        try await ExportStage.with { stage in
            let names = ["It's \\ a \"test\" 😀", "Other"]
            var made: [String] = []
            for _ in 0..<2 { made.append(try await stage.makeFolder(names[0])) }
            try await stage.work { queue in
                let id = try await queue.jobs.enqueue(
                    kind: "folder", payload: ["path": .array(names.map(JSON.string))])
                let job = try await stage.ended(id)
                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.files("folder").count == 3)
                #expect(stage.files("folder").last?["parent"]?.string == made[0])
                #expect(job.result?["folder_url"]?.string?.hasSuffix(job.result?["folder_id"]?.string ?? "?") == true)
            }
        }
    }

    @Test func manyJobsAndWorkersOnAColdStartMakeOneFolder() async throws {
        try await ExportStage.with { stage in
            _ = try await stage.queue.psql(
                """
                select sheetsync.enqueue('export', jsonb_build_object('title', 'x', 'rows', '[]'::jsonb, 'folder', 'Cold/Start'))
                from generate_series(1, 40)
                """)
            let other = stage.sibling()
            try await stage.work { queue in
                try await other.work { _ in
                    try await wait(for: "all exports") {
                        try await queue.psql("select count(*) from sheetsync.outcome where state = 'completed'") == "40"
                    }
                }
            }
            #expect(stage.files("folder").count == 2)
            #expect(stage.files("spreadsheet").count == 40)
        }
    }

    @Test func looksAnewForAFolderThatIsGone() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let first = try await stage.export(["title": "a", "rows": [], "folder": "Gone"])
                try await stage.delete(try #require(first.result?["folder_id"]?.string))
                let second = try await stage.export(["title": "b", "rows": [], "folder": "Gone"])
                #expect(second.state == "completed", "\(second.json)")
                #expect(second.result?["folder_id"] != first.result?["folder_id"])
                #expect(stage.files("folder").count == 1)
                let unknown = try await stage.export(["title": "c", "rows": [], "folder_id": "1Unknown"])
                #expect(unknown.state == "discarded")
                #expect(unknown.lastError?.code == "google.not_found")
            }
        }
    }
}
