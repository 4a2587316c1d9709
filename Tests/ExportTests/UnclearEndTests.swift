import Google
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Export

@Suite struct UnclearEndTests {
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

    /// Lists show the new spreadsheet at once, or not yet at the first two looks.
    @Test(
        arguments: zip(
            [
                Fault.Action.resetAfter, .resetAfter, .resetBefore, .truncate, .garbage, .html(status: 502),
                .error(status: 503),
            ], [0, 2, 2, 2, 0, 2, 2]))
    func makesOneSpreadsheetWhateverBecomesOfTheFirstCreate(action: Fault.Action, lists: Int) async throws {
        // The folder's create comes first and is let through, so that the spreadsheet's is struck.
        try await ExportStage.with { stage in
            try await stage.work { queue in
                let folder = try await queue.jobs.enqueue(kind: "folder", payload: ["path": "F"])
                #expect(try await stage.ended(folder).state == "completed")
                try await stage.hideNewFiles(fromLists: lists)
                let number = stage.emulator.addFault(
                    Fault(action, api: .drive, verb: "POST", path: .prefix("/drive/v3/files")))
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.json["attempt"] == 2)
                #expect(stage.emulator.strikes(of: number) == 1)
                #expect(stage.files("spreadsheet").count == 1, "\(action)")
                #expect(stage.spreadsheet(job)?["sheets"]?[1]?["values"] == [["n"], [3]])
                #expect(job.result?["warnings"] == [])
            }
        }
    }

    @Test func aJobWithoutACheckpointIsLookedForBeforeItIsMade() async throws {
        try await ExportStage.with { stage in
            // As a worker leaves it that is killed in the middle of the create.
            let id = try await stage.queue.jobs.enqueue(kind: "export", payload: payload)
            try await stage.redeliver(id)
            try await stage.work { _ in
                let job = try await stage.ended(id)
                #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
                // One list for the folder, three for the spreadsheet, and one behind its create.
                #expect(stage.emulator.journal.counts["drive.files.list"] ?? 0 >= 5)
                #expect(job.result?["warnings"] == [])
            }
            #expect(stage.files("spreadsheet").count == 1)
        }
    }

    @Test func ofTwoSpreadsheetsTheOldestIsKeptAndTheOtherOneNamed() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.queue.jobs.enqueue(kind: "export", payload: ["title": "Once", "rows": [[1]]])
            try await stage.redeliver(id)
            let mark = try await stage.mark(of: id)
            var made: [String] = []
            for _ in 0..<2 {
                made.append(
                    try await DriveClient(api: stage.api).createSpreadsheet(
                        name: "Once", parent: nil, appProperties: mark
                    ).id)
                try await Task.sleep(for: .milliseconds(5))
            }
            try await stage.work { _ in
                let job = try await stage.ended(id)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.result?["spreadsheet_id"]?.string == made[0])
                #expect(job.result?["warnings"]?.array?.count == 1)
                #expect(job.result?["warnings"]?[0]?.string?.contains(made[1]) == true, "\(job.json)")
                #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"] == [[1]])
            }
            #expect(stage.files("spreadsheet").count == 2, "nothing is deleted")
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
                    for: "the job to be put off", seeing: { try await queue.jobs.find(id)?.json.description ?? "" }
                ) {
                    let job = try await queue.jobs.find(id)
                    return job?.state == "scheduled" && job?.json["attempt"] == 0
                }
                // Nobody waits a minute in a test.
                try await queue.inspector.makeDue(id)
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

