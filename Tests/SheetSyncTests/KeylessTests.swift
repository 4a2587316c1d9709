import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// A daemon that has no key: its token comes over the security token service, in another account's name, or from the machine.
@Suite struct KeylessTests {
    /// The settings of each way, and the calls that one token takes.
    private static let ways: [(file: String, steps: [String])] = [
        ("external-account.json", ["sts.token", "iamcredentials.generateAccessToken"]),
        ("external-account-url.json", ["idp.token", "sts.token", "iamcredentials.generateAccessToken"]),
        ("impersonated-service-account.json", ["oauth.token", "iamcredentials.generateAccessToken"]),
        ("metadata", ["metadata.token"]),
    ]

    private func daemon(_ stage: Stage, _ file: String) async throws -> Program {
        let program = stage.daemon.with(["SHEETSYNC_LIST_DELAY": "0.2"]).without("GOOGLE_SHEETS_CREDENTIALS_PATH")
        guard file == "metadata" else {
            return program.with(["GOOGLE_APPLICATION_CREDENTIALS": "\(stage.directory.path)/\(file)"])
        }
        // With nothing else set.
        return program.with(["GCE_METADATA_HOST": "127.0.0.1:\(try await stage.emulator.port)"])
    }

    @Test func exportsAreMadeWithoutAKey() async throws {
        for (file, steps) in Self.ways {
            try await Stage.with { stage in
                let daemon = try await daemon(stage, file)
                try await daemon.withDaemon { _ in
                    let job = try await stage.ended(try await stage.enqueue("export", export("Keyless")))
                    #expect(job.state == "completed" && job.attempt == 1, "\(file): \(job.json)")
                    #expect(stage.values(job) == [["a", "b"], [1, "x"]], "\(file)")
                }
                let counts = stage.emulator.journal.counts
                for step in steps { #expect(counts[step] == 1, "\(file): \(counts)") }
                // What was done was done as the service account.
                let accounts = Set(stage.emulator.journal.entries.filter { $0.api == .sheets }.map(\.account))
                #expect(accounts == ["sheetsync@emulated-project.iam.gserviceaccount.com"], "\(file): \(accounts)")
                let checkup = try await daemon("doctor")
                checkup.expect(0)
                for word in ["Google gives one", "sheetsync@emulated-project", "Sheets API", "answers"] {
                    #expect(checkup.output.contains(word), "\(file): \(checkup)")
                }
            }
        }
    }

    @Test func theWordMetadataIsACredentialToo() async throws {
        try await Stage.with { stage in
            let daemon = try await daemon(stage, "metadata")
            let path = try stage.directory.write("metadata\n", to: "word", mode: 0o600)
            for (name, value) in [("GOOGLE_SHEETS_CREDENTIALS", "metadata"), ("GOOGLE_SHEETS_CREDENTIALS_PATH", path)] {
                try await daemon.with([name: value])("doctor").expect(0)
            }
            // Where credentials are set, these are meant.
            let key = try await daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": stage.key])("doctor").expect(0)
            #expect(!key.output.contains("metadata server"), "\(key)")
            try await daemon.with(["GCE_METADATA_HOST": "a b"])("run").expectRefusal(78, "GCE_METADATA_HOST")
            let subject = try await daemon.with(["GOOGLE_IMPERSONATE_SUBJECT": "ann@example.com"])("run")
            subject.expectRefusal(78, "GOOGLE_IMPERSONATE_SUBJECT")
        }
    }

    /// A proxy of the environment leads to the network, and the metadata server is on this side of it.
    @Test func theMetadataServerIsAskedPastAnyProxy() async throws {
        try await Stage.with { stage in
            let proxied = try await daemon(stage, "metadata").with(["http_proxy": "http://127.0.0.1:1"])
            let checkup = try await proxied("doctor").expect(1)
            #expect(checkup.output.contains("Google gives one"), "\(checkup)")
            // The others go by the proxy, which is not there.
            #expect(checkup.output.contains("Google could not be reached"), "\(checkup)")
        }
    }

    /// Each step fails in turn: `doctor` names it, and jobs wait without losing an attempt until it is mended.
    @Test func aStepThatFailsIsNamedAndJobsWait() async throws {
        try await Stage.with { stage in
            let token = "\(stage.directory.path)/subject-token"
            let aside = token + ".aside"
            let faults: [(name: String, code: String, break: () throws -> Void, mend: () throws -> Void)] = [
                (
                    "Subject token: ", "google.credentials",
                    { try FileManager.default.moveItem(atPath: token, toPath: aside) },
                    { try FileManager.default.moveItem(atPath: aside, toPath: token) }
                ),
                (
                    "Token exchange (STS): ", "google.invalid_grant",
                    {
                        stage.emulator.addFault(
                            Fault(.error(status: 400, reason: "invalid_grant", message: "x"), api: .sts, count: nil))
                    }, { stage.emulator.removeFaults() }
                ),
                (
                    "Impersonation of sheetsync@emulated-project.iam.gserviceaccount.com: ", "google.access_denied",
                    { stage.emulator.apply(impersonation(isDenied: true)) },
                    { stage.emulator.apply(impersonation(isDenied: false)) }
                ),
            ]
            let daemon = try await daemon(stage, "external-account.json")
            let subject = try String(contentsOfFile: token, encoding: .utf8)
            for (name, code, breaks, mends) in faults {
                try breaks()
                let checkup = try await daemon("doctor").expect(1)
                #expect(checkup.output.contains(name.dropLast(1)), "\(checkup)")
                let ended = try await daemon.launch(["run"]) { running in
                    // A daemon starts although it has no token yet.
                    try await running.expectToSay("worker is ready")
                    let id = try await stage.enqueue("export", export("Waits for \(name)"))
                    try await running.expectToSay(name)
                    try await wait(for: "the reason of the wait") {
                        try await stage.job(id).json["waits_for"]?["code"]?.string == code
                            || running.errors.contains(code)
                    }
                    #expect(try await !stage.job(id).isFinal)
                    try mends()
                    let job = try await stage.ended(id, within: .seconds(140))
                    #expect(job.state == "completed" && job.attempt == 1, "\(name): \(job.json)")
                    running.send(SIGTERM)
                }
                #expect(!(ended.errors + checkup.output).contains(subject), "no token is shown")
            }
            #expect(stage.spreadsheets.count == 3, "\(stage.spreadsheets)")
        }
    }

    private func impersonation(isDenied: Bool) -> AuthorityChange {
        var change = AuthorityChange()
        change.isImpersonationDenied = isDenied
        return change
    }

    @Test func faultsThatPassAreTriedAgainStepByStep() async throws {
        try await Stage.with { stage in
            for (api, action) in [
                (GoogleAPI.idp, Fault.Action.resetBefore), (.sts, .error(status: 503)), (.sts, .garbage),
                (.iamcredentials, .error(status: 503)), (.iamcredentials, .html(status: 502)),
            ] {
                stage.emulator.addFault(Fault(action, api: api))
            }
            try await daemon(stage, "external-account-url.json").withDaemon { _ in
                let job = try await stage.ended(try await stage.enqueue("export", export("Through")))
                #expect(job.state == "completed" && job.attempt == 1, "\(job.json)")
            }
        }
    }

    @Test func aQuotaProjectIsChargedOrSaidToBeRefused() async throws {
        try await Stage.with { stage in
            let text = try String(contentsOfFile: "\(stage.directory.path)/authorized-user.json", encoding: .utf8)
            for (project, status) in [("emulated-project", Int32(0)), ("other-project", 1)] {
                var user = try JSON(parsing: text).object ?? JSONObject()
                user["quota_project_id"] = .string(project)
                let checkup = try await stage.daemon.with([
                    "GOOGLE_SHEETS_CREDENTIALS_PATH": JSON.object(user).description
                ])("doctor").expect(status)
                #expect(checkup.output.contains("quota_project_id") == (status != 0), "\(checkup)")
            }
        }
    }
}
