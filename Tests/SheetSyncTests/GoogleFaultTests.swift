import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// What Google can do to a job, all to one daemon that tells as much as it can in its log, and what it must never tell.
@Suite(.serialized) struct GoogleFaultTests {
    private static let canary = "canary-of-a-payload"

    @Test func noFaultLosesOrDoublesASpreadsheetAndNoSecretIsTold() async throws {
        try await Stage.with { stage in
            let key = try Keys.key(inFile: stage.key)
            var commandLine = ""
            let ended = try await stage.daemon.with(["LOG_LEVEL": "trace", "SHEETSYNC_LIST_DELAY": "0.2"]).withDaemon {
                daemon in
                try await expectTwoRefusalsToBeRepeated(stage)
                try await expectAResetToBeFoundOut(stage)
                try await expectARevokedTokenToBeReplaced(stage)
                try await expectAnAnswerToBeTakenAsAnError(stage)
                try await expectRefusalToBeDiscarded(stage)
                commandLine = try String(contentsOfFile: "/proc/\(daemon.id)/cmdline", encoding: .utf8)
            }
            #expect(
                stage.spreadsheets.sorted() == ["HTML", "Reset", "Token 1", "Token 2", "Unavailable"].map(Self.title),
                "lost 0, duplicated 0")
            #expect(ended.errors.contains("TRACE") || ended.errors.contains("DEBUG"), "it tells much: \(ended.errors)")
            for text in [ended.errors, ended.output, commandLine] {
                Keys.expectNone(of: key, in: text)
                for secret in ["ya29.", Stage.password, Self.canary, "PRIVATE KEY"] {
                    #expect(!text.contains(secret), "\(secret) is told")
                }
            }
            let history = try await stage.queue.psql("select errors from sheetsync.jobs")
            #expect(history.contains("google.connection_lost") && !history.contains("ya29."), "\(history)")
            Keys.expectNone(of: key, in: history)
        }
    }

    /// 503 twice and then success: one spreadsheet, and a history that tells of both.
    private func expectTwoRefusalsToBeRepeated(_ stage: Stage) async throws {
        let fault = stage.emulator.addFault(
            Fault(.error(status: 503), api: .drive, verb: "POST", path: .contains("/files"), count: 2))
        let job = try await finished("Unavailable", stage)
        #expect(stage.emulator.strikes(of: fault) == 2)
        #expect(job.state == "completed" && job.attempt == 3, "\(job.json)")
        #expect(job.errorCodes.count == 2 && Set(job.errorCodes).count == 1, "\(job.json)")
        #expect(job.json["errors"]?.array?.allSatisfy { $0["retryable"] == true } == true, "\(job.json)")
        #expect(job.errorMessages.allSatisfy { $0.contains("503") }, "\(job.errorMessages)")
    }

    /// Google made the spreadsheet, and the answer was lost: it is found by its mark.
    private func expectAResetToBeFoundOut(_ stage: Stage) async throws {
        let fault = stage.emulator.addFault(
            Fault(.resetAfter, api: .drive, verb: "POST", path: .contains("/files")))
        let job = try await finished("Reset", stage)
        #expect(stage.emulator.strikes(of: fault) == 1)
        #expect(job.state == "completed" && job.attempt == 2, "\(job.json)")
        #expect(job.errorCodes == ["google.connection_lost"], "\(job.json)")
        #expect(stage.spreadsheets.filter { $0 == Self.title("Reset") }.count == 1)
    }

    /// A token that is no longer good is a matter of the daemon's own; no job fails for it.
    private func expectARevokedTokenToBeReplaced(_ stage: Stage) async throws {
        for name in ["Token 1", "Token 2"] {
            var revocation = AuthorityChange()
            revocation.revokesTokens = true
            stage.emulator.apply(revocation)
            let job = try await finished(name, stage)
            #expect(job.state == "completed" && job.attempt == 1 && job.errorCodes == [], "\(job.json)")
        }
    }

    /// A front end's page instead of JSON.
    private func expectAnAnswerToBeTakenAsAnError(_ stage: Stage) async throws {
        stage.emulator.addFault(Fault(.html(status: 502), api: .sheets, verb: "POST"))
        let job = try await finished("HTML", stage)
        #expect(job.state == "completed" && job.attempt == 2, "\(job.json)")
        #expect(job.errorMessages.allSatisfy { !$0.contains("<") }, "\(job.errorMessages)")
    }

    /// A refusal for good, and a payload whose error quotes it; both in the words of the job's row alone.
    private func expectRefusalToBeDiscarded(_ stage: Stage) async throws {
        stage.emulator.addFault(
            Fault(.error(status: 403, reason: "storageQuotaExceeded"), api: .drive, verb: "POST"))
        let full = try await finished("Full", stage)
        #expect(full.state == "discarded" && full.errorCodes == ["google.storage_quota_exceeded"], "\(full.json)")
        let payload: JSON = ["title": "t", "rows": [], "\(Self.canary)": .string(Self.canary)]
        let unknown = try await stage.ended(try await stage.enqueue("export", payload))
        #expect(
            unknown.state == "discarded" && unknown.errorMessages.first?.hasPrefix(Self.canary) == true,
            "\(unknown.json)")
    }

    private static func title(_ name: String) -> String { "\(name) \(canary)" }

    private func finished(_ name: String, _ stage: Stage) async throws -> JobRecord {
        try await stage.ended(try await stage.enqueue("export", export(Self.title(name), .string(Self.canary))))
    }
}
