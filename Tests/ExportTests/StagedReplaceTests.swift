import Export
import Google
import GoogleEmulator
import HTTPTypes
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// Replacements that take more than one write.
@Suite struct StagedReplaceTests {
    private static let smallBatch = 4_000

    /// A spreadsheet of somebody's: `Data` with old rows, a filter, bands and a merged cell; before and behind it others.
    private static func makeTarget(_ stage: ExportStage, oldRows: Int = 50) async throws -> String {
        let rows = (0..<oldRows).map { row -> JSON in
            [
                "values": [
                    ["userEnteredValue": ["stringValue": "old"]], ["userEnteredValue": ["numberValue": JSON(row)]],
                ]
            ]
        }
        return try await stage.makeSpreadsheet(
            "Theirs",
            [
                ["updateSheetProperties": ["properties": ["sheetId": 0, "title": "First"], "fields": "title"]],
                ["addSheet": ["properties": ["sheetId": 7, "title": "Data"]]],
                ["addSheet": ["properties": ["sheetId": 8, "title": "Last"]]],
                [
                    "updateCells": [
                        "start": ["sheetId": 7, "rowIndex": 0, "columnIndex": 0], "fields": "userEnteredValue",
                        "rows": .array(rows),
                    ]
                ],
                ["setBasicFilter": ["filter": ["range": ["sheetId": 7]]]],
                [
                    "addBanding": [
                        "bandedRange": [
                            "bandedRangeId": 5, "range": ["sheetId": 7],
                            "rowProperties": [
                                "firstBandColorStyle": ["rgbColor": ["red": 1]],
                                "secondBandColorStyle": ["rgbColor": ["red": 0.5]],
                            ],
                        ]
                    ]
                ],
                [
                    "mergeCells": [
                        "range": [
                            "sheetId": 7, "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 8,
                            "endColumnIndex": 10,
                        ], "mergeType": "MERGE_ALL",
                    ]
                ],
            ])
    }

    private static func payload(_ id: String, rows: Int = 60, version: String = "new") -> JSON {
        [
            "spreadsheet_id": .string(id),
            "sheets": [
                [
                    "name": "Data",
                    "columns": [
                        "n", ["name": "d", "type": "date"], ["name": "l", "type": "link"],
                        ["name": "f", "type": "formula"], ["name": "t", "type": "text"],
                    ],
                    "rows": .array(
                        (0..<rows).map {
                            [
                                JSON($0), "2026-11-22",
                                ["url": .string("https://example.org/\($0)"), "text": .string("go \"\($0)\"")],
                                .string("=A\($0 + 2)*2"), $0 % 7 == 0 ? JSON.null : .string("=\(version) \($0)"),
                            ]
                        }),
                ],
                [
                    "name": "Added", "columns": ["version", "x"],
                    "rows": .array((0..<rows).map { [.string(version), $0 % 5 == 0 ? JSON.null : JSON($0)] }),
                ],
            ],
        ]
    }

