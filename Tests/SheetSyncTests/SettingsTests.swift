import Foundation
import PostgresServer
import TestSupport
import Testing

@testable import sheetsync

/// A setting that cannot be used is refused by name, before anything else is tried.
@Suite struct SettingsTests {
    /// Everything that `run` needs; nobody listens at the database's port.
    private static let complete = Program(environment: [
        "DATABASE_URL": "postgresql://worker:\(Stage.password)@127.0.0.1:1/app",
        "GOOGLE_SHEETS_CREDENTIALS":
            #"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#,
    ])

    @Test func completeSettingsGetAsFarAsTheDatabase() async throws {
        let ended = try await Self.complete("run")
        ended.expectRefusal(2, "127.0.0.1", "DATABASE_URL", "Connection refused")
    }

    @Test(arguments: [
        ("SHEETSYNC_CONCURRENCY", ["0", "1001", "many", "1.5"], ["from 1 to 1000"]),
        ("SHEETSYNC_POLL_INTERVAL", ["0", "3601", "soon", "nan"], ["seconds", "3600"]),
        ("SHEETSYNC_LEASE_SECONDS", ["4.9", "3601", "-1"], ["seconds", "5", "3600"]),
        ("SHEETSYNC_RETENTION_DAYS", ["-1", "3651", "1.5", "soon"], ["from 0 to 3650"]),
        ("SHEETSYNC_SHUTDOWN_GRACE", ["-1", "3601", "30s"], ["seconds", "3600"]),
        ("MAX_CONTENT_SIZE_MB", ["0", "201", "5MB"], ["from 1 to 200"]),
        ("SHEETSYNC_KEEP_PAYLOADS", ["perhaps"], ["true or false"]),
        ("SSL_REQUIRED", ["2"], ["true or false"]),
        ("GOOGLE_DRIVE_ENABLE_FOLDERS", ["maybe"], ["true or false"]),
        ("GOOGLE_SHEETS_TEMPLATES_PATH", ["/nowhere/templates", "/etc/passwd"], ["no folder that can be read"]),
        (
            "SHEETSYNC_SHARING", ["people", "user;group", "owner", "none,anyone", "anyone, none"],
            ["user, group, domain and anyone"]
        ),
        ("SHEETSYNC_TARGETS", ["mine"], ["any, own or login"]),
        (
            "SHEETSYNC_SOURCE_DATABASE_URLS",
            [
                "postgresql://u:\(Stage.password)@db/app", #"{"api": 1}"#, #"["a"]"#, #"{"": "postgresql://u@db/app"}"#,
                #"{"api": "postgresql://u:\#(Stage.password)@db/a", "api": "postgresql://u@db/b"}"#,
            ], ["JSON object of URLs"]
        ),
        (
            "SHEETSYNC_SOURCE_DATABASE_URLS",
            [
                #"{"api": "postgresql://u@db/app", "x": "mysql://u:\#(Stage.password)@db/app"}"#,
                #"{"a": "postgresql://u@db/a", "postgresql://u:\#(Stage.password)@db/app": "api"}"#,
            ], ["a URL that cannot be used, number 2"]
        ),
        ("SHEETSYNC_LIST_DELAY", ["-1", "3601", "soon"], ["seconds", "3600"]),
        ("LOG_LEVEL", ["loud"], ["trace", "critical"]),
        ("LOG_FORMAT", ["xml"], ["text or json"]),
        ("GOOGLE_API_ENDPOINT", ["localhost:8085"], ["http://", "https://"]),
        ("SHEETSYNC_SCHEMA", ["pg_jobs", String(repeating: "x", count: 64)], ["63 bytes"]),
        ("DATABASE_CA_CERT", ["/nowhere/ca.pem"], ["/nowhere/ca.pem", "cannot be read"]),
        ("DATABASE_URL", ["app", "mysql://u:\(Stage.password)@db/app", "postgres://db:99999/app"], ["database URL"]),
        ("CREDENTIALS_DIRECTORY", ["/nowhere"], ["cannot be read"]),
    ])
    func aBadValueIsRefusedByTheSettingsName(_ name: String, _ values: [String], _ words: [String]) async throws {
        for value in values {
            let ended = try await Self.complete.with([name: value])("run")
            ended.expectRefusal(78, "sheetsync: \(name) ")
            for word in words { #expect(ended.errors.contains(word), "lacks \(word): \(ended)") }
            #expect(!ended.errors.contains(Stage.password))
        }
    }

    @Test(.disabled(if: FileManager.default.fileExists(atPath: "/etc/sheetsync/database-url")))
    func aMissingDatabaseIsSaidByEveryCommandThatNeedsOne() async throws {
        for command in [["run"], ["migrate"], ["status"], ["jobs", "list"], ["enqueue", "noop"]] {
            let ended = try await Self.complete.without("DATABASE_URL").run(command)
            ended.expectRefusal(78, "DATABASE_URL is not set", "/etc/sheetsync/database-url")
        }
    }

    @Test func withoutADatabaseOfItsOwnACommandHasTheSettingsOfTheUnit() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let unit = Installation(path: directory.path)
        #expect(try await SettingsReader(environment: [:], installation: unit).text("LOG_LEVEL") == nil)
        _ = try directory.write("postgresql://unit@db/app\n", to: "database-url")
        let alone = try await SettingsReader(environment: [:], installation: unit)
        #expect(alone.text("DATABASE_URL") == "postgresql://unit@db/app" && alone.text("LOG_LEVEL") == nil)
        let text =
            "# LOG_LEVEL=trace\n; a note\n LOG_LEVEL = \nSSL_REQUIRED='true'  \nSHEETSYNC_SCHEMA=\"my queue\"\r\nLOG_FORMAT=json\n"
        _ = try directory.write(text, to: "sheetsync.env")
        _ = try directory.write("{}", to: "google-sheets-credentials")
        let reader = try await SettingsReader(
            environment: ["LOG_FORMAT": "text", "DATABASE_URL": ""], installation: unit)
        #expect(reader.text("DATABASE_URL") == "postgresql://unit@db/app")
        #expect(reader.text("SHEETSYNC_SCHEMA") == "my queue" && reader.text("SSL_REQUIRED") == "true")
        #expect(reader.text("LOG_FORMAT") == "text", "a person's own setting wins")
        #expect(reader.credentialPath("GOOGLE_SHEETS_CREDENTIALS") == directory.path + "/google-sheets-credentials")
        #expect(reader.credentialPath("GOOGLE_SHEETS_TOKEN") == nil)
        // Whoever names a database of his own, and a process of systemd's, has nothing to do with the unit's files.
        let own = try await SettingsReader(environment: ["DATABASE_URL": "x"], installation: unit)
        #expect(own.text("SSL_REQUIRED") == nil && own.credentialPath("GOOGLE_SHEETS_CREDENTIALS") == nil)
    }

