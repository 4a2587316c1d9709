import Export
import Google
import GoogleEmulator
import HTTPTypes
import JSON
import JobQueue
import TestSupport
import Testing

/// Exports into copies and into spreadsheets that are there.
@Suite struct DestinationTests {
    private static func cells(_ sheet: Int, _ rows: [[JSON]]) -> JSON {
        let rows = rows.map { row -> JSON in
            let cells = row.map { value -> JSON in
                switch value {
                case .string(let text) where text.hasPrefix("="): ["userEnteredValue": ["formulaValue": value]]
                case .string: ["userEnteredValue": ["stringValue": value]]
                default: ["userEnteredValue": ["numberValue": value]]
                }
            }
            return ["values": .array(cells)]
        }
        return [
            "updateCells": [
                "start": ["sheetId": JSON(sheet), "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                "rows": .array(rows),
            ]
        ]
    }

    /// A spreadsheet with a sheet `Data` that has seen use, and a sheet `Notes` of somebody's own.
    private static let used: [JSON] = [
        ["updateSheetProperties": ["properties": ["sheetId": 0, "title": "Data"], "fields": "title"]],
        ["addSheet": ["properties": ["sheetId": 7, "title": "Notes"]]],
        cells(0, [["a", "b", "c"], [1, 2, 3], [4, 5, 6], [7, 8, 9]]), cells(7, [["keep me"]]),
        [
            "mergeCells": [
                "range": [
                    "sheetId": 0, "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2,
                ], "mergeType": "MERGE_ALL",
            ]
        ],
        ["setBasicFilter": ["filter": ["range": ["sheetId": 0]]]],
        [
            "addBanding": [
                "bandedRange": [
                    "bandedRangeId": 1, "range": ["sheetId": 7],
                    "rowProperties": [
                        "firstBandColorStyle": ["rgbColor": ["red": 1]],
                        "secondBandColorStyle": ["rgbColor": ["red": 0.5]],
                    ],
                ]
            ]
        ],
        [
            "addBanding": [
                "bandedRange": [
                    "bandedRangeId": 5, "range": ["sheetId": 0],
                    "rowProperties": [
                        "firstBandColorStyle": ["rgbColor": ["red": 1]],
                        "secondBandColorStyle": ["rgbColor": ["red": 0.5]],
                    ],
                ]
            ]
        ],
    ]

    @Test func replacesTheSheetsThatItNamesAndLeavesTheOthers() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeSpreadsheet("Theirs", Self.used)
            stage.emulator.clearJournal()
            try await stage.work { _ in
                let job = try await stage.export([
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        [
                            "name": "data", "columns": ["x", ["name": "d", "type": "date"]],
                            "rows": [["=1", "2026-11-22"]], "reset": true,
                        ],
                        ["name": "Added", "rows": [[1]]],
                    ],
                ])
                #expect(job.state == "completed", "\(job.json)")
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "sheets.spreadsheets.get": 1, "sheets.spreadsheets.batchUpdate": 1,
                    ])
                #expect(job.result?["spreadsheet_id"]?.string == id)
                #expect(job.result?["spreadsheet_url"]?.string?.contains("/spreadsheets/d/\(id)/edit") == true)
                #expect(job.result?["folder_id"]?.isNull == true)
                let sheets = try #require(stage.spreadsheet(job)?["sheets"]?.array)
                try #require(sheets.map { $0["title"] } == ["data", "Notes", "Added"])
                #expect(sheets.map { $0["id"] } == [0, 7, 1])
                #expect(sheets[0]["values"] == [["x", "d"], ["=1", 46348]])
                #expect(sheets[0]["rows"] == 2 && sheets[0]["columns"] == 2 && sheets[0]["frozen_rows"] == 1)
                #expect(sheets[0]["basic_filter"]?.isNull == true)
                #expect(sheets[0]["bandings"]?.array?.count == 1)
                #expect(sheets[0]["bandings"]?[0]?["bandedRangeId"] != 5)
                #expect(sheets[1]["values"] == [["keep me"]] && sheets[1]["rows"] == 1000)
                #expect(sheets[1]["bandings"]?[0]?["bandedRangeId"] == 1)
                #expect(sheets[2]["values"] == [[1]])
                #expect(stage.spreadsheet(job)?["title"] == "Theirs")
                // The same again gives the same, and a sheet without rows is left empty.
                let again = try await stage.export([
                    "spreadsheet_id": .string(id),
                    "sheets": [["name": "Data", "columns": ["x"], "rows": [], "reset": true]],
                ])
                #expect(again.state == "completed", "\(again.json)")
                #expect(stage.spreadsheet(again)?["sheets"]?[0]?["values"] == [["x"], [nil]])
                #expect(stage.spreadsheet(again)?["sheets"]?[2]?["values"] == [[1]])
            }
        }
    }

    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .error(status: 503)])
    func replacesOnceWhateverBecomesOfTheWrite(action: Fault.Action) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeSpreadsheet("Theirs", Self.used)
            let fault = stage.emulator.addFault(
                Fault(action, api: .sheets, verb: "POST", path: .contains(":batchUpdate")))
            try await stage.work { _ in
                let job = try await stage.export([
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        ["name": "New", "columns": ["x"], "rows": [[1]]],
                        ["name": "Data", "rows": [[2]], "reset": true],
                    ],
                ])
                #expect(job.state == "completed" && job.json["attempt"] == 2, "\(job.json)")
                #expect(stage.emulator.strikes(of: fault) == 1)
                let sheets = try #require(stage.spreadsheet(job)?["sheets"]?.array)
                try #require(sheets.map { $0["title"] } == ["Data", "Notes", "New"])
                #expect(sheets[0]["values"] == [[2]] && sheets[2]["values"] == [["x"], [1]])
            }
        }
    }

    @Test func writesOnlyToItsOwnFilesWhereTheSettingsSaySo() async throws {
        try await ExportStage.with(change: { $0.targets = .own }) { stage in
            let theirs = try await stage.makeSpreadsheet("Theirs", Self.used)
            try await stage.work { _ in
                let own = try await stage.export(["title": "Own", "rows": [[1]]])
                let id = try #require(own.result?["spreadsheet_id"])
                let mine = try await stage.export(["spreadsheet_id": id, "rows": [[2]]])
                #expect(mine.state == "completed", "\(mine.json)")
                #expect(stage.spreadsheet(own)?["sheets"]?[0]?["values"] == [[2]])
                stage.emulator.clearJournal()
                for (kind, payload) in [
                    ("export", ["spreadsheet_id": .string(theirs), "rows": [[2]]]),
                    ("format", ["spreadsheet_id": .string(theirs), "template": "default"]),
                ] as [(String, JSON)] {
                    let job = try await stage.run(kind, payload)
                    #expect(job.state == "discarded")
                    #expect(job.lastError?.code == "export.foreign_target", "\(job.json)")
                }
                #expect(stage.emulator.journal.counts == ["drive.files.get": 2])
            }
        }
    }

    @Test func fillsACopyAndKeepsItsLook() async throws {
        try await ExportStage.with { stage in
            let report: [JSON] =
                Self.used + [
                    Self.cells(7, [["keep me", "=SUM(Data!A2:A10)"]]),
                    [
                        "repeatCell": [
                            "range": ["sheetId": 0, "startRowIndex": 0, "endRowIndex": 1],
                            "cell": ["userEnteredFormat": ["textFormat": ["italic": true]]],
                            "fields": "userEnteredFormat.textFormat.italic",
                        ]
                    ],
                    Self.cells(0, [["a", "b", "c", "beside"]]),
                ]
            let original = try await stage.makeSpreadsheet("Original", report)
            try await stage.work { _ in
                let payload: JSON = [
                    "title": "Report", "copy_of": .string(original), "folder": "Copies",
                    "sheets": [
                        [
                            "name": "Data", "columns": ["n", ["name": "d", "type": "date"]],
                            "rows": [[10, "2026-11-22"], [20]],
                        ],
                        ["name": "More", "columns": ["x"], "rows": [[1]]],
                    ],
                ]
                #expect(try await stage.run("folder", ["path": "Copies"]).state == "completed")
                stage.emulator.clearJournal()
                let job = try await stage.export(payload)
                #expect(job.state == "completed", "\(job.json)")
                #expect(
                    stage.emulator.journal.counts == [
                        "drive.files.get": 1, "drive.files.copy": 1, "sheets.spreadsheets.get": 1,
                        "sheets.spreadsheets.getByDataFilter": 1,
                        "sheets.spreadsheets.batchUpdate": 1,
                    ])
                let id = try #require(job.result?["spreadsheet_id"]?.string)
                let state = stage.emulator.state(spreadsheetID: id, formatRanges: ["Data!A1:A1", "Data!B2:B2"])
                let copy = try #require(state["spreadsheets"]?[0])
                let sheets = try #require(copy["sheets"]?.array)
                try #require(sheets.map { $0["title"] } == ["Data", "Notes", "More"])
                // Old rows below are gone, what stands beside the columns is not.
                let shown = (sheets[0]["values"]?.array ?? []).prefix(3).map { ($0.array ?? []).prefix(4) }
                #expect(shown == [["n", "d", "c", "beside"], [10, 46348, 3], [20, nil, 6]])
                #expect(sheets[0]["values"]?[3]?[0]?.isNull != false)
                #expect(sheets[0]["rows"] == 1000 && sheets[0]["columns"] == 26)
                #expect(copy["formats"]?["Data!A1:A1"]?[0]?[0]?["textFormat"]?["italic"] == true)
                #expect(copy["formats"]?["Data!B2:B2"]?[0]?[0]?["numberFormat"]?["type"] == "DATE")
                #expect(sheets[1]["values"]?[0] == ["keep me", ["formula": "=SUM(Data!A2:A10)"]])
                #expect(sheets[2]["frozen_rows"] == 1)
                let file = try #require(stage.files("spreadsheet").first { $0["id"]?.string == id })
                #expect(file["name"] == "Report" && file["parent"] == job.result?["folder_id"])

                let gone = try await stage.export(["title": "x", "copy_of": "1Gone", "rows": [], "folder": "Copies"])
                #expect(gone.state == "discarded" && gone.lastError?.code == "google.not_found", "\(gone.json)")
                #expect(gone.lastError?.message.hasPrefix("copy_of: ") == true)
                #expect(gone.lastError?.message.hasSuffix(" This identity is test.") == true, "\(gone.json)")
            }
        }
    }

    @Test func whoeverIsRefusedIsToldAsWhom() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                for payload: JSON in [
                    ["spreadsheet_id": "1Gone", "rows": [[1]]], ["title": "x", "folder_id": "1Gone", "rows": [[1]]],
                ] {
                    let job = try await stage.export(payload)
                    #expect(job.state == "discarded" && job.lastError?.code == "google.not_found", "\(job.json)")
                    #expect(job.lastError?.message.hasSuffix(" This identity is test.") == true, "\(job.json)")
                }
            }
        }
    }

    /// A fault of the installation costs no job: all wait with the reason, and go on once somebody has mended it.
    @Test func jobsWaitWhileTheSharedDriveOfTheSettingsIsNone() async throws {
        try await ExportStage.with(.init(sharedDriveID: "0ADrive")) { stage in
            let folder = try await stage.makeFolder("Folder")
            for (id, words) in [
                ("0ANoDrive", "does not exist, or this identity may not see it"),
                (folder, "is the id of a folder, not of a shared drive"),
                ("https://drive.google.com/drive/folders/0ADrive", "is an address, not an id"),
                ("Team drive", "is a name, not an id"),
            ] {
                var waiting: [Int] = []
                try await stage.sibling(inSharedDrive: id).work { queue in
                    waiting = [
                        try await queue.jobs.enqueue(
                            kind: "export", payload: ["title": "x", "rows": [[1]], "folder": "F"]),
                        try await queue.jobs.enqueue(kind: "folder", payload: ["path": "F"]),
                    ]
                    // Into a folder everybody may put files.
                    if id != folder {
                        waiting.append(
                            try await queue.jobs.enqueue(kind: "export", payload: ["title": "x", "rows": [[1]]]))
                    }
                    for job in waiting {
                        try await wait(
                            for: "job \(job) to wait",
                            seeing: { try await queue.jobs.find(job)?.json.description ?? "" }
                        ) { try await queue.jobs.find(job)?.waitsFor?.code == "google.not_found" }
                        let found = try #require(try await queue.jobs.find(job))
                        let message = found.waitsFor?.message ?? ""
                        #expect(
                            message.hasPrefix(
                                "The shared drive \(id), which GOOGLE_DRIVE_SHARED_DRIVE_ID names, \(words)")
                                && message.hasSuffix(" This identity is test."), "\(message)")
                        #expect(found.json["waits_for"]?["needs_mending"] == true && found.json["attempt"] == 0)
                        #expect(found.json["errors"] == [], "\(found.json)")
                    }
                }
                _ = try await stage.queue.psql("update sheetsync.ready set run_at = now()")
                try await stage.sibling(inSharedDrive: "0ADrive").work { _ in
                    for job in waiting {
                        let ended = try await stage.ended(job)
                        #expect(ended.state == "completed", "\(ended.json)")
                    }
                }
            }
            #expect(stage.files("spreadsheet").allSatisfy { $0["drive_id"] == "0ADrive" })
        }
    }

    @Test func jobsWaitWhileTheIdentityIsNoMemberOfTheDriveAnyMore() async throws {
        try await ExportStage.with { stage in
            func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, _ query: String = "")
                async throws
                -> JSON
            {
                try await stage.api.call(
                    APIRequest(
                        .drive, method, path,
                        query: [("supportsAllDrives", "true")] + (query.isEmpty ? [] : [("requestId", query)]),
                        fields: method == .delete ? "" : "id", body: body?.bytes))
            }
            let id = try #require(try await call(.post, "/drive/v3/drives", ["name": "Team"], "once")["id"]?.string)
            let permissions = "/drive/v3/files/\(id)/permissions"
            let own = try await stage.api.call(
                APIRequest(
                    .drive, .get, permissions, query: [("supportsAllDrives", "true")], fields: "permissions(id)"))
            let permission = try #require(own["permissions"]?[0]?["id"]?.string)
            _ = try await call(
                .post, permissions, ["type": "user", "role": "organizer", "emailAddress": "boss@example.com"])
            let team = stage.sibling(inSharedDrive: id)
            try await team.work { queue in
                let first = try await team.export(["title": "x", "rows": [[1]], "folder": "F"])
                #expect(first.state == "completed", "\(first.json)")
                _ = try await call(.patch, "\(permissions)/\(permission)", ["role": "reader"])
                for (words, change) in [
                    (
                        "may not be written to by this identity",
                        { _ = try await call(.delete, "\(permissions)/\(permission)") }
                    ),
                    ("does not exist, or this identity may not see it", {}),
                ] as [(String, () async throws -> Void)] {
                    for payload in [
                        ["title": "x", "rows": [[1]], "folder": "F"], ["title": "x", "rows": [[1]]],
                        ["spreadsheet_id": first.result?["spreadsheet_id"] ?? nil, "rows": [[1]]],
                    ] as [JSON] {
                        let job = try await queue.jobs.enqueue(kind: "export", payload: payload)
                        try await wait(
                            for: "job \(job) to wait",
                            seeing: { try await queue.jobs.find(job)?.json.description ?? "" }
                        ) { try await queue.jobs.find(job)?.waitsFor?.message.contains(words) == true }
                    }
                    try await change()
                    #expect(try await queue.inspector.count(.outcome, where: "state = 'discarded'") == 0)
                    // Else the next jobs of the spreadsheet wait for the first one's turn.
                    _ = try await queue.psql("select sheetsync.cancel(id) from sheetsync.jobs")
                }
            }
        }
    }

    @Test(arguments: zip([Fault.Action.resetAfter, .resetAfter, .resetBefore, .error(status: 500)], [0, 2, 2, 2]))
    func makesOneCopyWhateverBecomesOfTheCall(action: Fault.Action, lists: Int) async throws {
        try await ExportStage.with { stage in
            let original = try await stage.makeSpreadsheet("Original", Self.used)
            try await stage.hideNewFiles(fromLists: lists)
            let fault = stage.emulator.addFault(Fault(action, api: .drive, verb: "POST", path: .contains("/copy")))
            try await stage.work { _ in
                let job = try await stage.export([
                    "title": "Copy", "copy_of": .string(original), "sheets": [["name": "Data", "rows": [[1]]]],
                ])
                #expect(job.state == "completed" && job.json["attempt"] == 2, "\(job.json)")
                #expect(stage.emulator.strikes(of: fault) == 1)
                #expect(stage.files("spreadsheet").filter { $0["name"] == "Copy" }.count == 1, "\(action) \(lists)")
                #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"]?[0]?[0] == 1)
                #expect(job.result?["warnings"] == [])
            }
        }
    }
}
