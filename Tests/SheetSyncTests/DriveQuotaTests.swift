import Foundation
import GoogleEmulator
import JSON
import JobQueue
import TestSupport
import Testing

/// Drive's own limits: new files at an even rate, and units.
@Suite struct DriveQuotaTests {
    /// The quota of Sheets is raised, so that new files are what there is too little of.
    @Test(.timeLimit(.minutes(10))) func newFilesComeNoFasterThanDriveTakesThem() async throws {
        let (limit, length, jobs) = (40, 20, 80)
        var quotas = QuotaLimits()
        (quotas.windowSeconds, quotas.driveCreatesPerUser) = (length, limit)
        try await Stage.with(quotas: quotas) { stage in
            let daemon = stage.daemon.with([
                "SHEETSYNC_QUOTA_WINDOW": "\(length)", "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER": "\(limit)",
            ])
            for number in 1...jobs { _ = try await stage.enqueue("export", export("Export \(number)")) }
            try await withThrowingTaskGroup { group in
                for _ in 1...4 {
                    group.addTask {
                        _ = try await daemon.withDaemon { running in
                            try await wait(for: "the exports", within: .seconds(240), seeing: { running.errors }) {
                                try await stage.queue.inspector.count(.outcome) == jobs
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let ended = "select state, count(*) from sheetsync.jobs group by 1"
            #expect(try await stage.queue.psql(ended) == "completed|\(jobs)")
            let creates = stage.emulator.journal.entries.filter { $0.method == "drive.files.create" }
            let refused = creates.filter { $0.status != 200 }.count
            let windows = Dictionary(grouping: creates) { $0.time / 1000 / length }.sorted { $0.key < $1.key }
            print("of \(limit) new files a window \(windows.map(\.value.count)) were made, \(refused) refused")
            #expect(refused == 0)
            #expect(creates.count == jobs && Set(stage.spreadsheets).count == jobs, "lost 0, duplicated 0")
            #expect(stage.spreadsheets.count == jobs)
        }
    }

    /// Google counts a list twenty times as much as a look at a file; the daemon must not count less.
    @Test func theDaemonCountsDrivesUnitsAsGoogleDoes() async throws {
        var quotas = QuotaLimits()
        quotas.windowSeconds = 3600
        quotas.driveUnitsPerUser = 325_000
        try await Stage.with(quotas: quotas) { stage in
            try await stage.daemon.with(["SHEETSYNC_QUOTA_WINDOW": "\(Stage.roomyWindow)"]).withDaemon { _ in
                var ids: [Int] = []
                for number in 1...5 {
                    let payload: JSON = [
                        "title": .string("Export \(number)"), "folder": [.string("Team \(number)"), "2026"],
                        "columns": ["a"],
                        "rows": [[1]], "share": [["type": "user", "email": "ann@example.com", "role": "reader"]],
                    ]
                    ids.append(try await stage.enqueue("export", payload))
                }
                for id in ids { #expect(try await stage.ended(id).state == "completed") }
            }
            let drive = stage.emulator.journal.entries.filter { $0.api == .drive }
            let units = drive.reduce(0) { sum, call in
                sum + (call.verb != "GET" ? 50 : call.method?.hasSuffix(".list") == true ? 100 : 5)
            }
            let counted = try await stage.queue.psql(
                "select used from sheetsync.report_quota where name like 'drive_units/user/%'")
            print("\(drive.count) calls of Drive, \(units) units; the daemon counted \(counted)")
            #expect(Set(drive.compactMap(\.method)).count > 2, "calls of several kinds")
            #expect((Int(counted) ?? 0) >= units)
        }
    }
}
