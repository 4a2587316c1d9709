import Foundation
import JSON
import JobQueue
import TestSupport
import Testing

@testable import sheetsync

/// Google's credentials: every way to give them, and every way in which they can be broken.
@Suite struct CredentialsTests {
    private static let database = Program(environment: ["DATABASE_URL": "postgresql://worker@127.0.0.1:1/app"])

    @Test func noCredentialsAreSaidByName() async throws {
        try await Self.database("run").expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS_PATH is not set")
    }

    @Test func aFileThatIsNotThereIsNamedWithItsSetting() async throws {
        for setting in [
            "GOOGLE_SHEETS_CREDENTIALS_PATH", "GOOGLE_SHEETS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS",
        ] {
            let ended = try await Self.database.with([setting: "/nowhere/key.json"])("run")
            ended.expectRefusal(78, setting, "/nowhere/key.json", "No such file")
        }
    }

    /// What can be wrong with a file, and what the error must then speak of.
    enum Defect: CaseIterable {
        case noJSON, list, noKey, truncated, damaged, ellipticCurve, clientAlone, unknownType

        func text(_ key: String) -> String {
            switch self {
            case .noJSON: key
            case .list: "[]"
            case .noKey: #"{"type":"service_account","client_email":"a@example.com"}"#
            case .truncated: account(key: String(key.prefix(900)))
            case .damaged: account(key: key.replacing("\n", with: "\n*"))
            case .ellipticCurve: account(key: Keys.ellipticCurve)
            case .clientAlone: #"{"installed":{"client_id":"c","client_secret":"s"}}"#
            case .unknownType: #"{"type":"api_key"}"#
            }
        }

        var word: String {
            switch self {
            case .noJSON: "JSON"
            case .list: "a JSON object is needed"
            case .noKey: "private_key"
            case .truncated: "cut off"
            case .damaged: "damaged"
            case .ellipticCurve: "not an RSA key"
            case .clientAlone: "GOOGLE_SHEETS_TOKEN_PATH"
            case .unknownType: "not supported"
            }
        }
    }

    @Test(arguments: Defect.allCases)
    func aBrokenFileIsRefusedBySettingAndPath(_ defect: Defect) async throws {
        let key = try await Keys.rsa()
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(defect.text(key), to: "key.json")
        let ended = try await Self.database.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": path])("run")
        ended.expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS_PATH", path, defect.word)
        Keys.expectNone(of: key, in: ended.errors)
    }

    @Test func aMissingTokenFileIsNamedWithItsOwnSetting() async throws {
        let client = Self.database.with([
            "GOOGLE_SHEETS_CREDENTIALS": #"{"installed":{"client_id":"c","client_secret":"s"}}"#,
            "GOOGLE_SHEETS_TOKEN_PATH": "/nowhere/token.json",
        ])
        let ended = try await client("run")
        ended.expectRefusal(78, "sheetsync: GOOGLE_SHEETS_TOKEN_PATH: /nowhere/token.json: cannot be read")
    }

    /// A key in a form that is not understood is taken for a path, which an error would show.
    @Test func aKeyThatIsNotJSONTextIsNotShown() async throws {
        let key = try await Keys.rsa()
        let file = account(key: key)
        for text in [Data(file.utf8).base64EncodedString(), "'\(file)'", key] {
            let ended = try await Self.database.with(["GOOGLE_SHEETS_CREDENTIALS": text])("run")
            ended.expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS", "JSON")
            #expect(!ended.errors.contains(text.prefix(20)))
        }
    }

    /// A token where its file's path is meant, in the forms in which people have it.
    @Test func aTokenInPlaceOfItsPathIsTakenOrNotShown() async throws {
        let client = #"{"installed":{"client_id":"c","client_secret":"s"}}"#
        let secret = "1//0gCANARYcanary-_42"
        let token = #"{"refresh_token":"\#(secret)","client_id":"c"}"#
        let taken = try await Self.database.with([
            "GOOGLE_SHEETS_CREDENTIALS": client, "GOOGLE_SHEETS_TOKEN_PATH": token,
        ])("run")
        // The database is away, so the credentials were taken.
        taken.expect(2)
        #expect(!taken.errors.contains("CANARY"), "\(taken)")
        for text in [secret, Data(token.utf8).base64EncodedString(), "'\(token)'", "refresh_token=\(secret)"] {
            let ended = try await Self.database.with([
                "GOOGLE_SHEETS_CREDENTIALS": client, "GOOGLE_SHEETS_TOKEN_PATH": text,
            ])("run")
            ended.expectRefusal(78, "GOOGLE_SHEETS_TOKEN_PATH")
            #expect(!ended.errors.contains(text.prefix(12)) && !ended.errors.contains("CANARY"), "\(ended)")
        }
    }

    @Test func noSettingThatIsAPathRepeatsWhatIsNone() async throws {
        let key = "GOOGLE_SHEETS_CREDENTIALS_PATH"
        for (name, more) in [
            ("GOOGLE_SHEETS_CREDENTIALS_PATH", [:]), ("GOOGLE_SHEETS_CREDENTIALS", [:]),
            ("GOOGLE_APPLICATION_CREDENTIALS", [:]), ("GOOGLE_SHEETS_TEMPLATES_PATH", [key: "{}"]),
            ("DATABASE_CA_CERT", [key: "{}"]),
            ("SHEETSYNC_SPOOL_DIR", [key: "{}", "SHEETSYNC_SOURCE_DATABASE_URL": "postgresql://a@127.0.0.1:1/b"]),
            ("SHEETSYNC_EXPORT_DIR", [key: "{}", "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK": "true"]),
        ] as [(String, [String: String])] {
            for secret in ["1//0gCANARYcanary-_42", "AIzaCANARYcanary", "CANARY=="] {
                for command in ["run", "doctor"] {
                    let ended = try await Self.database.with(more).with([name: secret])(command)
                    let said = ended.output + ended.errors
                    #expect(said.contains(name) && !said.contains("CANARY"), "\(ended)")
                }
            }
        }
    }

