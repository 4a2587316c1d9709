import Export
import Glibc
import JSON
import SheetModel
import Testing

/// The work that a payload makes grows as the payload does, whichever part of it grows.
@Suite struct PayloadGrowthTests {
    /// A part of a payload of a kind, as large as told.
    struct Part: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var kind = "export"
        let text: @Sendable (_ size: Int) -> String
    }

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        (0..<count).map(element).joined(separator: ",")
    }

    private static func long(_ count: Int) -> String { String(repeating: "x", count: count) }

    static let parts: [Part] = [
        Part(testDescription: "names of sheets to format", kind: "format") {
            #"{"spreadsheet_id":"1a","template":"t","sheets":[\#(list($0) { "\"s\($0)\"" })]}"#
        },
        Part(testDescription: "one long name of a sheet to format", kind: "format") {
            #"{"spreadsheet_id":"1a","template":"t","sheets":["\#(long($0 * 50))"]}"#
        },
        Part(testDescription: "columns of a key") { size in
            let names = list(size) { "\"c\($0)\"" }
            return
                #"{"spreadsheet_id":"1a","sheets":[{"name":"S","mode":"upsert","key":[\#(names)],"columns":[\#(names)],"rows":[]}]}"#
        },
        Part(testDescription: "columns beside a key") { size in
            let names = list(size) { "\"c\($0)\"" }
            return
                #"{"spreadsheet_id":"1a","sheets":[{"name":"S","mode":"upsert","key":["c0"],"columns":[\#(names)],"rows":[[1]]}]}"#
        },
        Part(testDescription: "columns") { #"{"title":"T","columns":[\#(list($0) { "\"c\($0)\"" })],"rows":[[1]]}"# },
        Part(testDescription: "columns with types") {
            #"{"title":"T","columns":[\#(list($0) { #"{"name":"c\#($0)","type":"\#($0 % 2 == 0 ? "date" : "text")"}"# })],"rows":[]}"#
        },
        Part(testDescription: "members of one row") { size in
            #"{"title":"T","columns":[\#(list(size) { "\"c\($0)\"" })],"rows":[{\#(list(size) { "\"c\(size - 1 - $0)\":1" })}]}"#
        },
        Part(testDescription: "one member again and again") {
            #"{"title":"T","columns":["c"],"rows":[{\#(list($0 * 10) { "\"c\":\($0)" })}]}"#
        },
        Part(testDescription: "rows") { #"{"title":"T","rows":[\#(list($0 * 5) { "[\($0),\"t\"]" })]}"# },
        Part(testDescription: "rows that are objects") {
            #"{"title":"T","columns":["a","b"],"rows":[\#(list($0 * 5) { #"{"b":\#($0)}"# })]}"#
        },
        Part(testDescription: "rows with a key") {
            #"{"spreadsheet_id":"1a","sheets":[{"name":"S","mode":"upsert","key":["a"],"columns":["a"],"rows":[\#(list($0 * 2) { "[\($0)]" })]}]}"#
        },
        Part(testDescription: "rows with one and the same key") {
            #"{"spreadsheet_id":"1a","sheets":[{"name":"S","mode":"upsert","key":["a"],"columns":["a"],"rows":[\#(list($0 * 2) { _ in "[1]" })]}]}"#
        },
        Part(testDescription: "sheets") {
            #"{"title":"T","sheets":[\#(list($0) { #"{"name":"s\#($0)","rows":[]}"# })]}"#
        },
        Part(testDescription: "shares") {
            #"{"title":"T","rows":[],"share":[\#(list($0) { #"{"type":"user","email":"a\#($0)@e.org","role":"reader"}"# })]}"#
        },
        Part(testDescription: "an address") {
            #"{"title":"T","rows":[],"share":[{"type":"user","email":"a@\#(String(repeating: "e.", count: $0 * 20))","role":"reader"}]}"#
        },
        Part(testDescription: "folders") { #"{"path":[\#(list($0) { "\"f\($0)\"" })]}"# },
        Part(testDescription: "slashes") {
            #"{"title":"T","rows":[],"folder":"\#(String(repeating: "a/", count: $0 * 20))"}"#
        },
        Part(testDescription: "a title") { #"{"title":"\#(long($0 * 50))","rows":[]}"# },
        Part(testDescription: "an unknown field") { #"{"title":"T","rows":[],"\#(long($0 * 50))":1}"# },
        Part(testDescription: "unknown fields") { #"{"title":"T","rows":[],\#(list($0) { "\"u\($0)\":1" })}"# },
        Part(testDescription: "titles") { #"{"rows":[],\#(list($0 * 5) { "\"title\":\"t\($0)\"" })}"# },
        Part(testDescription: "a text") { #"{"title":"T","rows":[["\#(long($0 * 50))"]]}"# },
        Part(testDescription: "digits") { #"{"title":"T","rows":[[\#(String(repeating: "7", count: $0 * 10))]]}"# },
        Part(testDescription: "digits behind the point") {
            #"{"title":"T","rows":[[0.\#(String(repeating: "7", count: $0 * 10))]]}"#
        },
        Part(testDescription: "digits in a text") {
            #"{"title":"T","columns":[{"name":"n","type":"number"}],"rows":[["1.\#(String(repeating: "3", count: $0 * 10))"]]}"#
        },
        Part(testDescription: "a date") {
            #"{"title":"T","columns":[{"name":"n","type":"datetime"}],"rows":[["2026-11-22T09:30:00.\#(String(repeating: "3", count: $0 * 10))Z"]]}"#
        },
        Part(testDescription: "a number format") {
            #"{"title":"T","columns":[{"name":"n","type":"number","format":"\#(String(repeating: "#;", count: $0 * 10))"}],"rows":[]}"#
        },
        Part(testDescription: "a value that is a list") { #"{"title":"T","rows":[[[\#(list($0 * 5) { "\($0)" })]]]}"# },
        Part(testDescription: "a value that is an object") {
            #"{"title":"T","rows":[[{\#(list($0 * 2) { "\"m\($0)\":1" })}]]}"#
        },
        Part(testDescription: "a link with members") {
            #"{"title":"T","columns":[{"name":"u","type":"link"}],"rows":[[{"url":"https://e.org",\#(list($0 * 5) { "\"text\":\"\($0)\"" })}]]}"#
        },
        Part(testDescription: "parameters") {
            #"{"title":"T","query":"select 1","params":[\#(list($0 * 5) { "\($0)" })]}"#
        },
        Part(testDescription: "a statement") { #"{"title":"T","query":"select '\#(long($0 * 50))'"}"# },
        Part(testDescription: "a time zone") { #"{"title":"T","rows":[],"time_zone":"\#(long($0 * 50))"}"# },
        Part(testDescription: "a locale") {
            #"{"title":"T","rows":[],"locale":"\#(String(repeating: "d_", count: $0 * 20))"}"#
        },
        Part(testDescription: "an id") { #"{"spreadsheet_id":"\#(long($0 * 50))","rows":[]}"# },
    ]

    @Test(arguments: parts) func workGrowsAsThePayloadDoes(part: Part) throws {
        // Four times as much takes four times as long, and sixteen times where each is compared with each.
        let (small, large) = (part.text(4_000), part.text(16_000))
        var ratios: [Double] = []
        for _ in 0..<4 {
            let least = 0.002
            let ratio = try Self.seconds(part.kind, large) / max(least, Self.seconds(part.kind, small))
            if ratio < 9 { return }
            ratios.append(ratio)
        }
        Issue.record("\(part): four times the payload took \(ratios) times the processor's time")
    }

    @Test func manyNamesAreCountedBeforeTheyAreCompared() throws {
        for (text, path, word) in [
            (Self.parts[0].text(90_000), "sheets", "200"), (Self.parts[2].text(16_000), "sheets[0].key", "100"),
            (#"{"title":"T","columns":[\#(Self.list(18_279) { _ in "17" })],"rows":[]}"#, "columns", "18278"),
            (#"{"title":"T","sheets":[\#(Self.list(201) { _ in "17" })]}"#, "sheets", "200"),
            (#"{"title":"T","rows":[],"share":[\#(Self.list(101) { _ in "17" })]}"#, "share", "100"),
            (#"{"title":"T","rows":[],"folder":[\#(Self.list(101) { _ in "17" })]}"#, "folder", "100"),
        ] {
            let json = try JSON(parsing: text)
            let error = try #require(throws: PayloadError.self) {
                if json["template"] == nil { _ = try ExportPayload(json) } else { _ = try FormatPayload(json) }
            }
            #expect(error.path == path && error.message.contains(word), "\(error)")
        }
    }

    /// The processor's time that reading a payload takes this thread, the least of two.
    private static func seconds(_ kind: String, _ text: String) throws -> Double {
        var times: [Double] = []
        for _ in 0..<2 {
            var (start, end) = (timespec(), timespec())
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start)
            try read(kind, text)
            unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end)
            times.append(Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9)
        }
        return times.min() ?? 0
    }

    private static func read(_ kind: String, _ text: String) throws {
        let json = try JSON(parsing: text)
        do {
            if kind == "format" {
                _ = try FormatPayload(json)
            } else if json["path"] != nil {
                _ = try FolderPayload(json)
            } else {
                let payload = try ExportPayload(json)
                guard payload.queries.isEmpty else { return }
                let spreadsheet = try payload.spreadsheet()
                for (index, (mode, sheet)) in zip(payload.modes, spreadsheet.sheets).enumerated() {
                    guard case .upsert(let key) = mode else { continue }
                    _ = try ColumnPlaces(of: sheet.columns, in: sheet.columns.map(\.name))
                    _ = try KeyIndex(sheet, index: index, key: key)
                }
                var batches = try SpreadsheetPlan(spreadsheet).batches()
                while try batches.next() != nil {}
            }
        } catch is PayloadError {
        } catch is SheetModelError {
        }
    }
}
