import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Trouble with the daemon's identity is the daemon's own: jobs wait, and none fails for it.
@Suite struct TokenFaultTests {
    /// What the token endpoint does for some time, and whether Google takes back the token meanwhile.
    private static let faults: [(name: String, action: Fault.Action, isRevoked: Bool)] = [
        ("a refusal for the clock", OAuthFailure.clockSkew.action, false),
        ("a refused signature", OAuthFailure.invalidSignature.action, true),
        ("an internal failure", OAuthFailure.internalFailure.action, false),
        ("status 503", .error(status: 503), true), ("connections that end", .resetBefore, false),
        ("HTML", .html(status: 502), true),
    ]

    /// All faults at once, each with a daemon of its own that has asked in vain, waited and asked again.
    @Test(.timeLimit(.minutes(10))) func aTokenEndpointThatFailsForLongCostsNoAttempt() async throws {
        try await withThrowingTaskGroup { group in
            for (name, action, isRevoked) in Self.faults {
                group.addTask {
                    try await Stage.with { stage in
                        try await stage.daemon.with(["SHEETSYNC_LIST_DELAY": "0.2"]).launch(
                            ["run"], within: .seconds(300)
                        ) { running in
                            try await running.expectToSay("worker is ready")
                            if isRevoked {
                                _ = try await stage.ended(try await stage.enqueue("export", export("Before")))
                                revokeTokens(stage)
                            }
                            let fault = stage.emulator.addFault(Fault(action, api: .oauth, count: nil))
                            var ids: [Int] = []
                            for number in 1...6 {
                                ids.append(try await stage.enqueue("export", export("During \(number)")))
                            }
                            try await wait(for: "three refusals in a row", seeing: { running.errors }) {
                                running.errors.components(separatedBy: "fails; no calls for now").count > 3
                            }
                            let strikes = stage.emulator.strikes(of: fault)
                            stage.emulator.removeFaults()
                            for id in ids { try await expectUndisturbed(id, stage, running) }
                            print(
                                "\(name), token revoked: \(isRevoked): \(strikes) strikes, 6 jobs, lost 0, attempts lost 0"
                            )
                            #expect(strikes > 0)
                            #expect(stage.spreadsheets.count == (isRevoked ? 7 : 6), "\(stage.spreadsheets)")
                            running.send(SIGTERM)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// The account gets another key and the old one is no longer good; the file is replaced some time later.
    @Test func aReplacedKeyFileIsPickedUpWhileJobsWait() async throws {
        try await Stage.with { stage in
            let key = try stage.directory.write(
                try String(contentsOfFile: stage.key, encoding: .utf8), to: "key-in-use.json")
            let daemon = stage.daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": key])
            try await daemon.withDaemon { running in
                try await expectUndisturbed(try await stage.enqueue("export", export("Old key")), stage, running)
                let next = try TemporaryDirectory()
                defer { next.remove() }
                var account =
                    try JSON(parsing: try String(contentsOfFile: stage.key, encoding: .utf8)).object ?? JSONObject()
                account["private_key"] = .string(try await Keys.rsa())
                account["private_key_id"] = .string("0123456789abcdef")
                let file = try next.write(JSON.object(account).description, to: "service-account.json")
                try await stage.emulator.writeCredentials(to: next.path)
                revokeTokens(stage)
                var ids: [Int] = []
                for number in 1...3 { ids.append(try await stage.enqueue("export", export("New key \(number)"))) }
                try await running.expectToSay("invalid_grant")
                try FileManager.default.copyItem(atPath: file, toPath: key + ".new")
                #expect(unsafe rename(key + ".new", key) == 0)
                for id in ids { try await expectUndisturbed(id, stage, running) }
                #expect(stage.spreadsheets.count == 4, "lost 0, duplicated 0: \(stage.spreadsheets)")
            }
        }
    }

    private func revokeTokens(_ stage: Stage) {
        var change = AuthorityChange()
        change.revokesTokens = true
        stage.emulator.apply(change)
    }

    private func expectUndisturbed(_ id: Int, _ stage: Stage, _ daemon: RunningProgram) async throws {
        try await wait(for: "job \(id) to end", within: .seconds(240), seeing: { daemon.errors }) {
            try await stage.job(id).isFinal
        }
        let job = try await stage.job(id)
        #expect(
            job.state == "completed" && job.attempt == 1 && job.errorCodes == [],
            "\(job.json)\n\(daemon.errors.suffix(1500))")
    }
}