    /// Every operator reads why no daemon started.
    @Test func theReasonOfAFailedStartHoldsNoValue() async throws {
        try await Stage.with { stage in
            for (name, value) in [
                ("GOOGLE_SHEETS_CREDENTIALS_PATH", "/nowhere/CANARY.json"), ("GOOGLE_SHEETS_TEMPLATES_PATH", "/CANARY"),
                ("SHEETSYNC_CONCURRENCY", "CANARY"), ("SHEETSYNC_HTTP_ADDRESS", "192.0.2.77:1"),
            ] {
                _ = try await stage.daemon.with([name: value])("run").expect(78)
                let reason = try await stage.queue.psql("select error from sheetsync.report_failed_start")
                #expect(reason.contains(name), "\(reason)")
                #expect(!reason.contains("CANARY") && !reason.contains("192.0.2.77"), "\(reason)")
            }
        }
    }

    @Test func aFileOfAnotherUserIsWarnedOf() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(account(key: try await Keys.rsa()), to: "key.json", mode: 0o600)
        // Only root can give files away.
        guard unsafe chown(path, 12_345, 12_345) == 0 else { return }
        let ended = try await Self.database.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": path])("run").expect(2)
        #expect(ended.errors.contains("belongs to user 12345"), "\(ended)")
    }

    @Test func anEndpointThatEverybodyOnTheWayCanHearIsWarnedOf() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(account(key: try await Keys.rsa()), to: "key.json", mode: 0o600)
        for (endpoint, isWarned) in [("http://192.0.2.1", true), ("http://127.0.0.1:1", false)] {
            let ended = try await Self.database.with([
                "GOOGLE_SHEETS_CREDENTIALS_PATH": path, "GOOGLE_API_ENDPOINT": endpoint,
            ])("run").expect(2)
            #expect(ended.errors.contains("GOOGLE_API_ENDPOINT") == isWarned, "\(ended)")
        }
    }

    @Test func tlsThatVerifiesNothingIsWarnedOf() async throws {
        for (url, isWarned) in [
            ("postgresql://a@192.0.2.1/b?sslmode=require&connect_timeout=2", true),
            ("postgresql://a@192.0.2.1/b?connect_timeout=2", true),
            ("postgresql://a@192.0.2.1/b?sslmode=verify-full&connect_timeout=2", false),
            ("postgresql://a@127.0.0.1:1/b", false), ("postgresql:///b?host=/nowhere", false),
        ] {
            let settings = try DatabaseSettings(
                try await SettingsReader(environment: ["DATABASE_URL": url]))
            #expect((settings.tlsWarning != nil) == isWarned, "\(url): \(settings.tlsWarning ?? "")")
        }
    }

    @Test func aDaemonThatCrashesLeavesNoMemoryBehind() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { daemon in
                let limits = try String(contentsOfFile: "/proc/\(daemon.id)/limits", encoding: .utf8)
                let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
                #expect(line?.split(separator: " ").filter { $0 == "0" }.count == 2, "\(limits)")
            }
        }
    }

    @Test func aFileThatOthersMayWriteIsRefused() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(account(key: try await Keys.rsa()), to: "key.json", mode: 0o666)
        let ended = try await Self.database.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": path])("run")
        ended.expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS_PATH", path, "666", "chmod 600")
    }

    @Test func aFileThatOthersMayReadIsWarnedOf() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = try directory.write(account(key: try await Keys.rsa()), to: "key.json", mode: 0o644)
        let ended = try await Self.database.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": path])("run").expect(2)
        let lines = ended.errors.split(separator: "\n")
        try #require(lines.count == 2 && lines[0].contains("WARNING"), "\(ended)")
        #expect(lines[0].contains(path) && lines[0].contains("chmod 600"), "\(ended)")
    }

    /// systemd's credentials, here an authorized user and the database, win over what the environment says.
    @Test func aCredentialDirectoryWinsOverTheEnvironment() async throws {
        try await Stage.with { stage in
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let user = try String(contentsOfFile: "\(stage.directory.path)/authorized-user.json", encoding: .utf8)
            _ = try directory.write(user, to: "google-sheets-credentials", mode: 0o400)
            _ = try directory.write(stage.url(.worker) + "\n", to: "database-url", mode: 0o400)
            let daemon = stage.daemon.with([
                "CREDENTIALS_DIRECTORY": directory.path, "DATABASE_URL": "postgresql://127.0.0.1:1/wrong",
                "GOOGLE_SHEETS_CREDENTIALS_PATH": "/nowhere/key.json",
            ])
            try await daemon.withDaemon { daemon in
                #expect(daemon.errors.contains("a user of the OAuth client"), "\(daemon.errors)")
                let job = try await stage.ended(try await stage.enqueue("export", export("Of a user")))
                #expect(job.state == "completed", "\(job.json)")
            }
        }
    }
}

/// A service account's file with any text as its key.
private func account(key: String) -> String {
    let account: JSON = [
        "type": "service_account", "client_email": "a@example.iam.gserviceaccount.com", "private_key": .string(key),
    ]
    return account.description
}
