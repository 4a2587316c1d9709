import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// A daemon is killed when Google has made its job's spreadsheet and nobody has saved that; then the job is cancelled.
@Suite struct KilledAndCancelledTests {
    /// When the job is cancelled.
    enum Cancel: CaseIterable {
        /// While it seems to run.
        case running
        /// When it was taken from the dead daemon and waits.
        case waiting
    }

    @Test(arguments: Cancel.allCases) func theSpreadsheetIsNamed(cancel: Cancel) async throws {
        try await Stage.with { stage in
            try await lose(stage, stage.daemon, cancel)
        }
    }

    /// Each works in a Drive of its own, so nobody else finds what one has made.
    @Test(arguments: [true, false]) func itIsNamedWhoeverOfSeveralMadeIt(isNoted: Bool) async throws {
        let users = (1...4).map { "exports-\($0)@example.com" }
        try await Stage.with(delegatedUsers: Set(users)) { stage in
            let daemon = stage.daemon.with(["GOOGLE_IMPERSONATE_SUBJECT": users.joined(separator: ", ")])
            try await lose(stage, daemon, .waiting, isNoted: isNoted)
        }
    }

    private func lose(_ stage: Stage, _ daemon: Program, _ cancel: Cancel, isNoted: Bool = true) async throws {
        let daemon = daemon.with(["SHEETSYNC_LIST_DELAY": "2", "SHEETSYNC_LEASE_SECONDS": "10"])
        let id = try await stage.enqueue("export", export("Lost"))
        let trap = Trap(at: .init(request: "POST /drive/v3/files", occurrence: 1, moment: .after), .kill)
        _ = try await Relay.with(.http, to: try await stage.emulator.port, hook: trap.note) { google in
            try await daemon.with(["GOOGLE_API_ENDPOINT": "http://127.0.0.1:\(google.port)"]).launch(["run"]) {
                running in
                trap.set(for: running)
                try await wait(for: "the kill", seeing: { running.errors }) { !running.isAlive }
            }
        }
        #expect(trap.hasStruck && stage.spreadsheets == ["Lost"])
        if cancel == .waiting {
            let taken = "select state from sheetsync.reclaim(0)"
            #expect(try await stage.queue.psql(taken, as: stage.name(.worker)) == "available")
        } else {
            try await stage.queue.inspector.silence()
        }
        #expect(try await stage.queue.jobs.cancel(id))
        if !isNoted { _ = try await stage.queue.psql("delete from sheetsync.progress") }
        if cancel == .waiting {
            let words = try await stage.program(.operator)("why", "\(id)").expect(0).output
            #expect(words.contains("what it has made is being looked up"), "\(words)")
        }
        try await daemon.withDaemon { running in
            try await wait(
                for: "the job to be reconciled", seeing: { try await stage.job(id).json.description + running.errors }
            ) {
                try await stage.queue.inspector.count(.outcome, where: "reconcile_at is null") == 1
            }
        }
        let job = try await stage.job(id)
        let file = (stage.emulator.state(showsValues: false)["files"]?.array ?? []).first { $0["name"] == "Lost" }
        #expect(job.state == "cancelled" && job.result?["spreadsheet_id"] == file?["id"], "\(job.json)")
        #expect(stage.spreadsheets == ["Lost"], "duplicated 0")
        let words = try await stage.program(.operator)("why", "\(id)").expect(0).output
        #expect(words.contains("what it has made: http"), "\(words)")
    }
}
