import Foundation
import GoogleEmulator
import JSON
import Testing

/// Sends recorded calls to the emulator and compares its answers of Drive with Google's.
///
/// The recordings are JSON files in the form of vcrpy; `SHEETSYNC_RECORDINGS` names their folder.
@Suite(.timeLimit(.minutes(10))) struct DriveReplayTests {
    @Test(.enabled(if: Client.recordings != nil, "needs recordings, in the folder that SHEETSYNC_RECORDINGS names"))
    func answersAsGoogleDid() async throws {
        let folder = try #require(Client.recordings)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") }
            .sorted()
        #expect(!files.isEmpty, "no recordings in \(folder)")
        var (equal, differences): (Int, [String]) = (0, [])
        for file in files {
            let recording = try Client.read(folder + "/" + file)
            let results = Results()
            // Each recording has a Google of its own, for lists show whatever was made before.
            try await Client.run { client in
                var replay = DriveReplay(client: client)
                try await replay.makeMissing(recording)
                for interaction in recording["interactions"]?.array ?? [] {
                    await results.add(try await replay.send(interaction))
                }
            }
            equal += await results.equal
            differences += await results.differences.map { "\(file): \($0)" }
        }
        print("Drive: \(equal) of \(equal + differences.count) recorded answers are equal.")
        for difference in differences { print("  " + difference) }
        #expect(Double(equal) >= 0.99 * Double(equal + differences.count))
    }

    private actor Results {
        private(set) var equal = 0
        private(set) var differences: [String] = []

        func add(_ outcome: DriveReplay.Outcome) {
            switch outcome {
            case .ignored: break
            case .equal: equal += 1
            case .different(let text): differences.append(text)
            }
        }
    }
}

/// One recording on its way: the emulator's ids in the place of Google's.
private struct DriveReplay {
    enum Outcome {
        /// It was a call of Sheets.
        case ignored
        case equal
        case different(String)
    }

    /// What differs from account to account and from call to call.
    private static let ownValues: Set<String> = [
        "etag", "displayName", "emailAddress", "permissionId", "ownerNames", "lastModifyingUserName", "embedLink",
        "thumbnailLink", "iconLink", "version", "selfLink", "parentLink",
    ]

    let client: Client
    /// The emulator's spelling of each id of the recording.
    private var ids: [String: String] = [:]

    init(client: Client) { self.client = client }

    /// Makes the spreadsheets that were there before the recording began, which its lists show.
    mutating func makeMissing(_ recording: JSON) async throws {
        var made: Set<String> = []
        for interaction in recording["interactions"]?.array ?? [] {
            let answer = try? JSON(parsing: interaction["response"]?["body"]?["string"]?.string ?? "")
            if interaction["request"]?["method"]?.string == "POST", let id = answer?["id"]?.string { made.insert(id) }
            for file in answer?["files"]?.array ?? [] {
                guard let id = file["id"]?.string, !made.contains(id), ids[id] == nil else { continue }
                var body = file.object ?? JSONObject()
                body["id"] = nil
                body["mimeType"] = "application/vnd.google-apps.spreadsheet"
                let answer = try await client.call("POST", "/drive/v3/files", [:], .object(body))
                ids[id] = answer.json["id"]?.string
            }
        }
    }

    mutating func send(_ interaction: JSON) async throws -> Outcome {
        let request = interaction["request"] ?? [:]
        let verb = request["method"]?.string ?? ""
        let address = request["uri"]?.string ?? ""
        guard let slash = address.dropFirst("https://".count).firstIndex(of: "/") else { return .ignored }
        let target = String(address[slash...])
        let body = request["body"]?.string.map(mapped)
        let type = request["headers"]?["Content-Type"]?[0]?.string
        let answer = try await client.send(
            verb, mapped(target), Array((body ?? "").utf8), type: body == nil ? nil : type ?? "application/json")
        guard address.hasPrefix("https://www.googleapis.com/") else { return .ignored }
        let recorded = interaction["response"] ?? [:]
        let call = "\(verb) \(target.prefix(160))"
        guard recorded["status"]?["code"]?.int == answer.status else {
            return .different("\(call): status \(answer.status): \(answer.text.prefix(300))")
        }
        let text = recorded["body"]?["string"]?.string ?? ""
        guard let expected = try? JSON(parsing: text) else {
            return text == answer.text
                ? .equal : .different("\(call): \(answer.text.prefix(80)) for \(text.prefix(80))")
        }
        return firstDifference(expected, answer.json, areEqual: { self.isEqual($0, $1, name: $2) }).map {
            .different("\(call): \($0)")
        } ?? .equal
    }

    private func mapped(_ text: String) -> String {
        ids.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }

    private mutating func isEqual(_ expected: JSON, _ actual: JSON, name: String) -> Bool {
        if expected == actual { return true }
        guard let old = expected.string, let new = actual.string else { return false }
        if name.hasSuffix("Time") || name.hasSuffix("Date") { return old.count == new.count }
        if Self.ownValues.contains(name) { return true }
        if name == "id", old.count > 15 {
            if ids[old] == nil { ids[old] = new }
            return ids[old] == new
        }
        // The emulator's pages stand in for Google's.
        return mapped(old).replacingOccurrences(of: "https://docs.google.com", with: client.baseURL) == new
    }
}
