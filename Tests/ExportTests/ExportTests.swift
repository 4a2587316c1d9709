import Export
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@Suite struct ExportTests {
    private let people: JSON = [
        "title": "People", "folder": "Team/2026",
        "columns": ["name", ["name": "born", "type": "date"], ["name": "pay", "type": "currency", "format": "EUR"]],
        "rows": [["Ada", "1815-12-10", 12.5], ["=1+1", nil, "7.25"], ["x"]],
    ]

    @Test func makesASpreadsheetInAFolderThatItMakesOnce() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let first = try await stage.export(people)
                #expect(first.state == "completed", "\(first.json)")
                let result = try #require(first.result)
                let spreadsheet = try #require(stage.spreadsheet(first))
                #expect(spreadsheet["title"] == "People")
                #expect(
                    spreadsheet["sheets"]?[0]?["values"] == [
                        ["name", "born", "pay"], ["Ada", -30701, 12.5], ["=1+1", nil, 7.25], ["x", nil, nil],
                    ])
                #expect(spreadsheet["sheets"]?[0]?["frozen_rows"] == 1)
                #expect(spreadsheet["sheets"]?[0]?["bandings"]?.array?.count == 1)
                #expect(result["sheets"]?[0]?["rows"] == 3)
                #expect(result["cells"] == 12)
                #expect(result["warnings"] == [])
                #expect(
                    result["spreadsheet_url"]?.string?.hasSuffix(
                        "/spreadsheets/d/\(result["spreadsheet_id"]?.string ?? "")/edit") == true)

                // The folder is known now: one call to Drive and one to Sheets.
                stage.emulator.clearJournal()
                let second = try await stage.export(people)
                #expect(second.result?["api_calls"] == 2)
                #expect(second.result?["folder_id"] == result["folder_id"])
                #expect(
                    stage.emulator.journal.counts == ["drive.files.create": 1, "sheets.spreadsheets.batchUpdate": 1])
                #expect(stage.files("folder").map { $0["name"]?.string } == ["Team", "2026"])
            }
        }
    }

    @Test func writesSeveralSheetsOfAllTypes() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                let job = try await stage.export([
                    "title": "All", "time_zone": "Europe/Berlin", "locale": "de_DE",
                    "sheets": [
                        [
                            "name": "Types",
                            "columns": [
                                "auto", ["name": "t", "type": "text"], ["name": "n", "type": "number"],
                                ["name": "i", "type": "integer"], ["name": "b", "type": "boolean"],
                                ["name": "d", "type": "date"], ["name": "ti", "type": "time"],
                                ["name": "dt", "type": "datetime"], ["name": "p", "type": "percent"],
                                ["name": "l", "type": "link"], ["name": "f", "type": "formula"],
                            ],
                            "rows": [
                                [
                                    [1, ["a": nil]], "007", 1.5, 12_345_678_901_234_567, true, "2026-03-29", "12:00",
                                    "2026-03-29T01:00:00Z", 0.25, ["url": "https://example.org", "text": "go"], "=A1",
                                ]
                            ],
                        ],
                        ["name": "Objects", "columns": ["b", "a"], "rows": [["a": 1, "c": 9, "b": "x"]]],
                    ],
                ])
                #expect(job.state == "completed", "\(job.json)")
                let spreadsheet = try #require(stage.spreadsheet(job))
                #expect(spreadsheet["locale"] == "de_DE")
                #expect(spreadsheet["time_zone"] == "Europe/Berlin")
                #expect(
                    spreadsheet["sheets"]?[0]?["values"]?[1] == [
                        #"[1,{"a":null}]"#, "007", 1.5, "12345678901234567", true, 46110, 0.5, 46110.125, 0.25, "go",
                        ["formula": "=A1"],
                    ])
                #expect(spreadsheet["sheets"]?[1]?["title"] == "Objects")
                #expect(spreadsheet["sheets"]?[1]?["values"] == [["b", "a"], ["x", 1]])
                #expect(job.result?["warnings"]?.array?.count == 2)
            }
        }
    }

    @Test func putsLargeDataIntoSeveralBatchesAndTellsItsProgress() async throws {
        let rows = (0..<500).map { JSON.array([JSON($0), .string(String(repeating: "é", count: 40))]) }
        try await ExportStage.with(batchBytes: 20_000) { stage in
            try await stage.work { _ in
                let job = try await stage.export(["title": "Large", "columns": ["n", "t"], "rows": .array(rows)])
                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.spreadsheet(job)?["sheets"]?[0]?["values"]?.array?.dropFirst().map { $0 } == rows)
                #expect(stage.emulator.journal.counts["sheets.spreadsheets.values.batchUpdateByDataFilter"] == 2)
                #expect(job.progress?.rowsTotal == 500)
            }
        }
    }

    @Test func sendsPlainCellsAndBodiesWhereGoogleRefusesTheOthers() async throws {
        let rows = (0..<800).map { JSON.array([JSON($0), .string("=\($0)" + String(repeating: "é", count: 40)), nil]) }
        try await ExportStage.with(batchBytes: 20_000) { stage in
            let values = stage.emulator.addFault(
                Fault(.error(status: 400), api: .sheets, path: .contains("/values:"), count: nil))
            let packed = stage.emulator.addFault(
                Fault(.error(status: 415), api: .sheets, isForPacked: true, count: nil))
            try await stage.work { _ in
                for _ in 0..<2 {
                    let job = try await stage.export([
                        "title": "Large", "columns": ["n", "t", "e"], "rows": .array(rows),
                    ])
                    #expect(job.state == "completed" && job.json["attempt"] == 1, "\(job.json)")
                    let made = stage.spreadsheet(job)?["sheets"]?[0]?["values"]?.array ?? []
                    #expect(made.count == 801)
                    #expect(zip(made.dropFirst(), rows).allSatisfy { $0[0] == $1[0] && $0[1] == $1[1] })
                    #expect(stage.emulator.journal.counts["sheets.spreadsheets.batchUpdate"] ?? 0 > 5)
                }
                #expect(stage.emulator.strikes(of: values) == 2, "once a job")
                #expect(stage.emulator.strikes(of: packed) == 1, "once a process")
            }
        }
    }

    @Test func refusesABadPayloadByItsPathAndGoesOn() async throws {
        try await ExportStage.with { stage in
            try await stage.work { _ in
                for (payload, message) in [
                    (["title": "x", "rows": [], "colour": "red"], "colour: "),
                    (
                        [
                            "title": "x",
                            "sheets": [["name": "s", "columns": [["name": "a", "tpye": "text"]], "rows": []]],
                        ],
                        "sheets[0].columns[0].tpye: "
                    ),
                    (["title": "x", "columns": ["a"], "rows": [[1], [1, 2]]], "rows[1]: "),
                    (["rows": []], "title: "),
                ] as [(JSON, String)] {
                    let job = try await stage.export(payload)
                    #expect(job.state == "discarded")
                    #expect(job.lastError?.code == "payload.invalid")
                    #expect(job.lastError?.message.hasPrefix(message) == true, "\(job.lastError?.message ?? "")")
                    #expect(job.json["attempt"] == 1)
                }
                #expect(stage.emulator.journal.total == 0)
                #expect(try await stage.export(people).state == "completed")
            }
        }
    }

    @Test func landsInTheDefaultFolderOrNone() async throws {
        try await ExportStage.with(change: { $0.defaultFolder = ["Reports"] }) { stage in
            try await stage.work { _ in
                let inside = try await stage.export(["title": "a", "rows": []])
                let below = try await stage.export(["title": "b", "rows": [], "folder": ["x/y"]])
                #expect(inside.result?["folder_id"]?.string != nil)
                #expect(below.result?["folder_id"] != inside.result?["folder_id"])
                #expect(stage.files("folder").map { $0["name"]?.string } == ["Reports", "x/y"])
                #expect(stage.files("folder").last?["parent"] == inside.result?["folder_id"])
            }
        }
        try await ExportStage.with(change: { $0.foldersEnabled = false }) { stage in
            try await stage.work { _ in
                let job = try await stage.export(people)
                #expect(job.result?["folder_id"]?.isNull == true)
                #expect(stage.files("folder").isEmpty)
            }
        }
    }

    @Test func livesInASharedDrive() async throws {
        try await ExportStage.with(
            .init(sharedDriveID: "0ASharedDrive", serviceAccountsOwnFiles: false),
            change: { $0.sharedDriveID = "0ASharedDrive" }, recheck: .zero
        ) { stage in
            try await stage.work { _ in
                let job = try await stage.export(people)
                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.files("spreadsheet").map { $0["drive_id"]?.string } == ["0ASharedDrive"])
                let copy = try await stage.export([
                    "title": "Copy", "copy_of": job.result?["spreadsheet_id"] ?? nil, "rows": [[1]],
                    "share": [["type": "user", "email": "ada@example.com", "role": "reader"]],
                ])
                #expect(copy.state == "completed", "\(copy.json)")
                #expect(
                    stage.files("spreadsheet").map { $0["drive_id"]?.string } == ["0ASharedDrive", "0ASharedDrive"])
                let again = try await stage.export(people)
                #expect(again.result?["folder_id"] == job.result?["folder_id"])
                #expect(stage.files("folder").count == 2)
            }
        }
    }

    @Test func saysWhatToDoWhereAServiceAccountHasNoStorage() async throws {
        try await ExportStage.with(.init(serviceAccountsOwnFiles: false)) { stage in
            try await stage.work { _ in
                let job = try await stage.export(["title": "a", "rows": []])
                #expect(job.state == "discarded")
                #expect(job.lastError?.code == "google.storage_quota_exceeded")
                #expect(job.lastError?.message.contains("GOOGLE_DRIVE_SHARED_DRIVE_ID") == true)
            }
        }
    }

    @Test func manyExportsMakeNoCallTooMany() async throws {
        try await ExportStage.with { stage in
            _ = try await stage.queue.psql(
                """
                select sheetsync.enqueue('export', jsonb_build_object('title', 'Export ' || n, 'folder', 'Many',
                    'columns', '["id", "name", "amount"]'::jsonb,
                    'rows', (select jsonb_agg(jsonb_build_array(r, 'row ' || r, r * 1.5)) from generate_series(1, 50) r)))
                from generate_series(1, 300) n
                """)
            try await stage.work { queue in
                try await wait(for: "the exports", within: .seconds(240), every: .milliseconds(100)) {
                    try await queue.inspector.count(.outcome) == 300
                }
            }
            #expect(
                try await stage.queue.psql("select state, count(*) from sheetsync.jobs group by 1") == "completed|300")
            #expect(
                stage.emulator.journal.counts == [
                    "oauth.token": 1, "drive.files.list": 1, "drive.files.generateIds": 1, "drive.files.create": 301,
                    "sheets.spreadsheets.batchUpdate": 300,
                ])
            #expect(stage.files("folder").count == 1)
            #expect(stage.files("spreadsheet").count == 300)
        }
    }
}
