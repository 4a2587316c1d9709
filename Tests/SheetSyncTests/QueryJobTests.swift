import Foundation
import GoogleEmulator
import JSON
import JobQueue
import PostgresServer
import TestSupport
import Testing

/// Jobs with a query through the program itself.
@Suite struct QueryJobTests {
    private func daemon(_ stage: Stage, spool: String) async throws -> Program {
        let login = "source_of_\(stage.queue.database)"
        _ = try await stage.queue.psql(
            """
            create role \(login) login; create schema app; grant usage on schema app to \(login);
            create table app.t as select g as n, g * 0.25 as quarter from generate_series(1, 1000) g;
            grant select on app.t to \(login);
            """)
        return stage.daemon.with([
            "SHEETSYNC_SOURCE_DATABASE_URL": stage.queue.server.tcpURL(database: stage.queue.database, user: login),
            "SHEETSYNC_SPOOL_DIR": spool, "SHEETSYNC_QUERY_TIMEOUT": "60",
        ])
    }

    private func enqueue(_ stage: Stage, _ query: String) async throws -> Int {
        let id = try await stage.queue.psql(
            "select sheetsync.enqueue('export', jsonb_build_object('title', 'Q', 'query', $q$\(query)$q$::text))",
            as: stage.name(.query))
        return try #require(Int(id), "psql printed \(id)")
    }

    @Test func aQueryBecomesASheetAndNothingIsLeft() async throws {
        try await Stage.with { stage in
            let spool = try TemporaryDirectory()
            defer { spool.remove() }
            let daemon = try await daemon(stage, spool: spool.path)
            try await daemon.withDaemon { _ in
                let job = try await stage.ended(try await enqueue(stage, "select n, quarter from app.t order by n"))
                #expect(job.state == "completed", "\(job.json)")
                #expect(
                    stage.values(job)?.array?.dropFirst().map { $0 }
                        == (1...1000).map { [JSON($0), JSON(Double($0) / 4)] })
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path).isEmpty)
        }
    }

    @Test func aDaemonThatIsKilledLeavesNeitherFileNorSession() async throws {
        try await Stage.with { stage in
            let spool = try TemporaryDirectory()
            defer { spool.remove() }
            let daemon = try await daemon(stage, spool: spool.path).with([
                // It knows that no spreadsheet was made; else it would look for one for an hour.
                "SHEETSYNC_LEASE_SECONDS": "5", "SHEETSYNC_LIST_DELAY": "3600",
            ])
            let query =
                "select n, repeat('x', 5000), pg_sleep(case when n = 500 then 3 else 0 end) from app.t order by n"
            let id = try await enqueue(stage, query)
            let running =
                "select count(*) from pg_stat_activity where query like '%repeat%' and usename like 'source_of%'"
            try await daemon.launch(["run"]) { killed in
                try await wait(for: "the query to be reported") { try await stage.job(id).progress?.step == "querying" }
                killed.send(SIGKILL)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: spool.path).isEmpty)
            // The next daemon takes the job over and runs the query anew.
            try await daemon.withDaemon { _ in
                let job = try await stage.ended(id)
                #expect(job.state == "completed", "\(job.json)")
                #expect(stage.values(job)?.array?.count == 1001)
                #expect(stage.spreadsheets == ["Q"])
            }
            try await wait(for: "every session to be gone") { try await stage.queue.psql(running) == "0" }
        }
    }

    @Test(.enabled("needs a file system to mount") { try await MountedDisk.canBeMade() })
    func aFullDiskIsWaitedFor() async throws {
        let disk = try TemporaryDirectory()
        defer { disk.remove() }
        try #require(await MountedDisk.mount(on: disk.path, "size=300k,mode=0700"))
        let outcome: Result<Void, any Error>
        do {
            try await Stage.with { stage in
                let daemon = try await daemon(stage, spool: disk.path)
                try await daemon.withDaemon { _ in
                    let id = try await enqueue(stage, "select n, repeat('x', 1000) from app.t")
                    try await wait(for: "the disk to be full", seeing: { "\(try await stage.job(id).json)" }) {
                        try await stage.job(id).errorCodes == ["export.spool_failed"]
                    }
                    let message = try await stage.job(id).errorMessages.first ?? ""
                    #expect(message.contains("No space left on device") && message.contains(disk.path), "\(message)")
                    #expect(await MountedDisk.resize(disk.path, to: "20m"))
                    let job = try await stage.ended(id)
                    #expect(job.state == "completed", "\(job.json)")
                }
            }
            outcome = .success(())
        } catch { outcome = .failure(error) }
        await MountedDisk.unmount(disk.path)
        try outcome.get()
    }

    @Test func theRowsOfARefusedExportAreKept() async throws {
        try await Stage.with { stage in
            let kept = try TemporaryDirectory()
            defer { kept.remove() }
            let daemon = try await daemon(stage, spool: kept.path).with([
                "GOOGLE_SHEETS_ENABLE_CSV_FALLBACK": "true", "SHEETSYNC_EXPORT_DIR": kept.path,
            ])
            stage.emulator.addFault(
                Fault(.error(status: 403, reason: "storageQuotaExceeded"), api: .drive, verb: "POST", count: nil))
            try await daemon.withDaemon { _ in
                let job = try await stage.ended(
                    try await enqueue(stage, "select n, 'text' as t from app.t where n < 3"))
                #expect(job.state == "discarded" && job.errorCodes == ["google.storage_quota_exceeded"], "\(job.json)")
                let path = try #require(job.json["errors"]?[0]?["csv_path"]?.string, "\(job.json)")
                #expect(
                    try String(contentsOfFile: path, encoding: .utf8)
                        == "\"n\",\"t\"\r\n\"1\",\"text\"\r\n\"2\",\"text\"\r\n")
            }
            let nowhere = daemon.with(["SHEETSYNC_EXPORT_DIR": ""])
            try await nowhere("run").expectRefusal(78, "SHEETSYNC_EXPORT_DIR is not set")
        }
    }
}