    /// What systemd prints of a unit that has an environment, files and credentials by drop-ins.
    @Test func aUnitsDropInsAreItsSettingsToo() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let path = directory.path
        _ = try directory.write("postgresql://unit@db/app\n", to: "database-url")
        _ = try directory.write("postgresql://other@db/app\n", to: "other-url")
        _ = try directory.write("postgresql://reader@db/data\n", to: "source")
        _ = try directory.write("LOG_LEVEL=debug\nLOG_FORMAT=text\n", to: "sheetsync.env")
        _ = try directory.write("LOG_LEVEL=warning\n", to: "more.env")
        _ = try directory.write("{}", to: "key.json")
        let lines = [
            "LoadState=loaded",
            #"Environment=LIBDISPATCH_LOG=NO LOG_FORMAT=json "SHEETSYNC_SCHEMA=my \"own\" queue" EMPTY="#,
            "EnvironmentFiles=\(path)/sheetsync.env (ignore_errors=yes)",
            "EnvironmentFiles=\(path)/more.env (ignore_errors=no)",
            "EnvironmentFiles=\(path)/missing.env (ignore_errors=yes)",
            "CacheDirectory=sheetsync", "StateDirectory=",
        ]
        let credentials =
            #"a(ss) 3 "database-url" "\#(path)/other-url" "google-sheets-credentials" "\#(path)/key.json" "#
            + "\"sheetsync-source-database-url\" \"\(path)/source\"\n"
        let unit = Installation(path: path, properties: UnitProperties(lines, credentials: credentials))
        let reader = try await SettingsReader(environment: ["SHEETSYNC_CONCURRENCY": "3"], installation: unit)
        #expect(reader.text("DATABASE_URL") == "postgresql://other@db/app")
        #expect(reader.text("SHEETSYNC_SOURCE_DATABASE_URL") == "postgresql://reader@db/data")
        #expect(reader.text("LOG_LEVEL") == "warning" && reader.text("LOG_FORMAT") == "text", "the last file wins")
        #expect(reader.text("SHEETSYNC_SCHEMA") == #"my "own" queue"#)
        #expect(reader.text("CACHE_DIRECTORY") == "/var/cache/sheetsync" && reader.text("STATE_DIRECTORY") == nil)
        #expect(reader.text("SHEETSYNC_CONCURRENCY") == "3")
        #expect(reader.credentialPath("GOOGLE_SHEETS_CREDENTIALS") == path + "/key.json")
        #expect(reader.credentialPath("GOOGLE_SHEETS_TOKEN") == nil)
    }

    /// A name that is read and in no list would be called a misspelt one where somebody sets it.
    @Test func aSettingThatIsInNoListIsNotRead() async {
        await #expect(processExitsWith: .failure) {
            _ = try await SettingsReader(environment: ["DATABASE_URL": "x"]).text("SHEETSYNC_UNLISTED")
        }
    }

    /// Whatever keeps the daemon from starting, `doctor` says all of it at once.
    @Test func doctorFindsEachSettingThatRunRefuses() async throws {
        let wrong = [
            "SHEETSYNC_CONCURRENCY": "0", "SHEETSYNC_LEASE_SECONDS": "1", "MAX_CONTENT_SIZE_MB": "0",
            "LOG_LEVEL": "loud",
            "LOG_FORMAT": "xml", "SHEETSYNC_HTTP_ADDRESS": "nowhere", "ENABLE_TELEMETRY": "perhaps",
            "SHEETSYNC_TARGETS": "mine", "SHEETSYNC_SHARING": "none,anyone", "SHEETSYNC_QUERY_TIMEOUT": "0",
            "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK": "true", "SHEETSYNC_EXPORT_DIR": "/nowhere",
        ]
        for (name, value) in wrong where name != "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK" && name != "SHEETSYNC_EXPORT_DIR" {
            try await Self.complete.with([name: value])("run").expectRefusal(78, "sheetsync: \(name) ")
        }
        let doctor = try await Self.complete.with(wrong)("doctor").expect(1)
        let words = doctor.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for name in wrong.keys where name != "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK" {
            #expect(words.components(separatedBy: "FAIL settings \(name) ").count == 2, "\(name) once: \(doctor)")
        }
    }

    @Test func aMisspeltNameIsWarnedOf() async throws {
        let environment = [
            "SHEETSYNC_CONCURENCY": "4", "GOOGLE_DRIVE_SHARED_DRIVE": "x", "SHEETSYNC_": "x",
            // Kubernetes sets these for a service of the program's name.
            "SHEETSYNC_PORT": "tcp://10.0.0.1:80", "SHEETSYNC_PORT_80_TCP_ADDR": "10.0.0.1",
            "SHEETSYNC_SERVICE_HOST": "10.0.0.1", "SHEETSYNC_SERVICE_PORT_HTTP": "80",
        ]
        let expected = [
            "SHEETSYNC_CONCURENCY is no setting and does nothing; did you mean \"SHEETSYNC_CONCURRENCY\"?",
            "GOOGLE_DRIVE_SHARED_DRIVE is no setting and does nothing; did you mean \"GOOGLE_DRIVE_SHARED_DRIVE_ID\"?",
            "SHEETSYNC_ is no setting and does nothing",
        ]
        let run = try await Self.complete.with(environment)("run").expect(2)
        // Nothing of Google's is asked where that setting is wrong.
        let doctor = try await Self.complete.with(environment).with(["SHEETSYNC_TARGETS": "mine"])("doctor").expect(1)
        let words = doctor.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        for warning in expected {
            #expect(run.errors.contains(warning), "lacks \(warning): \(run)")
            #expect(words.contains("warn settings \(warning)"), "lacks \(warning): \(doctor)")
        }
        for text in [run.errors, words] {
            #expect(text.components(separatedBy: "is no setting").count == 4, "\(text)")
        }
    }

    /// The documented table names each setting, and the code knows the same ones.
    @Test func theKnownNamesAreThoseOfTheTable() throws {
        let settings = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/settings.md")
        let lines = try String(contentsOf: settings, encoding: .utf8).split(
            separator: "\n", omittingEmptySubsequences: false)
        let table = lines.drop { !$0.hasPrefix("| `DATABASE_URL` |") }.prefix { $0.hasPrefix("|") }
        var names: [String] = []
        for line in table {
            let cell = line.split(separator: "|")[0]
            for name in cell.matches(of: /`([^`]+)`/).map({ String($0.1) }) {
                // `…_PROJECT` stands for the name before it with another end.
                guard name.hasPrefix("…"), let last = names.last, let end = last.lastIndex(of: "_") else {
                    names.append(name)
                    continue
                }
                names.append(String(last[..<end] + name.dropFirst()))
            }
        }
        let (known, listed) = (Set(UnknownSetting.known), Set(names))
        #expect(known == listed, "differ: \(known.symmetricDifference(listed).sorted())")
        #expect(known.count == UnknownSetting.known.count && names.count > 30)
    }

    @Test func anEmptyValueCountsAsNone() async throws {
        let ended = try await Self.complete.with(["LOG_LEVEL": "", "SHEETSYNC_CONCURRENCY": " "])("run")
        ended.expectRefusal(2, "127.0.0.1")
    }

    @Test func aDatabaseOutOfReachIsDown() async throws {
        let url = "postgresql+psycopg2://worker:\(Stage.password)@127.0.0.1:1/app?ssl=require"
        let program = Self.complete.with(["DATABASE_URL": url])
        for command in [["run"], ["jobs", "list"], ["enqueue", "noop"], ["migrate"]] {
            let ended = try await program.run(command)
            ended.expectRefusal(2, "127.0.0.1", "DATABASE_URL")
            #expect(!ended.errors.contains(Stage.password))
        }
        // To `status` it is a finding, and so goes to standard output.
        let status = try await program("status").expect(2)
        #expect(status.output.hasPrefix("DOWN: "), "\(status)")
        #expect(status.output.split(separator: "\n").count == 1 && status.output.contains("127.0.0.1"), "\(status)")
    }

    @Test func aHostThatIsUnknownIsNamed() async throws {
        let url = "postgresql://worker:\(Stage.password)@no-such-host.invalid/app"
        let ended = try await Self.complete.with(["DATABASE_URL": url])("run")
        ended.expectRefusal(2, "no-such-host.invalid", "DATABASE_URL")
        #expect(!ended.errors.contains(Stage.password))
    }

    @Test func aServerWithoutTLSIsRefusedWhereTLSIsRequired() async throws {
        let server = try await SharedPostgres.server()
        let required = Self.complete.with(["DATABASE_URL": server.tcpURL(), "SSL_REQUIRED": "true"])
        try await required("run").expectRefusal(2, "SSL")
        let byURL = Self.complete.with(["DATABASE_URL": server.tcpURL() + "?ssl=require"])
        try await byURL("run").expectRefusal(2, "SSL")
        let certificate = Self.complete.with([
            "DATABASE_URL": server.tcpURL(), "DATABASE_CA_CERT": "/etc/ssl/certs/ca-certificates.crt",
        ])
        try await certificate("run").expectRefusal(2, "SSL")
    }
}
