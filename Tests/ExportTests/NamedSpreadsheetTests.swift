import Export
import Google
import GoogleEmulator
import HTTPTypes
import JSON
import JobQueue
import TestSupport
import Testing

/// What becomes of a job by the spreadsheet that it names: its time zone, the trash, and files that are no spreadsheets.
@Suite struct NamedSpreadsheetTests {
    /// 2026-07-01T12:00:00Z as New York shows it: 08:00.
    private static let eight = JSON(46_204 + 8.0 / 24)

    private static let newYork: [JSON] = [
        ["updateSpreadsheetProperties": ["properties": ["timeZone": "America/New_York"], "fields": "timeZone"]]
    ]

    private static let columns: JSON = ["k", ["name": "at", "type": "datetime"]]

    /// Makes a file of another type, as a person would.
    private func makeFile(_ stage: ExportStage, _ type: String, _ more: JSON = [:]) async throws -> String {
        var body = more.object ?? JSONObject()
        body["name"] = "Theirs"
        body["mimeType"] = .string(type)
        let answer = try await stage.api.call(
            APIRequest(.drive, .post, "/drive/v3/files", fields: "id", body: JSON.object(body).bytes))
        return try #require(answer["id"]?.string)
    }

    // MARK: Time zones

    @Test(arguments: ["replace", "append", "upsert"])
    func timesAreShownInTheZoneOfTheSpreadsheet(mode: String) async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable([["k", "at"], [7, 0]], Self.newYork)
            try await stage.work { _ in
                var payload = try #require(
                    stage.payload(
                        id, mode, key: mode == "upsert" ? ["k"] : nil, columns: Self.columns,
                        [[7, "2026-07-01T12:00:00Z"]]
                    ).object)
                let job = try await stage.completed(.object(payload))
                #expect(stage.values(id)?.array?.last == [7, Self.eight], "\(stage.values(id) ?? nil)")
                #expect(job.result?["warnings"] == [], "\(job.json)")

