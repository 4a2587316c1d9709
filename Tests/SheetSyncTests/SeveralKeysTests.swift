import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Subprocess
import TestSupport
import Testing

/// One installation with a folder of three service accounts' keys; each account has a Drive and a quota of its own.
@Suite struct SeveralKeysTests {
    private let accounts = ["", "-2", "-3"].map { "sheetsync\($0)@emulated-project.iam.gserviceaccount.com" }

    private func stage(
        quotas: QuotaLimits = .init(), _ body: (Stage, Program) async throws -> Void
    ) async throws {
        try await Stage.with(serviceAccounts: 3, quotas: quotas) { stage in
            try await body(
                stage,
                stage.daemon.with([
                    "GOOGLE_SHEETS_CREDENTIALS_PATH": stage.keys, "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER": "100000",
                    "SHEETSYNC_SHEETS_READS_PER_MINUTE_PROJECT": "100000",
                ]))
        }
    }

    @Test func eachKeyHasItsQuotaAndAllShareTheProjects() async throws {
        let (limit, project, length) = (8, 20, 6)
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.sheetsWritesPerUser, quotas.sheetsWritesPerProject) = (length, limit, project)
        try await stage(quotas: quotas) { stage, daemon in
            let daemon = daemon.with([
                "SHEETSYNC_QUOTA_WINDOW": "\(length)", "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "\(limit)",
                "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_PROJECT": "\(project)", "SHEETSYNC_CONCURRENCY": "16",
            ])
            var ids: [Int] = []
            for number in 1...80 { ids.append(try await stage.enqueue("export", export("Export \(number)"))) }
            try await daemon.withDaemon { running in
                try await wait(for: "the exports", within: .seconds(120), seeing: { running.errors }) {
                    try await stage.queue.inspector.count(.outcome) == 80
                }
            }
            #expect(
                try await stage.queue.psql("select state, count(*) from sheetsync.jobs group by 1") == "completed|80")
            #expect(stage.spreadsheets.count == 80, "lost 0, duplicated 0")
            let writes = stage.emulator.journal.entries.filter { $0.api == .sheets && $0.verb == "POST" }
            let refused = writes.filter { $0.status == 429 }.count
            let windows = Dictionary(grouping: writes.filter { $0.status == 200 }) { $0.time / 1000 / length }
                .sorted { $0.key < $1.key }
                .map { window in accounts.map { account in window.value.filter { $0.account == account }.count } }
            print("of \(limit) each and \(project) together in a window \(windows) were used, \(refused) refused")
            let sums = windows.map { $0.reduce(0, +) }
            // A call may be counted in one window and written down in the next one.
            #expect((sums.max() ?? 0) > limit * 2 && (sums.max() ?? 0) <= project + 1, "more than two keys could")
            #expect(windows.allSatisfy { $0.allSatisfy { $0 <= limit + 1 } })
            #expect(Set(owners(stage).values) == Set(accounts), "the jobs went to all")
            #expect(refused <= 3)
        }
    }

    /// Nobody else sees what an account made, so that a job of another one would fail.
    @Test func aSpreadsheetGoesToItsMakerWhicheverDaemonHasTheJob() async throws {
        try await stage { stage, daemon in
            var made: [String] = []
            try await daemon.withDaemon { _ in
                var ids: [Int] = []
                for number in 1...9 {
                    let payload: JSON = [
                        "title": .string("Export \(number)"), "columns": ["Id", "Name"], "rows": [[1, "one"]],
                    ]
                    ids.append(try await stage.enqueue("export", payload))
                }
                for id in ids {
                    let job = try await stage.ended(id)
                    made.append(try #require(job.result?["spreadsheet_id"]?.string, "\(job.json)"))
                }
            }
            #expect(Set(owners(stage).values) == Set(accounts), "\(owners(stage))")
            stage.emulator.clearJournal()
            // Another start, and another daemon beside it.
            try await daemon.withDaemon { _ in
                try await daemon.withDaemon { _ in
                    var ids: [Int] = []
                    for id in made {
                        let sheets: [JSON] = [
                            ["name": "Sheet1", "mode": "append", "columns": ["Id", "Name"], "rows": [[2, "two"]]],
                            [
                                "name": "Sheet1", "mode": "upsert", "key": ["Id"], "columns": ["Id", "Name"],
                                "rows": [[1, "ONE"]],
                            ], ["name": "Other", "columns": ["a"], "rows": [["again"]]],
                        ]
                        for sheet in sheets {
                            ids.append(
                                try await stage.enqueue(
                                    "export", ["spreadsheet_id": .string(id), "sheets": [sheet]]))
                        }
                    }
                    for id in ids {
                        let job = try await stage.ended(id)
                        #expect(job.state == "completed" && job.attempt == 1 && job.errorCodes == [], "\(job.json)")
                    }
                }
            }
            let owners = owners(stage)
            for entry in stage.emulator.journal.entries where entry.api == .sheets {
                let id = made.first { entry.path.contains($0) }
                #expect(entry.account == id.flatMap { owners[$0] } && entry.status == 200, "\(entry)")
            }
            for id in made {
                let values = stage.emulator.state(spreadsheetID: id)["spreadsheets"]?[0]?["sheets"]?[0]?["values"]
                #expect(values == [["Id", "Name"], [1, "ONE"], [2, "two"]], "each row once: \(values ?? nil)")
            }
        }
    }

    @Test func aForeignSpreadsheetIsWrittenByWhomItIsSharedWith() async throws {
        try await stage { stage, daemon in
            let person = try await Person(stage)
            let shared = try await person.make()
            try await person.share(shared, with: accounts[1], role: "reader")
            try await person.share(shared, with: accounts[2], role: "writer")
            let closed = try await person.make()
            try await daemon.withDaemon { _ in
                for _ in 1...4 {
                    let job = try await stage.ended(try await stage.enqueue("export", into(shared)))
                    #expect(job.state == "completed" && job.attempt == 1 && job.errorCodes == [], "\(job.json)")
                }
                stage.emulator.clearJournal()
                for (kind, payload) in [
                    ("export", into(shared)), ("format", ["spreadsheet_id": .string(shared), "template": "default"]),
                ] as [(String, JSON)] {
                    let job = try await stage.ended(try await stage.enqueue(kind, payload))
                    #expect(job.state == "completed" && job.errorCodes == [], "\(job.json)")
                }
                let callers = Set(stage.emulator.journal.entries.filter { $0.api == .sheets }.map(\.account))
                #expect(callers == [accounts[2]], "who may write is known by now")

                let job = try await stage.ended(try await stage.enqueue("export", into(closed)))
                #expect(job.state == "discarded" && job.attempt == 1, "\(job.json)")
                #expect(job.errorCodes == ["google.permission_denied"])
                let message = job.errorMessages.first ?? ""
                print(message)
                #expect(accounts.allSatisfy { message.contains($0) }, "\(message)")
            }
            let values = stage.emulator.state(spreadsheetID: shared)["spreadsheets"]?[0]?["sheets"]?[0]?["values"]
            #expect(values?[0]?[0] == "a" && values?[1]?[0] == "x", "\(values?[0] ?? nil)")
        }
    }

    @Test func aForeignFolderOrOriginalIsUsedByWhomItIsSharedWith() async throws {
        try await stage { stage, daemon in
            let person = try await Person(stage)
            let folder = try await person.make("folder")
            try await person.share(folder, with: accounts[2], role: "writer")
            let original = try await person.make()
            try await person.share(original, with: accounts[1], role: "reader")
            try await daemon.withDaemon { _ in
                for number in 1...4 {
                    for (place, id) in [("folder_id", folder), ("copy_of", original)] {
                        var payload = export("\(place) \(number)").object ?? JSONObject()
                        payload[place] = .string(id)
                        try await expectUndisturbed(try await stage.enqueue("export", .object(payload)), stage)
                    }
                }
                let payload: JSON = ["title": "Nowhere", "folder_id": "no-such-folder", "columns": ["a"], "rows": []]
                let job = try await stage.ended(try await stage.enqueue("export", payload))
                #expect(job.state == "discarded" && job.errorCodes == ["google.not_found"], "\(job.json)")
            }
            let found = owners(stage).values.filter { accounts.contains($0) }.sorted()
            #expect(found == [accounts[1], accounts[2]].flatMap { Array(repeating: $0, count: 4) }, "\(found)")
        }
    }

    @Test func whatADeletedKeyWouldDoTheOthersDo() async throws {
        try await stage { stage, daemon in
            let person = try await Person(stage)
            let shared = try await person.make()
            try await person.share(shared, with: accounts[1], role: "writer")
            var theirs: String?
            try await daemon.withDaemon { running in
                for number in 1...9 {
                    _ = try await stage.ended(try await stage.enqueue("export", export("Before \(number)")))
                }
                try await expectUndisturbed(try await stage.enqueue("export", into(shared)), stage)
                theirs = owners(stage).first { $0.value == accounts[1] }?.key
                deleteKeys(stage, [accounts[1]])
                var ids: [Int] = []
                for number in 1...20 { ids.append(try await stage.enqueue("export", export("During \(number)"))) }
                for id in ids { try await expectUndisturbed(id, stage) }
                try await expectToName(accounts[1], "signature", stage, daemon)

                // What it alone may see waits until the key is replaced.
                let late = try await stage.enqueue("export", into(try #require(theirs)))
                // Anew, for the token is gone with the accounts' tokens.
                try await Person(stage).share(shared, with: accounts[2], role: "writer")
                // Whoever is asked first: one who sees nothing, one who has no token, one who may.
                for _ in 1...6 { try await expectUndisturbed(try await stage.enqueue("export", into(shared)), stage) }
                try await running.expectToSay("invalid_grant")
                try await wait(
                    for: "job \(late) to be given back", seeing: { try await stage.job(late).json.description }
                ) {
                    try await stage.job(late).waitsFor?.code.hasPrefix("google.") == true
                }
                deleteKeys(stage, [])
                try await expectUndisturbed(late, stage)
                let status = try await healthyStatus(stage)
                #expect(!status.output.contains("gives no access token"), "\(status)")
            }
            // The key is bad from the start.
            deleteKeys(stage, [accounts[0]])
            try await daemon.withDaemon { _ in
                var ids: [Int] = []
                for number in 1...6 { ids.append(try await stage.enqueue("export", export("After \(number)"))) }
                for id in ids { try await expectUndisturbed(id, stage) }
                try await expectToName(accounts[0], "signature", stage, daemon)
            }
            #expect(stage.spreadsheets.count == 36, "lost 0, duplicated 0, one a person's: \(stage.spreadsheets)")
        }
    }

    /// Which keys there are is read at the start; one whose file goes is as bad as a deleted one.
    @Test func aKeyFileThatIsRemovedIsSaidAndTheOthersGoOn() async throws {
        try await stage { stage, daemon in
            try await daemon.withDaemon { running in
                _ = try await stage.ended(try await stage.enqueue("export", export("Before")))
                try FileManager.default.moveItem(
                    atPath: stage.keys + "/2.json", toPath: stage.directory.path + "/2.json")
                deleteKeys(stage, [accounts[1]])
                var ids: [Int] = []
                for number in 1...12 { ids.append(try await stage.enqueue("export", export("During \(number)"))) }
                for id in ids { try await expectUndisturbed(id, stage) }
                let status = try await stage.program(.operator)("status")
                let flat = status.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                #expect(
                    status.status == .exited(1) && flat.contains("Google gives no access token to \(accounts[1])"),
                    "\(status)")
                running.send(SIGHUP)
                try await running.expectToSay(
                    "the credentials are now those of \(accounts[0]), \(accounts[2]): restart to work as these")
            }
            try await daemon.withDaemon { _ in
                try await expectUndisturbed(try await stage.enqueue("export", export("After")), stage)
            }
            #expect(stage.spreadsheets.count == 14, "lost 0, duplicated 0")
        }
    }

    // MARK: What the tests share

    /// An export of a cell into a spreadsheet that is there.
    private func into(_ id: String) -> JSON {
        ["spreadsheet_id": .string(id), "columns": ["a"], "rows": [["x"]]]
    }

    /// The owners of the spreadsheets, by the files' ids.
    private func owners(_ stage: Stage) -> [String: String] {
        var owners: [String: String] = [:]
        for file in stage.emulator.state(showsValues: false)["files"]?.array ?? []
        where file["mime_type"] == "application/vnd.google-apps.spreadsheet" {
            owners[file["id"]?.string ?? ""] = file["owner"]?.string
        }
        return owners
    }

    private func deleteKeys(_ stage: Stage, _ accounts: Set<String>) {
        var change = AuthorityChange()
        change.deletedKeys = accounts
        change.revokesTokens = !accounts.isEmpty
        stage.emulator.apply(change)
    }

    private func expectUndisturbed(_ id: Int, _ stage: Stage) async throws {
        let job = try await stage.ended(id)
        #expect(job.state == "completed" && job.attempt == 1 && job.errorCodes == [], "\(job.json)")
    }

    /// Expects `status` and `doctor` to say what is wrong with one account, and `doctor` that the others are well.
    private func expectToName(_ account: String, _ words: String, _ stage: Stage, _ daemon: Program) async throws {
        let status = try await stage.program(.operator)("status")
        #expect(status.status == .exited(1) && status.output.hasPrefix("DEGRADED: "), "\(status)")
        let flat = status.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(flat.contains("Google gives no access token to \(account)") && flat.contains(words), "\(status)")
        let doctor = try await daemon("doctor")
        let finding = doctor.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(finding.contains("FAIL token \(account): "), "\(doctor)")
        for other in accounts where other != account {
            #expect(finding.contains("token \(other): Google gives one"), "\(doctor)")
        }
    }

    /// Waits until `status` says OK.
    private func healthyStatus(_ stage: Stage) async throws -> Ended {
        var status = try await stage.program(.operator)("status")
        try await wait(for: "status to say OK", within: .seconds(90), seeing: { status.output }) {
            status = try await stage.program(.operator)("status")
            return status.status == .exited(0)
        }
        return status
    }
}
