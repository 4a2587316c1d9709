import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

@testable import sheetsync

/// `sheetsync trial` at a Google that does what the documents say, and at one that does not.
@Suite struct TrialTests {
    /// What a trial said of each probe.
    private struct Report {
        let ended: Ended
        let json: JSON
        private let probes: [String: JSON]

        init(_ ended: Ended) throws {
            self.ended = ended
            json = try #require(try? JSON(parsing: ended.output), "\(ended)")
            probes = Dictionary(
                (json["probes"]?.array ?? []).map { ($0["name"]?.string ?? "", $0) },
                uniquingKeysWith: { one, _ in one })
        }

        var names: Set<String> { Set(probes.keys) }
        func names(_ outcome: String) -> Set<String> {
            Set(probes.filter { $0.value["outcome"]?.string == outcome }.keys)
        }
        func seen(_ name: String) -> String { probes[name]?["seen"]?.string ?? "" }
        func advice(_ name: String) -> String? { probes[name]?["advice"]?.string }
    }

    /// How a Google behaves that differs for one probe, and words of the advice then.
    private struct Deviation {
        let probe: String
        let fault: Fault
        let advice: String
    }

    private static let sheets = GoogleAPI.sheets
    private static let deviations: [[Deviation]] = [
        [
            Deviation(
                probe: "compressed requests",
                fault: .init(.error(status: 400), api: sheets, isForPacked: true, count: nil),
                advice: "plain bodies from its next start"),
            Deviation(
                probe: "taken metadata id",
                fault: .init(
                    .editRequest(pattern: #""metadataId":7\d+,"#, with: ""), api: sheets,
                    body: #"createDeveloperMetadata.*"metadataId":7"#, count: nil), advice: "SHEETSYNC_CONCURRENCY to 1"
            ),
            Deviation(
                probe: "folder by its id",
                fault: .init(
                    .editRequest(pattern: #""id":"[^"]*","#, with: ""), api: .drive, verb: "POST",
                    path: .prefix("/drive/v3/files"), body: #""name":"Folder""#, count: nil), advice: "folder_id"),
            Deviation(
                probe: "size of a write",
                fault: .init(
                    .error(status: 400, message: "Request payload size exceeds the limit: 5000000 bytes."), api: sheets,
                    largerThan: 5_000_000, count: nil), advice: "SHEETSYNC_BATCH_BYTES"),
            Deviation(
                probe: "text stays text",
                fault: .init(
                    .editRequest(pattern: "RAW", with: "USER_ENTERED"), api: sheets,
                    path: .contains("values:batchUpdate"),
                    body: "007", count: nil), advice: "what strangers wrote"),
            Deviation(
                probe: "tables", fault: .init(.error(status: 400), api: sheets, body: "updateTable", count: nil),
                advice: "beside tables"),
            Deviation(
                probe: "cells with errors",
                fault: .init(
                    .editAnswer(pattern: "#DIV/0!", with: "oops"), api: sheets, verb: "GET",
                    path: .contains("values:batchGet"), count: nil), advice: "key columns"),
            Deviation(
                probe: "version of a file",
                fault: .init(
                    .editAnswer(pattern: #""version":"\d+""#, with: #""version":"7""#), api: .drive, verb: "GET",
                    path: .prefix("/drive/v3/files/"), count: nil), advice: "no job rests on it"),
            Deviation(
                probe: "a replace's calls",
                fault: .init(.error(status: 400), api: sheets, body: "deleteConditionalFormatRule", count: nil),
                advice: "new spreadsheets"),
            Deviation(
                probe: "cells below tables",
                fault: .init(
                    .editAnswer(pattern: #""endRowIndex":3"#, with: #""endRowIndex":4"#), api: sheets, verb: "GET",
                    path: .prefix("/v4/spreadsheets/"), count: nil), advice: "beside tables"),
            Deviation(
                probe: "metadata of a column",
                fault: .init(
                    .editRequest(pattern: #""startIndex":0,"endIndex":1"#, with: #""startIndex":4,"endIndex":5"#),
                    api: sheets, body: "insertDimension", count: nil), advice: "from moving columns"),
            Deviation(
                probe: "size of metadata",
                fault: .init(.error(status: 400), api: sheets, body: "sheetsync_trial_size", count: nil),
                advice: "few columns"),
            Deviation(
                probe: "pasted text",
                fault: .init(
                    .editRequest(pattern: #""data":"=1"#, with: #""data":"'=1"#), api: sheets, body: "pasteData",
                    count: nil), advice: "no job rests on it"),
            Deviation(
                probe: "copy by its id",
                fault: .init(
                    .editRequest(pattern: #""id":"[^"]*","#, with: ""), api: .drive, path: .contains("/copy"),
                    body: "Copy by its id", count: nil), advice: "--json"),
            Deviation(
                probe: "trash and back",
                fault: .init(
                    .editRequest(pattern: "true", with: "false"), api: .drive, verb: "PATCH", body: "trashed",
                    count: nil),
                advice: "--json"),
        ],
        [
            Deviation(
                probe: "values by grid range",
                fault: .init(
                    .error(status: 400), api: sheets, path: .contains("values:batchUpdateByDataFilter"),
                    body: "gridRange",
                    count: nil), advice: "rows as cells from its next start"),
            Deviation(
                probe: "an export's calls",
                fault: .init(.editRequest(pattern: "46348", with: "46347"), api: sheets, body: "46348", count: nil),
                advice: "--json"),
            Deviation(
                probe: "copy from a hidden sheet",
                fault: .init(
                    .editRequest(pattern: "PASTE_VALUES", with: "PASTE_FORMAT"), api: sheets, body: "PASTE_VALUES",
                    count: nil), advice: "SHEETSYNC_BATCH_BYTES"),
            Deviation(
                probe: "banding in one batch",
                fault: .init(
                    .error(status: 400), api: sheets, body: "addBanding.*deleteBanding.*addBanding", count: nil),
                advice: "without bands"),
            Deviation(
                probe: "requests of a write",
                fault: .init(.error(status: 400), api: sheets, body: #""columnIndex":19\b"#, count: nil),
                advice: "fewer rows"),
            Deviation(
                probe: "conversion of a workbook",
                fault: .init(
                    .editAnswer(pattern: #""frozenRowCount":1"#, with: #""frozenRowCount":0"#), api: sheets,
                    verb: "GET",
                    path: .prefix("/v4/spreadsheets/"), count: nil), advice: "no job rests on it"),
            Deviation(
                probe: "moves",
                fault: .init(
                    .error(status: 403, reason: "forbidden"), api: .drive, verb: "PATCH", body: #"^\{\}$"#, count: nil),
                advice: "by hand"),
            Deviation(
                probe: "links",
                fault: .init(
                    .editRequest(pattern: #""uri":"[^"]*""#, with: #""uri":"https://example.org/""#), api: sheets,
                    body: #""values":\[\{"userEnteredValue":\{"stringValue":"page"#, count: nil), advice: "HYPERLINK"),
            Deviation(
                probe: "locale and zone",
                fault: .init(
                    .editRequest(pattern: "Asia/Tokyo", with: "Etc/GMT"), api: sheets, body: "Asia/Tokyo", count: nil),
                advice: "copy_of"),
            Deviation(
                probe: "spreadsheet in an answer",
                fault: .init(
                    .editRequest(
                        pattern: #""includeSpreadsheetInResponse":true"#, with: #""includeSpreadsheetInResponse":false"#
                    ),
                    api: sheets, body: "includeSpreadsheetInResponse", count: nil), advice: "no job rests on it"),
            Deviation(
                probe: "list of changes",
                fault: .init(
                    .editAnswer(pattern: #""fileId":"[^"]*""#, with: #""fileId":"other""#), api: .drive, verb: "GET",
                    path: .contains("/changes"), count: nil), advice: "no job rests on it"),
            Deviation(
                probe: "copies",
                fault: .init(
                    .editRequest(pattern: #""sheetsync_trial":"2""#, with: #""sheetsync_trial":"3""#), api: .drive,
                    path: .contains("/copy"), count: nil), advice: "copy_of"),
            Deviation(
                probe: "sharing",
                fault: .init(
                    .error(status: 403, reason: "forbidden"), api: .drive, verb: "POST",
                    path: .contains("/permissions"),
                    count: nil), advice: "by hand"),
        ],
    ]

    private var onRequest: Set<String> { Set(Probe.all.filter(\.isOnRequest).map(\.name)) }

    private func program(_ stage: Stage) -> Program { stage.daemon.with(["SHEETSYNC_LIST_DELAY": "1"]) }

    @Test func allHoldsWhereGoogleDoesWhatItsDocumentsSay() async throws {
        try await Stage.with { stage in
            let before = try await stage.program(.operator)("status", "--json")
            #expect(try JSON(parsing: before.output)["trial"] == .null, "\(before)")
            let report = try Report(try await program(stage)("trial", "--json"))
            report.ended.expect(0)
            #expect(report.names == Set(Probe.all.map(\.name)) && Probe.all.count == report.names.count)
            #expect(onRequest.count == 4 && report.names("not_tried") == onRequest, "\(report.json)")
            #expect(
                report.names("differs").isEmpty && report.names("holds").count == Probe.all.count - 4, "\(report.json)")
            #expect(report.seen("conversion of a workbook").contains("locale en_US"), "\(report.json)")
            // Every call that changes something is counted, and each probe keeps to its share.
            let verbs = stage.emulator.journal.entries.filter {
                $0.verb != "GET" && $0.api != .oauth && !$0.path.hasSuffix("ByDataFilter")
                    || $0.path.hasSuffix("values:batchUpdateByDataFilter")
            }
            #expect(report.json["writes"]?.int == verbs.count, "\(report.json["writes"] ?? .null): \(verbs.count)")
            #expect((10...40).contains(verbs.count))
            let planned = Probe.all.reduce(TrialStage.writesOfPlace) { $0 + $1.writes }
            #expect(verbs.count <= planned && planned <= TrialStage.mostWrites, "\(planned)")
            #expect(stage.spreadsheets.isEmpty, "\(stage.spreadsheets)")
            // Nothing in it tells whose it is.
            for part in ["@", "ya29", "emulated-project", stage.directory.path] {
                #expect(!report.ended.output.contains(part), "\(part): \(report.ended)")
            }
            #expect(report.ended.output.firstMatch(of: /[A-Za-z0-9_-]{30,}/) == nil, "\(report.ended)")
            let status = try await stage.program(.operator)("status")
            #expect(
                status.output.contains("Google was tried on ") && status.output.contains("probes hold"), "\(status)")
            let doctor = try await program(stage)("doctor")
            #expect(doctor.output.contains("Google was tried on"), "\(doctor)")
        }
    }

    @Test(arguments: [0, 1]) func eachDeviationIsSeenWithItsAdvice(_ number: Int) async throws {
        try await Stage.with { stage in
            let deviations = Self.deviations[number]
            let faults = deviations.map { ($0, stage.emulator.addFault($0.fault)) }
            let report = try Report(try await program(stage)("trial", "--json"))
            report.ended.expect(1)
            #expect(report.names("differs") == Set(deviations.map(\.probe)), "\(report.json)")
            for (deviation, fault) in faults {
                let advice = report.advice(deviation.probe)
                #expect(advice?.contains(deviation.advice) == true, "\(deviation.probe): \(advice ?? "nothing")")
                #expect(stage.emulator.strikes(of: fault) > 0, "\(deviation.probe)")
            }
            if number == 0 {
                #expect(report.seen("size of a write").contains("4 MB"), "\(report.json)")
            } else {
                let seen = report.seen("conversion of a workbook")
                #expect(seen.contains("not kept: the frozen row;"), "\(seen)")
            }
            #expect(report.json["writes"]?.int ?? 99 <= TrialStage.mostWrites, "\(report.json)")
            #expect(stage.spreadsheets.isEmpty, "\(stage.spreadsheets)")
            let status = try await stage.program(.operator)("status", "--json")
            let differs = try JSON(parsing: status.output)["trial"]?["differs"]?.array ?? []
            #expect(Set(differs.compactMap { $0["name"]?.string }) == report.names("differs"), "\(status)")
            let doctor = try await program(stage)("doctor")
            #expect(doctor.output.contains("WARN") || doctor.output.contains("warn"), "\(doctor)")
            #expect(doctor.output.contains(deviations[0].probe), "\(doctor)")
        }
    }

    @Test func eachProbeHasADeviation() {
        let others: Set = ["delay of lists"]
        let tried = Set(Self.deviations.joined().map(\.probe)).union(others).union(onRequest)
        #expect(tried == Set(Probe.all.map(\.name)))
    }

    @Test func aLateListIsSeen() async throws {
        try await Stage.with { stage in
            stage.emulator.delayLists(seconds: 4)
            let report = try Report(try await program(stage)("trial", "--json"))
            report.ended.expect(1)
            #expect(report.names("differs") == ["delay of lists"], "\(report.json)")
            #expect(report.seen("delay of lists").contains("later than the setting says"), "\(report.json)")
            #expect(report.advice("delay of lists")?.contains("SHEETSYNC_LIST_DELAY") == true)
        }
    }

    @Test func theQuotaIsUsedUpOnRequest() async throws {
        var quotas = QuotaLimits()
        (quotas.sheetsWritesPerUser, quotas.sheetsReadsPerUser) = (60, 60)
        try await Stage.with(quotas: quotas) { stage in
            let settings = program(stage)
            let same = try Report(
                try await settings.with([
                    "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "60", "SHEETSYNC_QUOTA_WINDOW": "1",
                ])(
                    "trial", "--json", "--quota"))
            #expect(same.names("differs").isEmpty && same.names("not_tried").isEmpty, "\(same.json)")
            #expect(same.seen("write quota").contains("WriteRequestsPerMinutePerUser is 60"), "\(same.json)")
            #expect(same.seen("read quota").contains("ReadRequestsPerMinutePerUser is 60"), "\(same.json)")
            #expect(same.seen("read quota").contains("names when the window began"), "\(same.json)")
            #expect(same.seen("cost of a spreadsheet in an answer").contains("they do not"), "\(same.json)")
            // Answers cost reads now, and a sixth of so many new files may come at once.
            quotas.answersCostReads = true
            quotas.driveCreatesPerUser = 60
            stage.emulator.setQuotas(quotas)
            let other = try Report(
                try await settings.with([
                    "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "90", "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER": "90",
                ])("trial", "--json", "--quota"))
            let advice = [
                "write quota": "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER",
                "read quota": "SHEETSYNC_SHEETS_READS_PER_MINUTE_USER",
                "cost of a spreadsheet in an answer": "no job rests on it",
                "new files at once": "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER",
            ]
            #expect(other.names("differs") == Set(advice.keys), "\(other.json)")
            for (probe, words) in advice { #expect(other.advice(probe)?.contains(words) == true, "\(probe)") }
        }
    }

    /// What has another way beside it is not tried again by every daemon and every job.
    @Test func daemonsGoByWhatWasSeen() async throws {
        try await Stage.with { stage in
            let packed = stage.emulator.addFault(
                .init(.error(status: 400), api: .sheets, isForPacked: true, count: nil))
            let ranges = stage.emulator.addFault(
                .init(.error(status: 400), api: .sheets, path: .contains("values:batchUpdateByDataFilter"), count: nil))
            func strikes() -> [Int] { [packed, ranges].map(stage.emulator.strikes) }
            func exportLarge() async throws {
                try await program(stage).with(["SHEETSYNC_BATCH_BYTES": "40000"]).withDaemon { _ in
                    let rows = (0..<2_000).map { JSON.array([JSON($0), "some text of a row"]) }
                    let payload: JSON = ["title": "Large", "columns": ["a", "b"], "rows": .array(rows)]
                    let job = try await stage.ended(try await stage.enqueue("export", payload))
                    #expect(job.state == "completed", "\(job.json)")
                    #expect(stage.values(job)?.array?.count == 2_001)
                }
            }
            try await exportLarge()
            let unknowing = strikes()
            #expect(unknowing.allSatisfy { $0 > 0 }, "a daemon that knows nothing tries both: \(unknowing)")
            _ = try await program(stage)("trial", "--json").expect(1)
            let struck = strikes()
            #expect(zip(struck, unknowing).allSatisfy { $0 > $1 }, "\(struck)")
            try await exportLarge()
            #expect(strikes() == struck)
        }
    }

    @Test func aTrialNeedsNoDatabaseAndMayLeaveItsFolder() async throws {
        try await Stage.with { stage in
            let ended = try await program(stage).without("DATABASE_URL")("trial", "--keep").expect(0)
            #expect(ended.errors.contains("nothing keeps what was seen"), "\(ended)")
            #expect(
                ended.output.contains("of at most 40 writes") && ended.output.contains("stays in Drive"), "\(ended)")
            #expect(ended.output.contains("holds") && ended.output.contains("On it rests"), "\(ended)")
            #expect(stage.spreadsheets.contains("Trial"))
            // Whoever may not keep findings is told so, and sees them all the same.
            let reader = try await program(stage).with(["DATABASE_URL": stage.url(.operator)])("trial", "--json")
            reader.expect(1)
            #expect(reader.errors.contains("cannot be kept"), "\(reader)")
            let away = try await program(stage).with(["GOOGLE_API_ENDPOINT": "http://127.0.0.1:1"])("trial")
            away.expect(2)
            #expect(away.errors.contains("no trial can be made"), "\(away)")
        }
    }

    /// The names of what lies in the emulated Drive, but for the drives themselves.
    private func files(_ stage: Stage) -> [String] {
        (stage.emulator.state(showsValues: false)["files"]?.array ?? []).compactMap { $0["name"]?.string }
            .filter { $0 != "My Drive" }
    }

    @Test(arguments: [("place", SIGTERM), ("probe", SIGINT), ("probe", SIGTERM)])
    func aSignalTakesTheFolderAway(_ moment: String, _ signal: Int32) async throws {
        try await Stage.with { stage in
            // Either the sheets of the place are being made, or a probe is at work.
            let fault: Fault =
                moment == "place"
                ? .init(.hang, api: .sheets, body: "addSheet", count: nil)
                : .init(.hang, api: .drive, path: .contains("/changes"), count: nil)
            let struck = stage.emulator.addFault(fault)
            let ended = try await program(stage).launch(["trial"]) { trial in
                try await wait(for: "the trial to hang", within: .seconds(120), seeing: { trial.output + trial.errors })
                {
                    stage.emulator.strikes(of: struck) > 0
                }
                #expect(files(stage).contains("SheetSync trial (may be deleted)"), "\(files(stage))")
                trial.send(signal)
            }
            ended.expect(128 + signal)
            #expect(ended.errors.contains("stopped by \(signal == SIGINT ? "SIGINT" : "SIGTERM")"), "\(ended)")
            #expect(files(stage).isEmpty, "\(files(stage))")
            let status = try JSON(parsing: try await stage.program(.operator)("status", "--json").output)
            // What was tried before is kept.
            #expect((status["trial"]?["probes"]?.int ?? 0 > 10) == (moment == "probe"), "\(status)")
        }
    }

    @Test func aFolderThatStaysIsNamed() async throws {
        try await Stage.with { stage in
            _ = stage.emulator.addFault(.init(.error(status: 500), api: .drive, verb: "DELETE", count: nil))
            let struck = stage.emulator.addFault(.init(.hang, api: .drive, path: .contains("/changes"), count: nil))
            let ended = try await program(stage).launch(["trial"]) { trial in
                try await wait(for: "the trial to hang", within: .seconds(120), seeing: { trial.output + trial.errors })
                {
                    stage.emulator.strikes(of: struck) > 0
                }
                trial.send(SIGTERM)
            }
            ended.expect(143)
            #expect(ended.errors.contains("\"SheetSync trial (may be deleted)\" may be left"), "\(ended)")
            #expect(ended.errors.contains("remove it there by hand"), "\(ended)")
            #expect(files(stage).contains("SheetSync trial (may be deleted)"))
        }
    }

    @Test func aSecondSignalEndsItAtOnce() async throws {
        try await Stage.with { stage in
            _ = stage.emulator.addFault(.init(.hang, api: .drive, verb: "DELETE", count: nil))
            let struck = stage.emulator.addFault(.init(.hang, api: .drive, path: .contains("/changes"), count: nil))
            let ended = try await program(stage).launch(["trial"]) { trial in
                try await wait(for: "the trial to hang", within: .seconds(120), seeing: { trial.output + trial.errors })
                {
                    stage.emulator.strikes(of: struck) > 0
                }
                trial.send(SIGINT)
                try await trial.expectToSay("removing the folder")
                trial.send(SIGTERM)
            }
            ended.expect(143)
            #expect(ended.errors.contains("stopped by a second signal"), "\(ended)")
            #expect(ended.errors.contains("remove it there by hand"), "\(ended)")
        }
    }

    /// Each thing that a conversion may lose is told by its name.
    @Test func whatAConversionLosesIsNamed() {
        func cell(_ value: JSON, _ pattern: String? = nil) -> JSON {
            let format = pattern.map { JSON.string($0) }
            return format.map { ["userEnteredValue": value, "userEnteredFormat": ["numberFormat": ["pattern": $0]]] }
                ?? ["userEnteredValue": value]
        }
        func sheet(
            bold: Bool = true, texts: (JSON, JSON) = (["stringValue": "=1+1"], ["stringValue": "007"]),
            day: Double = 46348, patterns: [String] = TrialWorkbook.patterns, frozen: JSON = 1, width: JSON = 210
        ) -> JSON {
            let names: [JSON] = TrialWorkbook.header.map {
                [
                    "userEnteredValue": ["stringValue": .string($0)],
                    "userEnteredFormat": ["textFormat": ["bold": .bool(bold)]],
                ]
            }
            let row: [JSON] = [
                cell(texts.0), cell(["numberValue": 1234.5], patterns[0]),
                cell(["numberValue": JSON(day)], patterns[1]), cell(["numberValue": 0.25], patterns[2]),
                cell(["boolValue": true]),
            ]
            let rows: [JSON] = [["values": .array(names)], ["values": .array(row)], ["values": [cell(texts.1)]]]
            return [
                "sheets": [
                    [
                        "properties": ["gridProperties": ["frozenRowCount": frozen]],
                        "data": [["columnMetadata": [["pixelSize": width]], "rowData": .array(rows)]],
                    ]
                ]
            ]
        }
        let text: JSON = ["stringValue": "007"]
        #expect(Probe.lost(sheet()) == [])
        #expect(Probe.lost(sheet(bold: false)) == ["bold"])
        #expect(Probe.lost(sheet(texts: (["formulaValue": "=1+1"], text))) == ["text that looks like a formula"])
        #expect(
            Probe.lost(sheet(texts: (["stringValue": "=1+1"], ["numberValue": 7]))) == ["text that looks like a number"]
        )
        #expect(Probe.lost(sheet(day: 46347)) == ["days"])
        #expect(Probe.lost(sheet(patterns: ["0", "yyyy-mm-dd", "0.00%"])) == ["formats of numbers"])
        #expect(Probe.lost(sheet(patterns: ["#,##0.00", "0", "0.00%"])) == ["formats of days"])
        #expect(Probe.lost(sheet(frozen: 0)) == ["the frozen row"])
        #expect(Probe.lost(sheet(width: 100)) == ["widths"])
        #expect(Probe.lost([:]).count == 13)
    }
}