    /// All that the emulator knows of the sheets, with formats of a row of each kind; ids of new sheets are of no account.
    private static func content(_ stage: ExportStage, _ id: String) throws -> [JSON] {
        let ranges = ["Data!A1:E1", "Data!A2:E2", "Data!A61:E61", "Added!A1:B1", "Added!A61:B61"]
        let state = stage.emulator.state(spreadsheetID: id, formatRanges: ranges)
        let spreadsheet = try #require(state["spreadsheets"]?[0])
        let sheets = try #require(spreadsheet["sheets"]?.array).map { sheet -> JSON in
            var sheet = sheet.object ?? JSONObject()
            if sheet["title"] == "Added" { sheet["id"] = nil }
            sheet["bandings"] = .array(
                (sheet["bandings"]?.array ?? []).map { banding in
                    var banding = banding.object ?? JSONObject()
                    banding["bandedRangeId"] = nil
                    banding["range"] = nil
                    return .object(banding)
                })
            return .object(sheet)
        }
        return sheets + [spreadsheet["formats"] ?? .null]
    }

    /// What one batch makes of the target, for comparison.
    private static func expected(_ payload: (String) -> JSON, oldRows: Int = 50) async throws -> [JSON] {
        let content = Mutex<[JSON]>([])
        try await ExportStage.with { stage in
            let id = try await makeTarget(stage, oldRows: oldRows)
            try await stage.work { _ in
                let job = try await stage.export(payload(id))
                #expect(job.state == "completed" && job.result?["api_calls"] == 4, "\(job.json)")
            }
            let made = try Self.content(stage, id)
            content.withLock { $0 = made }
        }
        return content.withLock { $0 }
    }

    @Test func leavesTheSameAsOneBatch() async throws {
        let expected = try await Self.expected { Self.payload($0) }
        #expect(expected.count == 5)
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            let id = try await Self.makeTarget(stage)
            stage.emulator.clearJournal()
            try await stage.work { _ in
                let job = try await stage.export(Self.payload(id))
                #expect(job.state == "completed", "\(job.json)")
                let content = try Self.content(stage, id)
                for (made, expected) in zip(content, expected) { #expect(made == expected) }
                #expect(content.count == expected.count)
                #expect(job.result?["sheets"]?[0]?["sheet_id"] == 7)
                let added = stage.spreadsheet(job)?["sheets"]?[3]
                #expect(added?["title"] == "Added" && job.result?["sheets"]?[1]?["sheet_id"] == added?["id"])
                #expect(job.result?["warnings"] == [] && job.result?["cells"] == 427)
                // Rows with formulas or links go with the others' requests, plain ones by themselves.
                let counts = stage.emulator.journal.counts
                // Before the last write it looks once more.
                #expect(counts["sheets.spreadsheets.get"] == 2)
                #expect(counts["sheets.spreadsheets.batchUpdate"] ?? 0 > 3, "\(counts)")
                #expect(counts["sheets.spreadsheets.values.batchUpdateByDataFilter"] == 1, "\(counts)")
                // A dry run counts the same calls.
                var payload = try #require(Self.payload(id).object)
                payload["dry_run"] = true
                let dry = try await stage.export(.object(payload))
                let planned = try #require(dry.result?["planned_calls"]?["sheets.spreadsheets.batchUpdate"]?.int)
                let done = counts["sheets.spreadsheets.batchUpdate"] ?? 0
                #expect(planned == done)
            }
        }
    }

    /// Strikes each of a replacement's calls in turn.
    @Test(arguments: [Fault.Action.resetAfter, .resetBefore, .error(status: 503)])
    func survivesAFaultAtEachCall(action: Fault.Action) async throws {
        let expected = try await Self.expected { Self.payload($0) }
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            try await stage.work { _ in
                let first = try await Self.makeTarget(stage)
                stage.emulator.clearJournal()
                let whole = try await stage.export(Self.payload(first))
                #expect(whole.state == "completed", "\(whole.json)")
                let calls = Self.sheetsCalls(stage)
                #expect(calls > 5)
                for call in 0..<calls {
                    let id = try await Self.makeTarget(stage)
                    // The first strikes change nothing, so that the fault comes to the call that is meant.
                    if call > 0 {
                        stage.emulator.addFault(Fault(.delay(.zero), api: .sheets, path: .contains(id), count: call))
                    }
                    let fault = stage.emulator.addFault(Fault(action, api: .sheets, path: .contains(id)))
                    stage.emulator.clearJournal()
                    let job = try await stage.export(Self.payload(id))
                    // libcurl itself repeats a read whose connection breaks: the first call, and the last but two.
                    let isRepeated = [0, calls - 3].contains(call)
                    let attempts = isRepeated && action != .error(status: 503) ? 1 : 2
                    #expect(
                        job.state == "completed" && job.json["attempt"]?.int == attempts,
                        "\(action) at \(call): \(job.json)")
                    #expect(stage.emulator.strikes(of: fault) == 1)
                    #expect(try Self.content(stage, id) == expected, "\(action) at \(call)")
                    #expect(job.result?["sheets"]?[0]?["sheet_id"] == 7)
                    #expect(job.result?["sheets"]?[1]?["sheet_id"] == stage.spreadsheet(job)?["sheets"]?[3]?["id"])
                    #expect(job.result?["warnings"] == [], "\(job.json)")
                    // One or two more looks at the beginning and at the end, and the call that was struck and the one before it
                    // twice: of the last one that took effect not even that.
                    let isDone = call == calls - 1 && action == .resetAfter
                    let more = Self.sheetsCalls(stage) - calls
                    #expect(
                        attempts == 1 || isDone ? more == 1 : (1...5).contains(more),
                        "\(more) more, \(action) at \(call)")
                    stage.emulator.removeFaults()
                }
                print("\(action): \(calls) calls struck one after the other, each replacement whole, none twice")
            }
        }
    }

    @Test func aReaderSeesTheOldOrTheNewAtEachLook() async throws {
        try await ExportStage.with(batchBytes: 5_000) { stage in
            let id = try await Self.makeTarget(stage, oldRows: 0)
            let looks = Looks()
            func payload(_ version: Int) -> JSON {
                let rows = (0..<Looks.rows(of: version)).map { row -> JSON in
                    [JSON(version), JSON(row), .string("\(version) \(String(repeating: "x", count: 40))")]
                }
                return [
                    "spreadsheet_id": .string(id),
                    "sheets": [
                        ["name": "Data", "columns": ["version", "n", "text"], "rows": .array(rows)]
                    ],
                ]
            }
            try await stage.work { _ in
                let first = try await stage.export(payload(0))
                #expect(first.state == "completed", "\(first.json)")
                let (api, path) = (stage.api, "\(APIRequest.sheetsPath(id))/values:batchGetByDataFilter")
                let reader = Task { try await looks.lookOn(path, api) }
                var version = 0
                while looks.seen.count < 1_000 || looks.seen.versions.count < 4, version < 400 {
                    version += 1
                    let job = try await stage.export(payload(version % 8))
                    #expect(job.state == "completed" && (job.result?["api_calls"]?.int ?? 0) > 4, "\(job.json)")
                }
                reader.cancel()
                try await reader.value
            }
            let seen = looks.seen
            print(
                "\(seen.count) looks during replacements: versions \(seen.versions.sorted()), mixed \(seen.mixed.count)"
            )
            #expect(seen.count >= 1_000 && seen.versions.count >= 4 && seen.mixed.isEmpty, "\(seen.mixed.prefix(5))")
        }
    }

    @Test func aDeadJobsHiddenSheetGoesWithTheNextWriteOrIsGoneOnWith() async throws {
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            let id = try await Self.makeTarget(stage)
            func hidden() -> [JSON] {
                let sheets = stage.emulator.state(spreadsheetID: id)["spreadsheets"]?[0]?["sheets"]?.array ?? []
                return sheets.filter { $0["hidden"] == true }
            }
            try await stage.work { queue in
                func dead() async throws -> JobRecord {
                    stage.emulator.addFault(Fault(.delay(.zero), api: .sheets, verb: "POST", count: 2))
                    stage.emulator.addFault(Fault(.error(status: 403, reason: "forbidden"), api: .sheets, verb: "POST"))
                    let job = try await stage.export(Self.payload(id))
                    #expect(job.state == "discarded", "\(job.json)")
                    stage.emulator.removeFaults()
                    return job
                }
                // A person's hidden sheet is none of ours, whatever its name says of other installations.
                let title: JSON = "sheetsync elsewhere job 1-9f86d081 (1)"
                let theirs: JSON = [
                    "requests": [["addSheet": ["properties": ["title": title, "hidden": true]]]]
                ]
                _ = try await SheetsClient(api: stage.api).batchUpdate(id, body: theirs.bytes)
                let first = try await dead()
                #expect(hidden().count == 3)
                // Retried, it goes on where it was.
                stage.emulator.clearJournal()
                _ = try await queue.psql("select sheetsync.retry(\(first.id))")
                let again = try await stage.ended(first.id)
                #expect(again.state == "completed", "\(again.json)")
                #expect(hidden().count == 1)
                let calls = Self.sheetsCalls(stage)

                let second = try await dead()
                #expect(hidden().count == 3)
                // A small write by another job takes the leftovers away.
                let small = try await stage.export([
                    "spreadsheet_id": .string(id), "sheets": [["name": "Data", "rows": [[1]]]],
                ])
                #expect(small.state == "completed" && small.result?["api_calls"] == 4, "\(small.json)")
                #expect(hidden().count == 1)
                // Retried after that, it begins anew.
                stage.emulator.clearJournal()
                _ = try await queue.psql("select sheetsync.retry(\(second.id))")
                let anew = try await stage.ended(second.id)
                #expect(anew.state == "completed", "\(anew.json)")
                #expect(Self.sheetsCalls(stage) > calls && hidden().count == 1)
                #expect(stage.spreadsheet(anew)?["sheets"]?[1]?["values"]?.array?.count == 61)
            }
        }
    }

    /// The calls of Sheets, without the look at the file in Drive.
    private static func sheetsCalls(_ stage: ExportStage) -> Int {
        stage.emulator.journal.entries.count { $0.api == .sheets }
    }

    /// The job is discarded at its last write; another one, which may replace what it wrote, takes the hidden sheets away.
    private static func discardAtTheEnd(
        _ stage: ExportStage, _ id: String, _ action: Fault.Action, other: String, query: Bool = false
    ) async throws -> Int {
        let first = try await makeTarget(stage)
        stage.emulator.clearJournal()
        let payload = query ? queried(first) : payload(first)
        #expect(try await stage.export(payload).state == "completed")
        let writes = stage.emulator.journal.entries.count { $0.api == .sheets && $0.verb == "POST" }
        stage.emulator.addFault(
            Fault(.delay(.zero), api: .sheets, verb: "POST", path: .contains(id), count: writes - 1))
        let fault = stage.emulator.addFault(Fault(action, api: .sheets, verb: "POST", path: .contains(id), count: nil))
        let job = try await stage.queue.jobs.enqueue(
            kind: "export", payload: query ? queried(id) : Self.payload(id), maxAttempts: action == .resetAfter ? 1 : 3)
        let ended = try await stage.ended(job)
        #expect(ended.state == "discarded", "\(ended.json)")
        #expect(stage.emulator.strikes(of: fault) == (action == .resetAfter ? 1 : 3))
        // What it leaves behind is told.
        #expect(ended.result?["spreadsheet_id"]?.string == id, "\(ended.json)")
        #expect(ended.result?["warnings"]?[0]?.string?.contains("not certain") == true, "\(ended.json)")
        stage.emulator.removeFaults()
        let small = try await stage.export([
            "spreadsheet_id": .string(id), "sheets": [["name": .string(other), "rows": [["other"]]]],
        ])
        #expect(small.state == "completed" && small.result?["api_calls"] == 4, "\(small.json)")
        return job
    }

    @Test func hiddenSheetsThatOthersTookAwayAreNoProofOfAReplacement() async throws {
        let expected = try await Self.expected { Self.payload($0) }
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            let id = try await Self.makeTarget(stage)
            try await stage.work { queue in
                let job = try await Self.discardAtTheEnd(stage, id, .error(status: 503), other: "Data")
                _ = try await queue.psql("select sheetsync.retry(\(job))")
                let again = try await stage.ended(job)
                #expect(again.state == "completed", "\(again.json)")
                #expect(try Self.content(stage, id) == expected)
            }
        }
    }

    @Test func aReplacementThatWasDoneIsNotDoneAgainAfterOthers() async throws {
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            let id = try await Self.makeTarget(stage)
            try await stage.work { queue in
                let job = try await Self.discardAtTheEnd(stage, id, .resetAfter, other: "Data")
                stage.emulator.clearJournal()
                _ = try await queue.psql("select sheetsync.retry(\(job))")
                let again = try await stage.ended(job)
                #expect(again.state == "completed", "\(again.json)")
                #expect(stage.emulator.journal.counts == ["drive.files.get": 1, "sheets.spreadsheets.get": 1])
                #expect(stage.spreadsheet(again)?["sheets"]?[1]?["values"]?[0]?[0] == "other", "a later job's")
                #expect(again.result?["sheets"]?.array?.map { $0["rows"] } == [60, 60], "\(again.json)")
            }
        }
    }

    private static func queried(_ id: String) -> JSON {
        [
            "spreadsheet_id": .string(id),
            "sheets": [["name": "Data", "query": "select n, repeat('x', 50) from app.numbers order by n"]],
        ]
    }

    @Test func ofAQueryItTellsWhatWasWrittenThen() async throws {
        try await SourceStage.with(
            batchBytes: Self.smallBatch, sql: "create table app.numbers as select generate_series(1, 200) as n"
        ) { source in
            let (stage, id) = (source.stage, try await Self.makeTarget(source.stage))
            _ = try await stage.queue.psql("grant select on app.numbers to \(source.login)")
            let job = try await Self.discardAtTheEnd(stage, id, .resetAfter, other: "Last", query: true)
            _ = try await stage.queue.psql("delete from app.numbers where n > 10")
            _ = try await stage.queue.psql("select sheetsync.retry(\(job))")
            let again = try await stage.ended(job)
            #expect(again.state == "completed", "\(again.json)")
            #expect(stage.spreadsheet(again)?["sheets"]?[1]?["values"]?.array?.count == 201)
            #expect(again.result?["sheets"]?[0]?["rows"] == 200 && again.result?["cells"] == 402, "\(again.json)")
        }
    }

    @Test func saysWhatToDoWhereOldAndNewHaveNoRoomBesideEachOther() async throws {
        try await ExportStage.with(batchBytes: Self.smallBatch) { stage in
            let id = try await Self.makeTarget(stage)
            let grid: JSON = [
                "requests": [
                    [
                        "updateSheetProperties": [
                            "properties": ["sheetId": 8, "gridProperties": ["rowCount": 382_610, "columnCount": 26]],
                            "fields": "gridProperties(rowCount,columnCount)",
                        ]
                    ]
                ]
            ]
            _ = try await SheetsClient(api: stage.api).batchUpdate(id, body: grid.bytes)
            stage.emulator.clearJournal()
            try await stage.work { _ in
                let job = try await stage.export(Self.payload(id))
                #expect(job.state == "discarded" && job.lastError?.code == "payload.invalid", "\(job.json)")
                #expect(job.lastError?.message.contains("beside each other") == true, "\(job.json)")
                #expect(Self.sheetsCalls(stage) == 2, "nothing was written")
            }
        }
    }
}

