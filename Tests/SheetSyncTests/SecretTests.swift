import Foundation
import GoogleEmulator
import HTTP
import HTTPTypes
import JSON
import JobQueue
import PostgresServer
import TestSupport
import Testing

/// Every command tells as much as it can, to somebody who knows all secrets and looks for them in what is told.
@Suite(.serialized) struct SecretTests {
    private static let canary = "canary-of-a-cell"

    @Test func noCommandAndNoPageTellsASecret() async throws {
        try await Stage.with { stage in
            let file = "\(stage.directory.path)/authorized-user.json"
            let user = try JSON(parsing: try String(contentsOfFile: file, encoding: .utf8))
            let refreshToken = try #require(user["refresh_token"]?.string)
            let clientSecret = try #require(user["client_secret"]?.string)
            let secrets = [refreshToken, clientSecret, Stage.password, "ya29.", Self.canary]
            func expectNone(of secrets: [String] = secrets, in text: String, _ place: String) {
                for secret in secrets { #expect(!text.contains(secret), "\(place) tells \(secret)") }
            }
            func expectSilence(_ ended: Ended) { expectNone(in: "\(ended)", "\(ended.arguments)") }

            let source = "postgresql://source:\(Stage.password)@127.0.0.1"
            // As text, which no file's rights protect.
            let daemon = stage.daemon.with([
                "SHEETSYNC_SOURCE_DATABASE_URL": "\(source):1/app", "SHEETSYNC_SPOOL_DIR": stage.directory.path,
                "SHEETSYNC_SOURCE_DATABASE_URLS":
                    #"{"\#(stage.name(.query))": "\#(source):\#(stage.queue.server.port)/app"}"#,
                "GOOGLE_SHEETS_CREDENTIALS_PATH": "", "GOOGLE_SHEETS_CREDENTIALS": user.description,
                "LOG_LEVEL": "trace", "SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0", "SHEETSYNC_LIST_DELAY": "0.2",
            ])
            let settings = daemon
            let said = try await daemon.withDaemon { daemon in
                let done = try await stage.ended(
                    try await stage.enqueue("export", export("Done", .string(Self.canary))))
                #expect(done.state == "completed", "\(done.json)")
                let bad = try await stage.ended(
                    try await stage.enqueue(
                        "export",
                        [
                            "title": "Bad", "columns": [["name": "a", "type": "integer"]],
                            "rows": [[.string(Self.canary)]],
                        ]
                    ))
                #expect(bad.state == "discarded", "\(bad.json)")
                try await expectARefusedTokenToBeKeptSecret(stage)
                let query = try await stage.queue.psql(
                    #"select sheetsync.enqueue('export', '{"title": "Q", "query": "select 1"}')"#,
                    as: stage.name(.query))
                let queried = try #require(Int(query))
                try await wait(for: "the query to fail", seeing: { try await stage.job(queried).json.description }) {
                    try await stage.job(queried).errorCodes.first == "query.unavailable"
                }
                expectNone(in: try await stage.job(queried).json.description, "the job with a query")

                let line = try #require(daemon.errors.firstMatch(of: /at (http:\/\/127.0.0.1:[0-9]+)/))
                for path in ["/health", "/metrics", "/readyz", "/livez"] {
                    expectNone(in: try await get("\(line.1)\(path)"), path)
                }
                expectNone(in: try String(contentsOfFile: "/proc/\(daemon.id)/cmdline", encoding: .utf8), "its name")

                let looking = stage.program(.operator).with(["LOG_LEVEL": "trace"])
                expectSilence(try await looking("jobs", "show", "\(done.id)").expect(0))
                expectSilence(try await looking("migrate", "--plan").expect(0))
                expectSilence(try await looking("why", "\(done.id)").expect(0))
                let lookingAtTheBadOne = [
                    ["status"], ["status", "--json"], ["jobs", "list"], ["jobs", "show", "\(bad.id)"],
                    ["why", "\(bad.id)"], ["why", "\(bad.id)", "--json"],
                ]
                for arguments in lookingAtTheBadOne {
                    let ended = try await looking.run(arguments)
                    #expect(ended.output.contains("payload.invalid"), "\(ended)")
                    expectSilence(ended)
                }
                expectSilence(try await settings("doctor"))
            }
            #expect(said.errors.contains("TRACE") || said.errors.contains("DEBUG"), "it tells much: \(said)")
            expectSilence(said)

            let payload = try stage.directory.write(
                #"{"title": "Enqueued", "rows": [["\#(Self.canary)"]]}"#, to: "payload.json")
            let broken = try stage.directory.write(#"{"title": "\#(Self.canary)", "rows": ["#, to: "broken.json")
            let producer = stage.program(.producer).with(["LOG_LEVEL": "trace"])
            expectSilence(try await producer("enqueue", "--payload", payload).expect(0))
            expectSilence(try await producer("enqueue", "--payload", broken).expect(1))
            expectSilence(try await producer("enqueue", "no-such-kind", "--payload", payload).expect(1))
            expectSilence(try await producer("status").expect(1))
            try await expectTheEmulatorToBeSilent(stage)
        }
    }

    /// Google refuses the refresh token once: what is said about that does not show it.
    private func expectARefusedTokenToBeKeptSecret(_ stage: Stage) async throws {
        let fault = stage.emulator.addFault(Fault(OAuthFailure.tokenRevoked.action, api: .oauth, count: 1))
        var revocation = AuthorityChange()
        revocation.revokesTokens = true
        stage.emulator.apply(revocation)
        _ = try await stage.ended(try await stage.enqueue("export", export("Token", .string(Self.canary))))
        #expect(stage.emulator.strikes(of: fault) == 1)
    }

    /// The emulator makes keys: they stand in its files alone.
    private func expectTheEmulatorToBeSilent(_ stage: Stage) async throws {
        let folder = "\(stage.directory.path)/keys"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let program = Program(environment: ["LOG_LEVEL": "trace"])
        let ended = try await program.launch(["emulator", "--dir", folder, "--port", "0"]) { emulator in
            _ = try await get("\(emulator.firstLine())/")
            emulator.send(SIGTERM)
        }
        #expect(ended.errors.contains("The emulator answers at"), "it tells much: \(ended)")
        let key = try Keys.key(inFile: "\(folder)/service-account.json")
        Keys.expectNone(of: key, in: "\(ended)")
        let rights = try FileManager.default.attributesOfItem(atPath: "\(folder)/service-account.json")
        #expect(rights[.posixPermissions] as? Int == 0o600)
    }

    private func get(_ url: String) async throws -> String {
        let client = try HTTPClient(userAgent: "test")
        let answer = try await client.send(HTTPClient.Request(method: .get, url: url))
        await client.shutdown()
        return String(decoding: answer.body, as: UTF8.self)
    }
}
