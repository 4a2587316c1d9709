import Foundation
import GoogleEmulator
import JSON
import Testing

/// Sends recorded calls of Sheets to the emulator and compares its answers with Google's.
///
/// The recordings are folders of JSON files in the form of vcrpy; `SHEETSYNC_RECORDINGS` names one.
@Suite(.timeLimit(.minutes(5))) struct SheetsReplayTests {
    /// The answers that differ, each with its reason.
    private static let knownDifferences: [(file: String, call: String, reason: String)] = [
        (
            "ClientTest.test_access_private_spreadsheet", "GET",
            "somebody else's private file: the emulator has none, so it says 404 where Google says 403"
        )
    ]

    @Test(.enabled(if: Client.recordings != nil, "needs recordings, in the folder that SHEETSYNC_RECORDINGS names"))
    func answersAsGoogleDid() async throws {
        let folder = try #require(Client.recordings)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
            .sorted()
        #expect(!files.isEmpty, "no recordings in \(folder)")
        try await Client.run { client in
            var equal = 0
            var differences: [String] = []
            var unknown = 0
            for file in files {
                let recording = try Client.read(folder + "/" + file)
                var replay = Replay(client: client)
                for interaction in recording["interactions"]?.array ?? [] {
                    guard let outcome = try await replay.send(interaction) else { continue }
                    guard let difference = outcome.difference else {
                        equal += 1
                        continue
                    }
                    differences.append("\(file): \(outcome.call): \(difference)")
                    let isKnown = Self.knownDifferences.contains {
                        file.hasPrefix($0.file) && outcome.call.hasPrefix($0.call)
                    }
                    if !isKnown { unknown += 1 }
                }
            }
            let total = equal + differences.count
            print("Sheets: \(equal) of \(total) recorded answers are equal.")
            for difference in differences { print("  " + difference) }
            #expect(unknown == 0)
            #expect(Double(equal) >= 0.99 * Double(total))
        }
    }
}

/// One recording on its way: the emulator's ids in the place of Google's.
private struct Replay {
    let client: Client
    /// The emulator's spelling of each id of the recording.
    private var ids: [String: String] = [:]

    /// Ids are told by the names of their members.
    private static let idNames: Set<String> = [
        "spreadsheetId", "sheetId", "namedRangeId", "protectedRangeId", "bandedRangeId", "metadataId", "tableId",
    ]

    init(client: Client) { self.client = client }

    /// Sends a call; nil where it is none of Sheets.
    ///
    /// A difference is nil where the answers are equal.
    mutating func send(_ interaction: JSON) async throws -> (call: String, difference: String?)? {
        let request = interaction["request"] ?? [:]
        let verb = request["method"]?.string ?? ""
        let address = request["uri"]?.string ?? ""
        let recorded = interaction["response"] ?? [:]
        let text = recorded["body"]?["string"]?.string ?? ""
        let expected = (try? JSON(parsing: text)) ?? .null
        guard let slash = address.dropFirst("https://".count).firstIndex(of: "/") else { return nil }
        let isSheets = address.hasPrefix("https://sheets.googleapis.com")
        // Of Drive only what makes and removes spreadsheets matters here.
        guard isSheets || verb == "POST" || verb == "DELETE" else { return nil }
        if isSheets { try await makeMissing(expected) }
        let body = request["body"]?.string.map(mapped)
        let answer = try await client.send(
            verb, mapped(String(address[slash...])), Array((body ?? "").utf8),
            type: body == nil ? nil : "application/json")
        guard isSheets else {
            if let id = expected["id"]?.string { ids[id] = answer.json["id"]?.string }
            return nil
        }
        let call = "\(verb) \(String(address[slash...]).prefix(160)) \((request["body"]?.string ?? "").prefix(160))"
        guard recorded["status"]?["code"]?.int == answer.status else {
            return (call, "status \(answer.status): \(answer.text.prefix(300))")
        }
        return (call, firstDifference(expected, answer.json, areEqual: { self.isEqual($0, $1, name: $2) }))
    }

    /// Makes a spreadsheet that was there before the recording began.
    private mutating func makeMissing(_ expected: JSON) async throws {
        guard let id = expected["spreadsheetId"]?.string, ids[id] == nil,
            expected["properties"]?["title"] != nil
        else { return }
        var properties = JSONObject()
        for name in ["title", "locale", "timeZone"] { properties[name] = expected["properties"]?[name] }
        let sheets = (expected["sheets"]?.array ?? []).map {
            JSON.object(JSONObject($0.object?.filter { $0.name == "properties" } ?? []))
        }
        let answer = try await client.call(
            "POST", "/v4/spreadsheets", [:], ["properties": .object(properties), "sheets": .array(sheets)])
        ids[id] = answer.json["spreadsheetId"]?.string
    }

    private func mapped(_ text: String) -> String {
        ids.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    private mutating func isEqual(_ expected: JSON, _ actual: JSON, name: String) -> Bool {
        if expected == actual { return true }
        if let first = expected.double, let second = actual.double { if first == second { return true } }
        if name == "spreadsheetUrl" {
            let address = mapped(expected.string ?? "").replacingOccurrences(
                of: "https://docs.google.com", with: client.baseURL)
            return address == actual.string
        }
        // The service account of the recording is that of the emulator.
        if name == "users" { return actual.string == client.keyFile["client_email"]?.string }
        guard Self.idNames.contains(name) else { return false }
        let (old, new) = (expected.string ?? "\(expected)", actual.string ?? "\(actual)")
        // Small numbers are chosen by the caller, so they do not change.
        guard old.count > 5 else { return false }
        if ids[old] == nil { ids[old] = new }
        return ids[old] == new
    }
}
