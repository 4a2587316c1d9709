import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@Suite struct SharingTests {
    private static let ada: JSON = ["type": "user", "email": "ada@example.com", "role": "writer"]
    private static let team: JSON = ["type": "group", "email": "team@example.com", "role": "reader"]

    private func permissions(_ job: JobRecord, _ stage: ExportStage) async throws -> [DrivePermission] {
        let id = try #require(job.result?["spreadsheet_id"]?.string)
        return try await DriveClient(api: stage.api).permissions(of: id).filter { $0.role != .owner }
    }

    @Test func sharesWithEachAfterTheDataIsThere() async throws {
        try await ExportStage.with(change: { $0.sharing = Set(DrivePermission.GranteeType.allCases) }) { stage in
            try await stage.work { _ in
                let job = try await stage.export([
                    "title": "Shared", "rows": [[1]],
                    "share": [
                        [
                            "type": "user", "email": "ada@example.com", "role": "writer", "notify": true,
                            "message": "Hi",
                        ],
                        Self.team, ["type": "domain", "domain": "example.org", "role": "commenter"],
                        ["type": "anyone", "role": "reader"],
                    ],
                ])
                #expect(job.state == "completed", "\(job.json)")
                #expect(job.result?["api_calls"] == 6)
                #expect(stage.emulator.journal.counts["drive.permissions.create"] == 4)
                let wanted: Set = [
                    DrivePermission(type: .user, grantee: "ada@example.com", role: .writer),
                    DrivePermission(type: .group, grantee: "team@example.com", role: .reader),
                    DrivePermission(type: .domain, grantee: "example.org", role: .commenter),
                    DrivePermission(type: .anyone, grantee: "", role: .reader),
                ]
                #expect(Set(try await permissions(job, stage)) == wanted)
                let methods = stage.emulator.journal.entries.map(\.method)
                #expect(
                    methods.firstIndex(of: "sheets.spreadsheets.batchUpdate") ?? .max
                        < methods.firstIndex(of: "drive.permissions.create") ?? 0)
            }
        }
    }

    @Test func aTemplatedExportOfAThousandRowsTakesTwoCallsAndThreeWhenShared() async throws {
        let rows = JSON.array((0..<1000).map { [JSON($0), .string("row \($0)"), JSON(Double($0) * 1.5)] })
        try await ExportStage.with { stage in
            try await stage.work { _ in
                #expect(try await stage.run("folder", ["path": "Known"]).state == "completed")
                for shares in [[], [Self.ada]] {
                    stage.emulator.clearJournal()
                    let job = try await stage.export([
                        "title": "Thousand", "folder": "Known", "template": "default",
                        "columns": ["id", "name", ["name": "amount", "type": "currency", "format": "EUR"]],
                        "rows": rows,
                        "share": .array(shares),
                    ])
                    #expect(job.state == "completed", "\(job.json)")
                    var wanted = ["drive.files.create": 1, "sheets.spreadsheets.batchUpdate": 1]
                    if !shares.isEmpty { wanted["drive.permissions.create"] = 1 }
                    #expect(stage.emulator.journal.counts == wanted)
                    #expect(job.result?["api_calls"]?.int == wanted.count)
                    #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"]?.array?.count == 1001)
                }
            }
        }
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .garbage, .error(status: 503)])
    func sharesOnceWhateverBecomesOfTheCall(action: Fault.Action) async throws {
        try await ExportStage.with { stage in
            let fault = stage.emulator.addFault(Fault(action, api: .drive, path: .contains("/permissions")))
            try await stage.work { _ in
                let job = try await stage.export(["title": "Once", "rows": [[1]], "share": [Self.ada, Self.team]])
                #expect(job.state == "completed" && job.json["attempt"] == 2, "\(job.json)")
                #expect(stage.emulator.strikes(of: fault) == 1)
                #expect(try await permissions(job, stage).count == 2)
                // What stood already was not asked for again.
                let isDone = action == .resetAfter || action == .garbage
                #expect(stage.emulator.journal.counts["drive.permissions.create"] == (isDone ? 2 : 3))
                #expect(stage.files("spreadsheet").count == 1)
                #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"] == [[1]])
            }
        }
    }

    @Test func onAnExistingSpreadsheetNobodyIsToldOrLoweredAgain() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let first = try await stage.export(["title": "S", "rows": [[1]], "share": [Self.ada]])
                stage.emulator.clearJournal()
                let second = try await stage.export([
                    "spreadsheet_id": try #require(first.result?["spreadsheet_id"]), "rows": [[2]],
                    "share": [["type": "user", "email": "ADA@example.com", "role": "reader"], Self.team],
                ])
                #expect(second.state == "completed", "\(second.json)")
                #expect(stage.emulator.journal.counts["drive.permissions.create"] == 1)
                #expect(try await permissions(second, stage).map(\.role).sorted() == [.reader, .writer])
            }
        }
    }

    @Test func whatTheSettingsDoNotAllowIsRefusedBeforeTheFirstCall() async throws {
        try await ExportStage.with(change: { $0.sharing = [.user] }) { stage in
            try await stage.work { _ in
                for share in [Self.team, ["type": "anyone", "role": "reader"]] {
                    let job = try await stage.export(["title": "S", "rows": [], "share": [Self.ada, share]])
                    #expect(job.state == "discarded" && job.lastError?.code == "payload.not_allowed", "\(job.json)")
                    #expect(job.lastError?.message.hasPrefix("share[1].type: SHEETSYNC_SHARING") == true)
                }
                #expect(stage.emulator.journal.total == 0)
            }
        }
    }

    @Test func aRefusedGranteeIsNamedByItsPlaceAndAFailedMailIsAWarning() async throws {
        try await ExportStage.with { stage in
            try await stage.work { queue in
                stage.emulator.addFault(
                    Fault(
                        .error(status: 400, reason: "invalidSharingRequest", message: "No such account."), api: .drive,
                        path: .contains("/permissions")))
                let refused = try await stage.export(["title": "S", "rows": [[1]], "share": [Self.ada]])
                #expect(refused.state == "discarded" && refused.lastError?.code == "google.sharing_refused")
                #expect(refused.lastError?.message.hasPrefix("share[0]: ") == true, "\(refused.json)")
                #expect(refused.lastError?.message.contains("ada@") == false)
                let kept = try await queue.psql(
                    "select checkpoint -> 'result' ->> 'spreadsheet_id' from sheetsync.progress where id = \(refused.id)"
                )
                #expect(stage.files("spreadsheet").map { $0["id"]?.string } == [kept])
                #expect(refused.result?["spreadsheet_id"]?.string == kept, "\(refused.json)")
                stage.emulator.addFault(
                    Fault(
                        .error(
                            status: 400, reason: "invalidSharingRequest",
                            message: "The items were successfully shared but emails could not be sent."), api: .drive,
                        path: .contains("/permissions")))
                let warned = try await stage.export(["title": "S", "rows": [[1]], "share": [Self.ada]])
                #expect(warned.state == "completed", "\(warned.json)")
                #expect(warned.result?["warnings"]?[0]?.string?.hasPrefix("share[0]: ") == true)
            }
        }
    }

    /// The rows are all there: a job whose sharing is refused shows what a finished one does.
    @Test(arguments: ["new", "copy", "replace", "append", "staged"])
    func aRefusedShareLeavesTheWholeResult(into kind: String) async throws {
        try await ExportStage.with(batchBytes: kind == "staged" ? 1_000 : 8_000_000) { stage in
            let target = JSON.string(try await stage.makeTable([["k"], [0]]))
            try await stage.work { _ in
                var payload = JSONObject([
                    .init(
                        name: "sheets",
                        value: [
                            [
                                "name": "Data", "mode": kind == "append" ? "append" : "replace", "columns": ["k"],
                                "rows": .array((1...(kind == "staged" ? 100 : 3)).map { [JSON($0)] }),
                            ]
                        ])
                ])
                if kind == "new" || kind == "copy" { payload["title"] = "S" }
                if kind == "copy" { payload["copy_of"] = target }
                if kind != "new", kind != "copy" { payload["spreadsheet_id"] = target }
                let wanted = try await stage.completed(.object(payload))
                payload["share"] = [Self.ada]
                stage.emulator.addFault(
                    Fault(
                        .error(status: 400, reason: "invalidSharingRequest", message: "No such account."), api: .drive,
                        verb: "POST", path: .contains("/permissions")))
                let refused = try await stage.export(.object(payload))
                #expect(refused.state == "discarded" && refused.lastError?.code == "google.sharing_refused")
                #expect(refused.lastError?.message.hasPrefix("share[0]: ") == true, "\(refused.json)")
                #expect(refused.result?.object?.names == wanted.result?.object?.names, "\(refused.json)")
                for name in ["sheets", "cells", "warnings"] {
                    #expect(refused.result?[name] == wanted.result?[name], "\(refused.json)")
                }
                #expect(refused.result?["spreadsheet_url"]?.string?.isEmpty == false)
                stage.emulator.removeFaults()
            }
        }
    }

    @Test func domainsMayBeFewerThanAll() async throws {
        try await ExportStage.with(change: {
            $0.sharing = Set(DrivePermission.GranteeType.allCases)
            $0.sharingDomains = ["example.com"]
        }) { stage in
            try await stage.work { _ in
                for (share, field) in [
                    (["type": "user", "email": "a@example.org", "role": "reader"], "share[1].email"),
                    (["type": "user", "email": "a@example.com.evil.org", "role": "reader"], "share[1].email"),
                    (["type": "group", "email": "a@sub.example.com", "role": "reader"], "share[1].email"),
                    (["type": "domain", "domain": "example.org", "role": "reader"], "share[1].domain"),
                    (["type": "anyone", "role": "reader"], "share[1].type"),
                ] as [(JSON, String)] {
                    let job = try await stage.export(["title": "No", "rows": [[1]], "share": [Self.ada, share]])
                    #expect(job.state == "discarded" && job.lastError?.code == "payload.not_allowed", "\(job.json)")
                    #expect(job.lastError?.message.hasPrefix(field) == true, "\(job.json)")
                }
                #expect(stage.emulator.journal.entries.filter { $0.api != .oauth }.isEmpty)
                let job = try await stage.export([
                    "title": "Yes", "rows": [[1]],
                    "share": [
                        Self.ada, ["type": "user", "email": "B@EXAMPLE.COM", "role": "reader"],
                        ["type": "domain", "domain": "example.com", "role": "reader"],
                    ],
                ])
                #expect(job.state == "completed", "\(job.json)")
            }
        }
    }

    /// Whom the folder for an export is shared with, and what the settings allow.
    struct Outside: CustomTestStringConvertible {
        let testDescription: String
        var sharing: Set<DrivePermission.GranteeType> = [.user, .group]
        var domains: Set<String> = []
        var shared: [DrivePermission] = []
        let isAllowed: Bool
    }

    @Test(arguments: [
        Outside(testDescription: "none", sharing: [], isAllowed: false),
        Outside(testDescription: "people", isAllowed: true),
        Outside(
            testDescription: "everybody", shared: [DrivePermission(type: .anyone, grantee: "", role: .reader)],
            isAllowed: false),
        Outside(
            testDescription: "everybody where that is allowed", sharing: [.user, .group, .domain, .anyone],
            shared: [DrivePermission(type: .anyone, grantee: "", role: .reader)], isAllowed: true),
        Outside(
            testDescription: "a stranger", domains: ["example.com"],
            shared: [DrivePermission(type: .user, grantee: "eve@example.org", role: .reader)], isAllowed: false),
        Outside(
            testDescription: "a colleague", domains: ["example.com"],
            shared: [DrivePermission(type: .user, grantee: "ada@example.com", role: .reader)], isAllowed: true),
    ]) func aFolderElsewhereCountsAsSharing(outside: Outside) async throws {
        let account = "sheetsync@emulated-project.iam.gserviceaccount.com"
        try await ExportStage.with(change: {
            $0.account = account
            $0.defaultFolder = ["Exports"]
            $0.sharing = outside.sharing
            $0.sharingDomains = outside.domains
        }) { stage in
            let elsewhere = try await stage.makeFolder("Elsewhere")
            let drive = DriveClient(api: stage.api)
            for permission in outside.shared { try await drive.share(elsewhere, with: permission, notify: false) }
            let owner = try await drive.permissions(of: elsewhere).first { $0.role == .owner }?.grantee
            #expect(owner == account, "the identity's address is another one")
            try await stage.work { _ in
                let job = try await stage.export(["title": "There", "folder_id": .string(elsewhere), "rows": [[1]]])
                #expect(job.state == (outside.isAllowed ? "completed" : "discarded"), "\(job.json)")
                #expect(stage.files("spreadsheet").count == (outside.isAllowed ? 1 : 0))
                if !outside.isAllowed {
                    #expect(job.lastError?.code == "payload.not_allowed", "\(job.json)")
                    #expect(job.lastError?.message.hasPrefix("folder_id: ") == true, "\(job.json)")
                }
                // What lies in the default folder is the operator's choice.
                let inside = try #require(
                    try await stage.run("folder", ["path": "Team"]).result?["folder_id"])
                let other = try await stage.export(["title": "Here", "folder_id": inside, "rows": [[1]]])
                #expect(other.state == "completed", "\(other.json)")
                // And it is looked at once.
                stage.emulator.clearJournal()
                let third = try await stage.export(["title": "Again", "folder_id": inside, "rows": [[1]]])
                #expect(third.state == "completed" && third.result?["api_calls"] == 2, "\(third.json)")
            }
        }
    }

    @Test func aFolderOfTheSharedDriveIsTheOperators() async throws {
        try await ExportStage.with(
            .init(sharedDriveID: "0ADrive"),
            change: {
                $0.sharedDriveID = "0ADrive"
                $0.sharing = []
            }
        ) { stage in
            try await stage.work { _ in
                let folder = try #require(try await stage.run("folder", ["path": "A/B"]).result?["folder_id"])
                for id in [folder, "0ADrive"] {
                    let job = try await stage.export(["title": "In", "folder_id": id, "rows": [[1]]])
                    #expect(job.state == "completed", "\(job.json)")
                }
            }
        }
    }

    @Test func loginHoldsForWhatJobsOfTheSameLoginMade() async throws {
        try await ExportStage.with(change: { $0.targets = .login }) { stage in
            let queue = stage.queue
            let (one, other) = ("one_of_\(queue.database)", "other_of_\(queue.database)")
            for login in [one, other] {
                _ = try await queue.psql("create role \(login) login; grant sheetsync_producer to \(login)")
            }
            func run(_ kind: String, _ payload: JSON, as login: String) async throws -> JobRecord {
                let id = try await QueueClient(queue.schema, on: queue.connection(as: login))
                    .enqueue(kind: kind, payload: payload)
                return try await stage.ended(id)
            }
            let foreign = try await stage.makeSpreadsheet("A person's")
            try await stage.work { _ in
                let made = try await run("export", ["title": "One's", "rows": [[1]]], as: one)
                let id = try #require(made.result?["spreadsheet_id"], "\(made.json)")
                // Whose it is stays known when the job is not any more.
                try await queue.inspector.ageOutcomes(byDays: 99)
                _ = try await queue.psql("select sheetsync.remove_finished(86400, 1000)")
                #expect(try await queue.jobs.find(made.id) == nil)
                func payloads(_ id: JSON) -> [(String, JSON, field: String)] {
                    [
                        ("export", ["title": "Copy", "copy_of": id, "rows": [[2]]], "copy_of"),
                        ("format", ["spreadsheet_id": id, "template": "default"], "spreadsheet_id"),
                        ("export", ["spreadsheet_id": id, "rows": [[3]]], "spreadsheet_id"),
                    ]
                }
                let before = stage.emulator.state(spreadsheetID: id.string)
                for (kind, payload, field) in payloads(id) + payloads(.string(foreign)) {
                    let job = try await run(kind, payload, as: other)
                    #expect(job.state == "discarded" && job.lastError?.code == "export.foreign_target", "\(job.json)")
                    let said =
                        "SHEETSYNC_TARGETS is login, and \(field) names a file that no job of the login \(other) made."
                    #expect(job.lastError?.message.hasPrefix(said) == true, "\(job.json)")
                }
                #expect(stage.emulator.state(spreadsheetID: id.string) == before, "nothing was written")
                #expect(stage.files("spreadsheet").count == 2, "no copy was made")
                for (kind, payload, _) in payloads(id) {
                    let job = try await run(kind, payload, as: one)
                    #expect(job.state == "completed", "\(job.json)")
                }
            }
        }
    }

    /// Drive gives a copy the properties of its original.
    @Test func aCopyBelongsToWhoseJobMadeIt() async throws {
        try await ExportStage.with { stage in
            let login = "copier_of_\(stage.queue.database)"
            _ = try await stage.queue.psql("create role \(login) login; grant sheetsync_producer to \(login)")
            try await stage.work { _ in
                let id = try #require(
                    try await stage.export(["title": "Old", "rows": [[1]]]).result?["spreadsheet_id"])
                let copier = QueueClient(stage.queue.schema, on: try stage.queue.connection(as: login))
                let copy = try await stage.ended(
                    try await copier.enqueue(
                        kind: "export", payload: ["title": "New", "copy_of": id, "rows": [[2]]]))
                #expect(copy.state == "completed", "\(copy.json)")
                let logins = stage.files("spreadsheet").map { $0["app_properties"]?["sheetsync_login"]?.string ?? "" }
                #expect(logins.sorted() == [login, "postgres"].sorted(), "\(stage.files("spreadsheet"))")
            }
        }
    }

    @Test func ownHoldsForCopiesAndFormatsToo() async throws {
        try await ExportStage.with(change: { $0.targets = .own }) { stage in
            let foreign = try await stage.makeSpreadsheet("A person's")
            try await stage.work { _ in
                for (kind, payload) in [
                    ("export", ["title": "Copy", "copy_of": .string(foreign), "rows": [[1]]]),
                    ("format", ["spreadsheet_id": .string(foreign), "template": "default"]),
                    ("export", ["spreadsheet_id": .string(foreign), "rows": [[1]]]),
                ] as [(String, JSON)] {
                    let job = try await stage.run(kind, payload)
                    #expect(job.state == "discarded" && job.lastError?.code == "export.foreign_target", "\(job.json)")
                }
                #expect(stage.files("spreadsheet").count == 1)
                #expect(stage.emulator.journal.counts["drive.files.copy"] == nil)
                let own = try await stage.export(["title": "Own", "rows": [[1]]])
                let id = try #require(own.result?["spreadsheet_id"])
                let copy = try await stage.export(["title": "Copy", "copy_of": id, "rows": [[2]]])
                #expect(copy.state == "completed", "\(copy.json)")
                let format = try await stage.run("format", ["spreadsheet_id": id, "template": "default"])
                #expect(format.state == "completed", "\(format.json)")
            }
        }
    }
}