/// What somebody sees who reads a sheet again and again while versions of it replace each other.
private final class Looks: Sendable {
    private let state = Mutex((count: 0, versions: Set<Int>(), mixed: [String]()))

    var seen: (count: Int, versions: Set<Int>, mixed: [String]) { state.withLock { $0 } }

    static func rows(of version: Int) -> Int { 150 + version * 10 }

    /// Reads until it is cancelled.
    func lookOn(_ path: String, _ api: APIClient) async throws {
        let filters: JSON = [
            "dataFilters": [["gridRange": ["sheetId": 7]]], "valueRenderOption": "UNFORMATTED_VALUE",
        ]
        while !Task.isCancelled {
            let request = APIRequest(
                .sheets, .post, path, fields: "valueRanges.valueRange.values", body: filters.bytes)
            let answer: JSON
            do { answer = try await api.call(request) } catch {
                guard error.code == .cancelled else { throw error }
                return
            }
            note(answer["valueRanges"]?[0]?["valueRange"]?["values"]?.array?.dropFirst() ?? [])
        }
    }

    private func note(_ rows: ArraySlice<JSON>) {
        let version = rows.first?[0]?.int ?? -1
        let isWhole =
            rows.count == Self.rows(of: version)
            && rows.enumerated().allSatisfy { index, row in
                row[0]?.int == version && row[1]?.int == index && row[2]?.string?.hasPrefix("\(version) ") == true
            }
        state.withLock { state in
            state.count += 1
            state.versions.insert(version)
            if !isWhole { state.mixed.append("\(version) with \(rows.count) rows") }
        }
    }
}
