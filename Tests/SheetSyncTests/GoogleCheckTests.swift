import Foundation
import JSON
import ScriptedHTTP
import Testing

@testable import sheetsync

/// What `doctor` does with a refresh token that Google replaces while it looks.
@Suite struct GoogleCheckTests {
    private func look(tokenPath: String?, onExchange: @escaping @Sendable () -> Void = {}) async throws -> Checkup {
        let google = try ScriptedServer { connection in
            while true {
                let isExchange = try connection.readRequest().line.hasPrefix("POST /token ")
                if isExchange { onExchange() }
                let scope = "https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets"
                connection.answer(
                    body: isExchange
                        ? #"{"access_token":"a","expires_in":3600,"refresh_token":"new","scope":"\#(scope)"}"# : "{}")
            }
        }
        let client = #""client_id":"c","client_secret":"s","token_uri":"\#(google.url)/token""#
        var environment = [
            "GOOGLE_API_ENDPOINT": google.url,
            "GOOGLE_SHEETS_CREDENTIALS": #"{"type":"authorized_user","refresh_token":"old",\#(client)}"#,
        ]
        if let tokenPath {
            environment["GOOGLE_SHEETS_CREDENTIALS"] = #"{"installed":{\#(client)}}"#
            environment["GOOGLE_SHEETS_TOKEN_PATH"] = tokenPath
        }
        let reader = try await SettingsReader(
            environment: environment, installation: Installation(path: "/nowhere"))
        var checkup = Checkup()
        await GoogleCheck(settings: try GoogleSettings(reader)).look(&checkup)
        #expect(checkup.findings.contains { $0.name == "token" && $0.level == .ok }, "\(checkup.findings)")
        #expect(google.requests > 1, "the server is there until here")
        return checkup
    }

    @Test func aRefreshTokenThatIsReplacedIsKept() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(#"{"refresh_token":"old"}"#, to: "token.json")
        let checkup = try await look(tokenPath: path)
        #expect(!checkup.findings.contains { $0.name == "refresh token" }, "\(checkup.findings)")
        let kept = try JSON(parsing: Array(try Data(contentsOf: URL(filePath: path))))
        #expect(kept["refresh_token"] == "new")
    }

    @Test func aRefreshTokenThatIsReplacedAndCannotBeKeptIsAFault() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(#"{"refresh_token":"old"}"#, to: "token.json")
        let lost = try await look(tokenPath: path) { try? FileManager.default.removeItem(atPath: path) }
        for (checkup, words) in [(lost, path), (try await look(tokenPath: nil), "GOOGLE_SHEETS_TOKEN_PATH")] {
            let finding = checkup.findings.first { $0.name == "refresh token" }
            #expect(finding?.level == .fail && finding?.words.contains(words) == true, "\(checkup.findings)")
        }
    }
}
