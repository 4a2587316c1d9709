import Foundation
import JSON
import Testing

@testable import Google

@Suite struct CredentialsFileTests {
    /// A folder that goes when the test ends.
    private final class Folder {
        let path = NSTemporaryDirectory() + "sheetsync-test-\(UUID().uuidString)"

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ text: String, _ name: String, mode: Int = 0o600) throws -> String {
            let file = "\(path)/\(name)"
            try text.write(toFile: file, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            return file
        }
    }

    private let user = #"{"type":"authorized_user","refresh_token":"r","client_id":"a","client_secret":"b"}"#

    private func load(_ value: String, token: String? = nil) throws -> CredentialsSource.Loaded {
        try CredentialsSource(value: Secret(value), setting: "GOOGLE_SHEETS_CREDENTIALS", token: token.map(Secret.init))
            .load()
    }

    @Test func readsAPathOrTheTextItself() throws {
        let folder = try Folder()
        #expect(try load(user).warnings.isEmpty)
        #expect(try load("\n  " + user).warnings.isEmpty)
        #expect(try load(try folder.write(user, "user.json")).warnings.isEmpty)
    }

    @Test func errorsNameTheFileOrTheSetting() throws {
        let folder = try Folder()
        let cases: [(String, String, CredentialsError.Code)] = [
            ("{\"", "GOOGLE_SHEETS_CREDENTIALS: ", .notJSON),
            (" ", "GOOGLE_SHEETS_CREDENTIALS: ", .unreadable),
            ("\(folder.path)/none.json", "\(folder.path)/none.json: cannot be read: No such file", .unreadable),
            (folder.path, "\(folder.path): is not a regular file", .unreadable),
            ("/dev/zero", "/dev/zero: is not a regular file", .unreadable),
        ]
        for (value, words, code) in cases {
            let error = #expect(throws: CredentialsError.self) { try load(value) }
            #expect(error?.code == code)
            #expect(error?.description.hasPrefix(words) == true, "\(String(describing: error))")
        }
    }

    @Test func aFileThatOthersMayWriteIsRefused() throws {
        let folder = try Folder()
        for mode in [0o620, 0o602, 0o666] {
            let path = try folder.write(user, "user.json", mode: mode)
            let error = #expect(throws: CredentialsError.self) { try load(path) }
            #expect(error?.code == .writableByOthers)
        }
    }

    @Test func aFileThatOthersMayReadIsWarnedOf() throws {
        let folder = try Folder()
        let client = try folder.write(#"{"web":{"client_id":"a","client_secret":"b"}}"#, "client.json", mode: 0o644)
        let token = try folder.write(#"{"refresh_token":"r"}"#, "token.json", mode: 0o604)
        #expect(try load(client, token: token).warnings.count == 2)
        #expect(try load(try folder.write(user, "user.json", mode: 0o640)).warnings.isEmpty)
    }

    @Test func aNewRefreshTokenReplacesTheOldOneAlone() throws {
        let folder = try Folder()
        let text = #"{"token":"t","refresh_token":"old","scopes":["a","b"],"expiry":"2026-01-01T00:00:00Z"}"#
        let path = try folder.write(text, "token.json", mode: 0o640)
        let link = "\(folder.path)/link.json"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)

        try TokenFile(path: link).replaceRefreshToken(Secret("new"))

        #expect(try String(contentsOfFile: path, encoding: .utf8) == text.replacingOccurrences(of: "old", with: "new"))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == path)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["link.json", "token.json"])
    }

    @Test func aTokenFileThatCannotBeReplacedStaysAsItWas() throws {
        let folder = try Folder()
        let path = try folder.write("[]", "token.json")
        let error = #expect(throws: CredentialsError.self) {
            try TokenFile(path: path).replaceRefreshToken(Secret("SECRET"))
        }
        #expect(error?.code == .notJSON)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "[]")
        // /proc takes no new files, not even from root.
        let missing = #expect(throws: CredentialsError.self) {
            try TokenFile(path: "/proc/none.json").replaceRefreshToken(Secret("SECRET"))
        }
        #expect(missing?.description.contains("SECRET") == false)
    }
}