@Suite struct FolderTests {
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
                        try await queue.inspector.count(.outcome, where: "state = 'completed'") == 40
                    }
                }
            }
            #expect(stage.files("folder").count == 2)
            #expect(stage.files("spreadsheet").count == 40)
        }
    }

    @Test func aJobThatMayNotGoOnHoldsNobodyUpWhoWaitsForItsSearch() async throws {
        try await ExportStage.with { stage in
            let memory = FolderMemory(on: stage.queue.connection, schema: "sheetsync", account: "test")
            let folders = FolderDirectory(memory: memory, root: nil)
            let delay = stage.emulator.addFault(Fault(.delay(.seconds(600)), api: .drive, verb: "GET"))
            // It begins the search, and loses its job during the first call.
            let isHeld = Mutex(true)
            let lost = DriveClient(api: stage.api.sending { isHeld.withLock(\.self) })
            let first = Task { try await folders.find(["Shared"], using: lost) }
            try await wait(for: "the search to begin") { stage.emulator.strikes(of: delay) == 1 }
            isHeld.withLock { $0 = false }
            let second = Task { try await folders.find(["Shared"], using: DriveClient(api: stage.api)) }
            // Time enough to wait for the first search; a failure of that must not reach it either way.
            try await Task.sleep(for: .milliseconds(300))
            stage.emulator.removeFault(delay)
            let found = try await second.value
            #expect(stage.files("folder").map { $0["id"]?.string } == [found])
            let error = await #expect(throws: GoogleError.self) { try await first.value }
            #expect(error?.code == .cancelled)
        }
    }

    /// What a person does to a folder that is known and trusted, or that is due to be looked at again.
    enum Change: CaseIterable { case trashed, parentTrashed, renamed, moved }

    private func apply(_ change: Change, to inner: String, in top: String, _ stage: ExportStage) async throws {
        switch change {
        case .trashed: try await stage.change(inner, ["trashed": true])
        case .parentTrashed: try await stage.change(top, ["trashed": true])
        case .renamed: try await stage.change(inner, ["name": "Elsewhere"])
        case .moved:
            let other = try await stage.makeFolder("Other")
            try await stage.change(inner, [:], query: [("addParents", other), ("removeParents", top)])
        }
    }

    @Test(arguments: Change.allCases)
    func noticesWhatBecameOfAFolder(change: Change) async throws {
        try await ExportStage.with(recheck: .zero) { stage in
            try await stage.work { _ in
                let payload: JSON = ["title": "a", "rows": [[1]], "folder": "Top/Inner"]
                let first = try await stage.export(payload)
                let top = try #require(stage.file(named: "Top")?["id"]?.string)
                let inner = try #require(first.result?["folder_id"]?.string)
                try await apply(change, to: inner, in: top, stage)
                let second = try await stage.export(payload)
                #expect(second.state == "completed", "\(second.json)")
                #expect(second.result?["folder_id"]?.string != inner)
                let parent = stage.files("spreadsheet").last?["parent"]
                #expect(parent == second.result?["folder_id"], "\(change)")
                // What is found once more is found the same.
                let third = try await stage.export(payload)
                #expect(third.result?["folder_id"] == second.result?["folder_id"])
            }
        }
    }

    @Test func aSpreadsheetThatFellIntoTheTrashWithItsFolderIsTakenOut() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let payload: JSON = ["title": "a", "rows": [[1]], "folder": "Team"]
                let folder = try #require(try await stage.export(payload).result?["folder_id"]?.string)
                try await stage.change(folder, ["trashed": true])
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.result?["folder_id"]?.string != folder)
                #expect(stage.files("spreadsheet").map { $0["id"] } == [job.result?["spreadsheet_id"]])
                #expect(stage.files("spreadsheet").first?["parent"] == job.result?["folder_id"])
                #expect(job.result?["warnings"] == [])
                let named = try await stage.export(["title": "b", "rows": [[1]], "folder_id": .string(folder)])
                #expect(named.state == "completed" && named.result?["warnings"]?.array?.count == 1, "\(named.json)")
            }
        }
    }

    @Test func aRememberedFolderIsLookedAtOnceInAWhile() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in _ = try await stage.export(["title": "a", "rows": [], "folder": "Team/Inner"]) }
            let other = stage.sibling()
            try await other.work { _ in
                stage.emulator.clearJournal()
                for _ in 0..<3 { _ = try await other.export(["title": "a", "rows": [], "folder": "Team/Inner"]) }
                // Each folder of the path, and what the root's id is.
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 3, "drive.files.create": 3, "sheets.spreadsheets.batchUpdate": 3,
                    ])
            }
        }
    }

    @Test(arguments: [
        "It's", #"back\slash\"#, #"'"#, "\u{1F469}\u{200D}\u{1F469}\u{200D}\u{1F467}", "a/b", "e\u{301}", " x ",
        String(repeating: "n", count: 1_000), "' or trashed = true or name = '",
    ])
    func makesAFolderOfAnyNameOnce(name: String) async throws {
        try await ExportStage.with(recheck: .zero) { stage in
            try await stage.work { _ in
                let path: JSON = [.string(name), .string(name)]
                let jobs = [
                    try await stage.run("folder", ["path": path]), try await stage.run("folder", ["path": path]),
                ]
                #expect(jobs.map(\.state) == ["completed", "completed"], "\(jobs.map(\.json))")
                #expect(jobs[0].result?["folder_id"] == jobs[1].result?["folder_id"])
                #expect(stage.files("folder").map { $0["name"]?.string } == [name, name])
            }
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