                // A zone of the job's own changes neither the spreadsheet's nor what it shows.
                payload["time_zone"] = "Europe/Berlin"
                let other = try await stage.completed(.object(payload))
                #expect(stage.values(id)?.array?.last == [7, Self.eight], "\(stage.values(id) ?? nil)")
                #expect(stage.state(id)?["time_zone"] == "America/New_York")
                let warnings = other.result?["warnings"]?.array ?? []
                #expect(warnings.count == 1, "\(other.json)")
                #expect(
                    warnings.first?.string?.hasPrefix("time_zone: a spreadsheet that is there keeps its own") == true
                        && warnings.first?.string?.contains("America/New_York, not in Europe/Berlin") == true)
                payload["time_zone"] = "America/New_York"
                #expect(try await stage.completed(.object(payload)).result?["warnings"] == [])
            }
        }
    }

    @Test func timesOfALargeReplaceAndOfACopyAreShownInTheZoneToo() async throws {
        try await ExportStage.with(batchBytes: 4_000) { stage in
            let id = try await stage.makeTable([["k", "at"], [7, 0]], Self.newYork)
            let rows = (0..<100).map { [JSON($0), "2026-07-01T12:00:00Z"] as JSON }
            try await stage.work { _ in
                try await stage.completed(stage.payload(id, "replace", columns: Self.columns, .array(rows)))
                #expect(stage.values(id)?[100] == [99, Self.eight])
                let copy = try await stage.completed([
                    "title": "Copy", "copy_of": .string(id), "time_zone": "Europe/Berlin",
                    "sheets": [["name": "Data", "columns": Self.columns, "rows": [[1, "2026-07-01T14:00:00+02:00"]]]],
                ])
                #expect(stage.spreadsheet(copy)?["sheets"]?[0]?["values"]?[1] == [1, Self.eight], "\(copy.json)")
                #expect(stage.spreadsheet(copy)?["time_zone"] == "America/New_York")
                #expect(copy.result?["warnings"]?.array?.count == 1, "\(copy.json)")
            }
        }
    }

    @Test func timesOfAQueryAreShownInTheZoneToo() async throws {
        try await SourceStage.with { source in
            let stage = source.stage
            let id = try await stage.makeTable([["k", "at"]], Self.newYork)
            for (mode, query) in [
                ("replace", "select 1 as k, timestamptz '2026-07-01 12:00+00' as at"),
                ("append", "select 2 as k, timestamptz '2026-07-01 12:00+00' as at order by 1"),
                ("upsert", "select 3 as k, '2026-07-01T12:00:00Z'::text as at"),
            ] {
                let job = try await stage.completed([
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        [
                            "name": "Data", "mode": .string(mode), "key": mode == "upsert" ? ["k"] : nil,
                            "columns": Self.columns, "query": .string(query),
                        ]
                    ],
                ])
                #expect(stage.values(id)?.array?.last?[1] == Self.eight, "\(mode): \(stage.values(id) ?? nil)")
                #expect(job.result?["warnings"] == [])
            }
            let copy = try await source.export(
                "select timestamptz '2026-07-01 12:00+00' as at", ["copy_of": .string(id)])
            let sheet = stage.spreadsheet(copy)?["sheets"]?.array?.last
            #expect(sheet?["values"]?[1]?[0] == Self.eight, "\(copy.json)")
        }
    }

    /// A machine that lacks the zone is the installation's fault: the job waits.
    @Test func aJobWaitsForAZoneThatTheMachineLacks() async throws {
        try await ExportStage.with { stage in
            let id = try await stage.makeTable(
                [["k", "at"]],
                [["updateSpreadsheetProperties": ["properties": ["timeZone": "Mars/Olympus"], "fields": "timeZone"]]])
            try await stage.work { queue in
                let payload = stage.payload(id, "append", columns: Self.columns, [[1, "2026-07-01T12:00:00Z"]])
                let job = try await queue.jobs.enqueue(kind: "export", payload: payload)
                try await wait(
                    for: "job \(job) to wait", seeing: { try await queue.jobs.find(job)?.json.description ?? "" }
                ) { try await queue.jobs.find(job)?.waitsFor?.code == "export.unknown_time_zone" }
                let waiting = try #require(try await queue.jobs.find(job))
                #expect(waiting.waitsFor?.message.contains("Mars/Olympus") == true && waiting.json["errors"] == [])
                // Without times there is nothing to tell.
                let other = try await stage.makeTable(
                    [["k"]],
                    [
                        [
                            "updateSpreadsheetProperties": [
                                "properties": ["timeZone": "Mars/Olympus"], "fields": "timeZone",
                            ]
                        ]
                    ])
                try await stage.completed(stage.payload(other, "append", columns: ["k"], [[1]]))
            }
        }
    }

    // MARK: The trash

    @Test func nothingIsWrittenIntoTheTrash() async throws {
        try await ExportStage.with { stage in
            let folder = try await stage.makeFolder("Old")
            let original = try await stage.makeTable([["k"], [1]])
            let inFolder = try await stage.makeTable([["k"], [1]])
            let root = stage.files("spreadsheet").first?["parent"]?.string ?? ""
            try await stage.change(inFolder, [:], query: [("addParents", folder), ("removeParents", root)])
            try await stage.change(original, ["trashed": true])
            try await stage.change(folder, ["trashed": true])
            try await stage.work { queue in
                for (id, words) in [
                    (original, "is in Drive's trash, and nothing is written there. Restore it in Drive"),
                    (
                        inFolder,
                        "lies in a folder that is in Drive's trash, and nothing is written there. Restore the folder"
                    ),
                ] {
                    let named = JSON.string(id)
                    let payloads: [(String, JSON)] = [
                        ("export", stage.payload(id, "replace", columns: ["k"], [[2]])),
                        ("export", stage.payload(id, "append", columns: ["k"], [[2]])),
                        ("export", stage.payload(id, "upsert", key: ["k"], columns: ["k"], [[2]])),
                        ("export", ["spreadsheet_id": named, "rows": [[2]], "dry_run": true]),
                        ("export", ["title": "Copy", "copy_of": named, "rows": [[2]]]),
                        ("export", ["title": "Copy", "copy_of": named, "rows": [[2]], "dry_run": true]),
                        ("format", ["spreadsheet_id": named, "template": "default"]),
                    ]
                    for (kind, payload) in payloads {
                        let job = try await stage.run(kind, payload)
                        #expect(
                            job.state == "discarded" && job.lastError?.code == "export.target_trashed", "\(job.json)")
                        #expect(job.lastError?.message.contains(words) == true, "\(job.json)")
                    }
                    #expect(stage.values(id) == [["k"], [1]])
                }
                #expect(stage.files("spreadsheet").isEmpty)
                // Whoever has taken it out of the trash retries the job.
                try await stage.change(original, ["trashed": false])
                let first = try #require(try await queue.jobs.list().map(\.id).min())
                _ = try await queue.psql("select sheetsync.retry(\(first))")
                #expect(try await stage.ended(first).state == "completed")
                #expect(stage.values(original)?.array?.prefix(2) == [["k"], [2]])
            }
        }
    }

    // MARK: Files that are no spreadsheets

    @Test func whatIsNoSpreadsheetIsNamedAndNothingIsLeftBehind() async throws {
        try await ExportStage.with { stage in
            let target = try await stage.makeTable([["k"]])
            let google = "application/vnd.google-apps."
            let excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            let cases = [
                (
                    try await makeFile(stage, excel),
                    "names an Excel workbook, not a Google spreadsheet: open it, choose File > Save as Google Sheets and use "
                        + "the new spreadsheet's id"
                ),
                (try await makeFile(stage, "\(google)document"), "names a Google Doc, not a spreadsheet"),
                (try await stage.makeFolder("F"), "names a folder, not a spreadsheet"),
                (try await makeFile(stage, "text/csv"), "open it with Google Sheets and use the new id"),
                (try await makeFile(stage, "application/pdf"), "names a file of the type application/pdf"),
                (
                    try await makeFile(stage, "\(google)shortcut", ["shortcutDetails": ["targetId": .string(target)]]),
                    "names a shortcut; name the file that it points to, \(target)"
                ),
            ]
            let files = stage.emulator.state(showsValues: false)["files"]?.array?.count
            try await stage.work { _ in
                for (id, words) in cases {
                    for (kind, payload, field) in [
                        ("export", ["spreadsheet_id": .string(id), "rows": [[2]]], "spreadsheet_id"),
                        ("export", ["spreadsheet_id": .string(id), "rows": [[2]], "dry_run": true], "spreadsheet_id"),
                        ("export", ["title": "Copy", "copy_of": .string(id), "rows": [[2]]], "copy_of"),
                        ("format", ["spreadsheet_id": .string(id), "template": "default"], "spreadsheet_id"),
                    ] as [(String, JSON, String)] {
                        let job = try await stage.run(kind, payload)
                        #expect(job.state == "discarded" && job.lastError?.code == "payload.invalid", "\(job.json)")
                        let message = job.lastError?.message ?? ""
                        #expect(message.hasPrefix("\(field): ") && message.contains(words), "\(message)")
                    }
                }
                #expect(stage.emulator.state(showsValues: false)["files"]?.array?.count == files)
            }
        }
    }

    /// What Google refuses once the file is made leaves none.
    @Test func aRefusalAfterTheFileIsMadeLeavesNothing() async throws {
        try await ExportStage.with { stage in
            let original = try await stage.makeTable([["k", "v"], [1, 2]])
            let files = stage.emulator.state(showsValues: false)["files"]?.array?.count
            try await stage.work { queue in
                for payload in [
                    ["title": "T", "rows": [[1]], "locale": "es_419"],
                    ["title": "T", "copy_of": .string(original), "rows": [[1]], "locale": "es_419"],
                    // A sheet of the copy whose header does not fit.
                    [
                        "title": "T", "copy_of": .string(original),
                        "sheets": [ExportStage.sheet("Data", "append", columns: ["k", "x"], [[1, 2]])],
                    ],
                ] as [JSON] {
                    let job = try await stage.export(payload)
                    #expect(job.state == "discarded", "\(job.json)")
                    let message = job.lastError?.message ?? ""
                    #expect(message.contains("in which nothing was written, is taken away"), "\(message)")
                    #expect(job.result?["spreadsheet_id"] == nil, "\(job.json)")
                    #expect(stage.emulator.state(showsValues: false)["files"]?.array?.count == files, "\(job.json)")
                }
                // What was written stays, whatever comes behind it.
                let path = Fault.PathRule.contains(":batchUpdate")
                stage.emulator.addFault(Fault(.delay(.zero), api: .sheets, verb: "POST", path: path))
                stage.emulator.addFault(
                    Fault(.error(status: 403, reason: "forbidden"), api: .sheets, verb: "POST", path: path))
                let half = try await stage.export([
                    "title": "T", "copy_of": .string(original),
                    "sheets": [
                        ExportStage.sheet("New", "replace", columns: ["x"], [[1]]),
                        ExportStage.sheet("Data", "append", columns: ["k", "v"], [[1, 2]]),
                    ],
                ])
                #expect(
                    half.state == "discarded" && half.lastError?.code == "google.permission_denied", "\(half.json)")
                #expect(half.lastError?.message.contains("taken away") == false, "\(half.json)")
                #expect(stage.files("spreadsheet").count { $0["name"] == "T" } == 1)
            }
        }
    }
}
