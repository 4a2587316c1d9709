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
            json = try JSON(parsing: ended.output)
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
                    .editRequest(pattern: #""metadataId":\d+,"#, with: ""), api: sheets,
                    body: "createDeveloperMetadata",
                    count: nil), advice: "SHEETSYNC_CONCURRENCY to 1"),
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
                fault: .init(.error(status: 400), api: sheets, body: "deleteBanding.*addBanding", count: nil),
                advice: "without bands"),
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

    private func program(_ stage: Stage) -> Program { stage.daemon.with(["SHEETSYNC_LIST_DELAY": "1"]) }

    @Test func allHoldsWhereGoogleDoesWhatItsDocumentsSay() async throws {
        try await Stage.with { stage in
            let before = try await stage.program(.operator)("status", "--json")
            #expect(try JSON(parsing: before.output)["trial"] == .null, "\(before)")
            let report = try Report(try await program(stage)("trial", "--json"))
            report.ended.expect(0)
            #expect(report.names == Set(Probe.all.map(\.name)) && Probe.all.count == report.names.count)
            #expect(report.names("not_tried") == ["write quota"], "\(report.json)")
            #expect(
                report.names("differs").isEmpty && report.names("holds").count == Probe.all.count - 1, "\(report.json)")
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
            if number == 0 { #expect(report.seen("size of a write").contains("4 MB"), "\(report.json)") }
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
        quotas.sheetsWritesPerUser = 60
        try await Stage.with(quotas: quotas) { stage in
            let settings = program(stage)
            let same = try Report(
                try await settings.with([
                    "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "60", "SHEETSYNC_QUOTA_WINDOW": "1",
                ])(
                    "trial", "--json", "--quota"))
            #expect(same.names("holds").contains("write quota"), "\(same.json)")
            #expect(same.seen("write quota").contains("is 60"), "\(same.json)")
            stage.emulator.setQuotas(quotas)
            let other = try Report(
                try await settings.with(["SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "90"])(
                    "trial", "--json", "--quota"))
            #expect(other.names("differs").contains("write quota"), "\(other.json)")
            #expect(other.advice("write quota")?.contains("SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER") == true)
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
}
