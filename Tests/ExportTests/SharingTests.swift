import Export
import Google
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@Suite(.serialized) struct SharingTests {
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
}
