import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// Whatever is broken, the first line of `status`, `why` and `doctor` names it.
@Suite struct BrokenSetupTests {
    /// Runs a command again until its first line has some words.
    func expect(
        _ words: String..., from program: Program, _ arguments: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await expect(words, from: program, arguments, sourceLocation)
    }

    func expect(
        _ words: [String], from program: Program, _ arguments: [String],
        _ sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        var last: Ended?
        do {
            try await wait(for: "\(arguments) to say \(words)", within: .seconds(120), every: .milliseconds(200)) {
                let ended = try await program.run(arguments)
                last = ended
                let line = (ended.output + ended.errors).split(separator: "\n").first ?? ""
                return words.allSatisfy { line.contains($0) }
            }
        } catch {
            Issue.record("lacks \(words): \(last?.description ?? "")", sourceLocation: sourceLocation)
        }
    }

    /// Expects the same words in the first line of `status`, `why` and `doctor`.
    private func expectEach(
        _ words: String..., from program: Program, job: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for arguments in [["status"], ["why", "\(job)"], ["doctor"]] {
            try await expect(words, from: program, arguments, sourceLocation)
        }
    }

    /// The daemon with the credentials in a file of the emulator's, changed by a closure.
    private func daemon(
        _ stage: Stage, file: String = "service-account.json", change: (inout JSONObject) -> Void
    ) throws -> Program {
        let text = try String(contentsOfFile: "\(stage.directory.path)/\(file)", encoding: .utf8)
        var members = try #require(try JSON(parsing: text).object)
        change(&members)
        let path = try stage.directory.write(JSON.object(members).description, to: "changed.json", mode: 0o600)
        return stage.daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": path])
    }

    @Test func aSoundInstallationIsCalledSo() async throws {
        try await Stage.with { stage in
            // PostgreSQL 14's default is not sound.
            _ = try await stage.queue.psql("revoke create on schema public from public")
            let idle = try await stage.daemon("doctor").expect(0)
            #expect(idle.output.hasPrefix("WARN: queue: no worker is alive: start `sheetsync run`\n"), "\(idle)")
            try await stage.daemon.withDaemon { _ in try await expect("OK: all ", from: stage.daemon, "doctor") }
            _ = try await stage.queue.psql("select sheetsync.register_worker(7, 'w', '1', 5)")
            let doctor = try await stage.daemon("doctor").expect(0)
            #expect(doctor.output.contains("settings looked at: those of this environment"), "\(doctor)")
            #expect(!doctor.output.contains("\u{1B}") && !doctor.output.contains("ya29."), "\(doctor)")
            #expect(!doctor.output.contains(Stage.password), "\(doctor)")
            Keys.expectNone(of: try Keys.key(inFile: stage.key), in: doctor.output)
            let json = try JSON(parsing: try await stage.daemon("doctor", "--json").expect(0).output)
            #expect(json["schema"] == 1 && json["ok"] == true && json["reason"] == JSON.null, "\(json)")
            let names = (json["checks"]?.array ?? []).compactMap { $0["name"]?.string }
            for name in [
                "settings", "templates", "credentials", "clock", "token", "scopes", "storage", "Sheets API", "schema",
                "sequences", "roles", "grants", "queue", "locks and commits", "encoding", "collations",
                "session settings", "indexes", "replica identity", "PUBLIC", "database writes",
            ] {
                #expect(names.contains(name), "lacks \(name): \(names)")
            }
            #expect(stage.spreadsheets.isEmpty, "it changes nothing")
        }
    }

    @Test func theLoginOfQueries() async throws {
        try await Stage.with { stage in
            func source(_ user: String) -> Program {
                let url = stage.queue.server.tcpURL(database: stage.queue.database, user: user)
                return stage.daemon.with(["SHEETSYNC_SOURCE_DATABASE_URL": url])
            }
            _ = try await stage.queue.psql("create role source_of_\(stage.queue.database) login")
            let sound = try await source("source_of_\(stage.queue.database)")("doctor").expect(0)
            #expect(sound.output.contains("source database"), "\(sound)")
            try await expect("FAIL: source database: ", "a superuser", from: source("postgres"), "doctor")
            try await expect(
                "FAIL: source database: ", "the queue's sheetsync_worker", from: source(stage.name(.worker)), "doctor")
            try await expect("FAIL: source database: ", "cannot connect", from: source("nobody"), "doctor")
            func own(_ user: String) -> Program {
                let url = stage.queue.server.tcpURL(database: stage.queue.database, user: user)
                return source("source_of_\(stage.queue.database)").with([
                    "SHEETSYNC_SOURCE_DATABASE_URLS": #"{"api server": "\#(url)"}"#
                ])
            }
            let both = try await own("source_of_\(stage.queue.database)")("doctor").expect(0)
            #expect(both.output.contains("source database of api server"), "\(both)")
            #expect(both.output.contains("queries of api server run as source_of_"), "\(both)")
            try await expect("FAIL: source database of api server: ", "a superuser", from: own("postgres"), "doctor")
            let wrong = stage.daemon.with(["SHEETSYNC_SOURCE_DATABASE_URL": "mysql://x"])
            try await wrong("run").expectRefusal(78, "SHEETSYNC_SOURCE_DATABASE_URL cannot be used")
            let nowhere = source("postgres").with(["SHEETSYNC_SPOOL_DIR": "/nowhere"])
            try await nowhere("run").expectRefusal(78, "SHEETSYNC_SPOOL_DIR is /nowhere")
        }
    }

    @Test func aKeyOfAnotherAccount() async throws {
        let key = try await Keys.rsa()
        try await Stage.with { stage in
            let daemon = try daemon(stage) { $0["private_key"] = .string(key) }
            try await expect("FAIL: token: ", "does not accept the key's signature", from: daemon, "doctor")
            try await daemon.withDaemon { _ in
                let job = try await stage.enqueue("export", export("x"))
                let status = stage.program(.operator)
                try await expect("DEGRADED: Google gives no access token to", "signature", from: status, "status")
                // Also for the one who enqueued it, and who sees nothing else of the queue.
                try await expect(
                    "job \(job) (export", "waits because Google gives no access token to", "signature",
                    from: stage.program(.producer), "why", "\(job)")
                #expect(try await stage.job(job).errorCodes == [], "it lost no attempt")
            }
        }
    }

    @Test func aServiceAccountWithoutStorage() async throws {
        try await Stage.with(serviceAccountsOwnFiles: false) { stage in
            try await expect("FAIL: storage: ", "owns none at all", from: stage.daemon, "doctor")
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.enqueue("export", export("x"))
                _ = try await stage.ended(job)
                try await expect(
                    "job \(job) (export, discarded) was given up", "google.storage_quota_exceeded",
                    "GOOGLE_DRIVE_SHARED_DRIVE_ID", "sheetsync jobs retry \(job)", from: stage.program(.operator),
                    "why",
                    "\(job)")
                try await expect(
                    "DEGRADED: 1 job discarded", "google.storage_quota_exceeded", from: stage.program(.operator),
                    "status")
            }
        }
    }

    @Test func aQuotaThatIsUsedUp() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with([
                "SHEETSYNC_SHEETS_WRITES_PER_MINUTE_USER": "1", "SHEETSYNC_QUOTA_WINDOW": "\(Stage.roomyWindow)",
            ])
            try await daemon.withDaemon { _ in
                _ = try await stage.ended(try await stage.enqueue("export", export("first")))
                let second = try await stage.enqueue("export", export("second"))
                try await expect("OK: ", "the quota sheets_writes of", from: stage.program(.operator), "status")
                try await expect("quota sheets_writes", from: stage.program(.producer), "why", "\(second)")
                try await expect(
                    "WARN: quota: the quota sheets_writes of", "is used up (1 of 1)", from: daemon, "doctor")
                _ = try await stage.queue.jobs.cancel(second)
            }
        }
    }

    @Test func aGoogleThatIsDown() async throws {
        try await Stage.with { stage in
            stage.emulator.addFault(Fault(.error(status: 503), api: .drive, count: nil))
            try await expect("FAIL: Drive API: ", "fault of its own", from: stage.daemon, "doctor")
            try await stage.daemon.withDaemon { _ in
                var job = 0
                for number in 1...6 { job = try await stage.enqueue("export", export("\(number)")) }
                try await expect("DEGRADED: Google Drive fails for", "503", from: stage.program(.operator), "status")
                try await expect(
                    "waits because Google Drive fails for", from: stage.program(.operator), "why", "\(job)")
            }
            let unreachable = try daemon(stage) { $0["token_uri"] = "http://127.0.0.1:1/token" }
            try await expect("FAIL: network: ", "does not answer", from: unreachable, "doctor")
        }
    }

    @Test func anAPIThatIsNotEnabled() async throws {
        try await Stage.with { stage in
            stage.emulator.addFault(
                Fault(.error(status: 403, reason: "SERVICE_DISABLED"), api: .sheets, count: nil))
            try await expect("FAIL: Sheets API: ", "not enabled", from: stage.daemon, "doctor")
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.enqueue("export", export("x"))
                try await expect(
                    "DEGRADED: Google Sheets fails for", "not enabled", from: stage.program(.operator), "status")
                try await expect("not enabled", from: stage.program(.operator), "why", "\(job)")
            }
        }
    }

    @Test func aClockThatIsWrong() async throws {
        try await Stage.with { stage in
            stage.emulator.addFault(Fault(OAuthFailure.clockSkew.action, api: .oauth, count: nil))
            try await expect("FAIL: token: ", "clock to be wrong", from: stage.daemon, "doctor")
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.enqueue("export", export("x"))
                try await expect("no access token", "clock to be wrong", from: stage.program(.operator), "status")
                try await expect("clock to be wrong", from: stage.program(.operator), "why", "\(job)")
            }
        }
    }

    @Test func aUserWhoseConsentIsIncompleteOrGone() async throws {
        try await Stage.with { stage in
            let user = try daemon(stage, file: "authorized-user.json") { _ in }
            try await expect("WARN: queue: no worker is alive", from: user, "doctor")
            var change = AuthorityChange()
            change.userScopes = ["https://www.googleapis.com/auth/spreadsheets"]
            stage.emulator.apply(change)
            try await expect("FAIL: scopes: ", "lacks https://www.googleapis.com/auth/drive", from: user, "doctor")
            change.isRefreshTokenDead = true
            stage.emulator.apply(change)
            try await expect("FAIL: token: ", "consent has expired or was withdrawn", from: user, "doctor")
            try await user.withDaemon { _ in
                let job = try await stage.enqueue("export", export("x"))
                try await expect("no access token", "consent has expired", from: stage.program(.operator), "status")
                try await expect("consent has expired", from: stage.program(.operator), "why", "\(job)")
            }
        }
    }

    @Test func aDatabaseThatIsDownOrOldOrTooNew() async throws {
        try await Stage.with { stage in
            let down = stage.daemon.with(["DATABASE_URL": "postgresql://operator@127.0.0.1:1/app"])
            try await expectEach("cannot connect to the database: ", "Check DATABASE_URL", from: down, job: 1)
            try await down("why", "1").expectRefusal(2, "cannot connect to the database")
            try await down("doctor").expect(1)
            try await down("status").expect(2)

            _ = try await stage.queue.psql("update sheetsync.setting set value = '99' where name = 'min_binary'")
            try await expectEach(
                "works with programs that know step 99", "install the newer", from: stage.daemon, job: 1)
            _ = try await stage.queue.psql("update sheetsync.setting set value = '1' where name = 'min_binary'")
            let newest = Schema.sheetsync.steps.count
            _ = try await stage.queue.psql("delete from sheetsync.schema_migration where number = \(newest)")
            try await stage.program(.operator)("why", "1").expectRefusal(3, "run `sheetsync migrate`")
            let status = try await stage.program(.operator)("status").expect(3)
            #expect(status.output.hasPrefix("DOWN: the schema is at step \(newest - 1)"), "\(status)")
            try await expect("FAIL: schema: the schema is at step", from: stage.daemon, "doctor")
        }
    }

    @Test func nobodyWorksOrTheJobIsHeldBack() async throws {
        try await Stage.with { stage in
            let program = stage.program(.operator)
            let job = try await stage.enqueue("noop", [:])
            let why = try await program("why", "\(job)").expect(0)
            #expect(
                why.line
                    == "job \(job) (noop, available) waits for a worker, and none is alive: start `sheetsync run`; where it ends again, "
                    + "`sheetsync doctor` says why")
            try await program("why", "987654").expectRefusal(1, "no job 987654")
            _ = try await stage.queue.psql("select sheetsync.register_worker(7, 'w', '1', 5)")
            let later = try await stage.enqueue("noop", [:], ", run_at => now() + interval '3 hours 1 minute'")
            let scheduled = try await program("why", "\(later)").expect(0)
            #expect(scheduled.line.contains("(noop, scheduled) waits for its time, 2"), "\(scheduled)")
            #expect(scheduled.line.hasSuffix("UTC, in 3 h"), "\(scheduled)")
            let first = try await stage.enqueue("export", ["spreadsheet_id": "abc", "rows": [[1]]])
            _ = try await stage.queue.psql("select * from sheetsync.claim(7, 1, '{\"export\":1}')")
            let second = try await stage.enqueue("export", ["spreadsheet_id": "abc", "rows": [[1]]])
            let held = try await program("why", "\(second)").expect(0)
            #expect(
                held.line.contains("waits for job \(first), which runs and writes to the same spreadsheet:abc"),
                "\(held)")
            let running = try JSON(parsing: try await program("why", "\(first)", "--json").expect(0).output)
            #expect(running["schema"] == 1 && running["cause"] == "running", "\(running)")
        }
    }

    @Test func nobodyIsThereToWork() async throws {
        try await Stage.with { stage in
            let job = try await stage.enqueue("noop", [:])
            try await expectEach("no", "is alive", "start `sheetsync run`", from: stage.daemon, job: job)
            // Somebody is, and cannot do this kind.
            _ = try await stage.queue.psql("select sheetsync.register_worker(7, 'w', '0', 5, '{folder}')")
            try await expectEach("can do jobs of kind noop", "start a newer", from: stage.daemon, job: job)
            // Somebody was, and died with the job in his hands.
            _ = try await stage.queue.psql(
                """
                update sheetsync.worker set kinds = null;
                select sheetsync.claim(7, 1, '{"noop":1}');
                update sheetsync.worker set beat_at = now() - interval '40 s'
                """)
            try await expect("shows no sign of life", from: stage.daemon, "why", "\(job)")
            // Before the lease of 45 s has run out: the others take its jobs after 36.
            try await expect("DOWN: no worker is alive, and 1 job wait", from: stage.program(.operator), "status")
            try await expect("FAIL: queue: no worker is alive, and 1 job wait", from: stage.daemon, "doctor")
        }
    }

    @Test func aQueueThatIsPaused() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { _ in
                try await stage.program(.operator)("queue", "pause").expect(0)
                let job = try await stage.enqueue("noop", [:])
                try await expectEach(
                    "the queue is paused by \(stage.name(.operator))", "sheetsync queue resume", from: stage.daemon,
                    job: job)
                #expect(try await stage.job(job).state == "available")
                try await stage.program(.operator)("queue", "resume").expect(0)
                _ = try await stage.ended(job)
            }
        }
    }

    @Test func aLoginWithoutRights() async throws {
        try await Stage.with { stage in
            let login = "stranger_of_\(stage.queue.database)"
            _ = try await stage.queue.psql("create role \(login) login")
            let url = stage.url(.worker).replacing(stage.name(.worker), with: login)
            let stranger = stage.daemon.with(["DATABASE_URL": url])
            try await expectEach("permission denied", "Grant this login", from: stranger, job: 1)
            try await stranger("run").expect(1)
        }
    }

    @Test func grantsThatARestoreHasLost() async throws {
        try await Stage.with { stage in
            let heartbeat = "function sheetsync.heartbeat"
            _ = try await stage.queue.psql("revoke execute on \(heartbeat) from sheetsync_worker")
            try await expect(
                "FAIL: grants: sheetsync_worker may not call sheetsync.heartbeat", "pg_restore", from: stage.daemon,
                "doctor")
            _ = try await stage.queue.psql(
                "grant execute on \(heartbeat) to sheetsync_worker; alter \(heartbeat) owner to postgres")
            try await expect(
                "FAIL: grants: sheetsync.heartbeat belongs to postgres", from: stage.daemon, "doctor")
        }
    }

    @Test func aServerWithAnotherCertificateOrPassword() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let certificates = Certificates(directory: directory)
        let authority = try await certificates.makeAuthority("Authority")
        let stranger = try await certificates.makeAuthority("Stranger")
        try await Stage.with { stage in
            try await GuardedPostgres.with { database in
                try await database.connection.script("create role watcher login password 'right'")
                try await database.useTLS(try await authority.issue(for: "localhost"))
                try await database.admit("hostssl all watcher all scram-sha-256")
                let wrong = stage.daemon.with([
                    "DATABASE_URL": database.url("watcher:right"), "DATABASE_CA_CERT": stranger.path,
                ])
                try await expectEach(
                    "certificate verify failed", "Give DATABASE_CA_CERT the certificate", from: wrong, job: 1)
                let forgotten = stage.daemon.with([
                    "DATABASE_URL": database.url("watcher:wrong"), "DATABASE_CA_CERT": authority.path,
                ])
                try await expectEach(
                    "password authentication failed", "Check the user and the password", from: forgotten, job: 1)
            }
        }
    }

    @Test func aTemplateThatIsBrokenOrMissing() async throws {
        try await Stage.with { stage in
            let folder = stage.directory.path + "/templates"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try Data(#"{"headr":{}}"#.utf8).write(to: URL(filePath: folder + "/brand.json"))
            let daemon = stage.daemon.with(["GOOGLE_SHEETS_TEMPLATES_PATH": folder])
            try await daemon.withDaemon { _ in
                let job = try await stage.enqueue("export", ["title": "x", "rows": [], "template": "brand"])
                let words = "\(folder)/brand.json cannot be used: \"headr\" is no field of a template"
                try await expectEach(words, from: daemon, job: job)
                try await expect("DEGRADED: 1 job waits until somebody mends it", from: daemon, "status")
                try FileManager.default.removeItem(atPath: folder + "/brand.json")
                try await stage.queue.inspector.makeDue()
                _ = try await stage.ended(job)
                // What a payload says is its producer's to mend.
                let refusal = "payload.invalid: template: there is no template of this name, only default"
                try await expect(refusal, from: daemon, "why", "\(job)")
                try await expect("OK: ", refusal, from: daemon, "status")
            }
        }
    }

    @Test func aSharedDriveThatIsNone() async throws {
        try await Stage.with { stage in
            var folder = ""
            try await stage.daemon.withDaemon { _ in
                let made = try await stage.ended(try await stage.enqueue("folder", ["path": "F"]))
                folder = try #require(made.result?["folder_id"]?.string)
            }
            for (id, words) in [
                ("drive-of-somebody-else", "make the identity a content manager"),
                (folder, "is the id of a folder, not of a shared drive"),
            ] {
                let daemon = stage.daemon.with(["GOOGLE_DRIVE_SHARED_DRIVE_ID": id])
                try await expect(
                    "FAIL: shared drive: ", "GOOGLE_DRIVE_SHARED_DRIVE_ID", words, from: daemon, "doctor")
                try await daemon.withDaemon { _ in
                    let job = try await stage.enqueue("folder", ["path": .string("New/\(id)")])
                    try await expect("job \(job) (folder", words, from: daemon, "why", "\(job)")
                    try await expect("DEGRADED: ", "until somebody mends it", words, from: daemon, "status")
                    #expect(try await stage.job(job).errorCodes == [], "it lost no attempt")
                }
                _ = try await stage.queue.psql("select sheetsync.cancel(id) from sheetsync.jobs")
            }
        }
    }

    /// What a payload says is its producer's to mend: it is shown, and the queue is well.
    @Test func aPayloadThatIsRefused() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.ended(try await stage.enqueue("export", ["title": "x"]))
                #expect(job.lastError?.code == "payload.invalid", "\(job.json)")
                try await expect(
                    "OK: ",
                    "1 job discarded in the last hour for what its payload says, such as job \(job.id): payload.invalid",
                    from: stage.program(.operator), "status")
                try await stage.program(.operator)("status").expect(0)
            }
        }
    }

    /// A daemon that its settings do not let start leaves word of it.
    @Test func aKeyThatIsNotThere() async throws {
        try await Stage.with { stage in
            let daemon = stage.daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": stage.directory.path + "/lost.json"])
            let job = try await stage.enqueue("export", export("x"))
            // Before it was tried, whoever has no key of Google's sees the queue all the same.
            try await expect("DOWN: no worker is alive", "`sheetsync doctor` says why", from: daemon, "status")
            try await daemon("run").expectRefusal(78, "GOOGLE_SHEETS_CREDENTIALS_PATH", "lost.json")
            try await expectEach("GOOGLE_SHEETS_CREDENTIALS_PATH", from: daemon, job: job)
            try await expect(
                "DOWN: no worker is alive, and 1 job wait", "`sheetsync run` could not start on", from: daemon, "status"
            )
            // The operator, too, and without a key; the producer may not know what others' settings say.
            try await expect(
                "waits for a worker, and none is alive: `sheetsync run` could not start on",
                "GOOGLE_SHEETS_CREDENTIALS_PATH cannot be used", from: stage.program(.operator), "why", "\(job)")
            let producers = try await stage.program(.producer)("why", "\(job)").expect(0)
            #expect(
                producers.firstLine.contains("waits for a worker, and none is alive: start `sheetsync run`"),
                "\(producers)")
            #expect(!producers.description.contains("GOOGLE_SHEETS_CREDENTIALS_PATH"), "\(producers)")
            try await stage.daemon.withDaemon { _ in _ = try await stage.ended(job) }
            let status = try await stage.program(.operator)("status").expect(1)
            #expect(!status.output.contains("GOOGLE_SHEETS_CREDENTIALS_PATH"), "one has started since: \(status)")
        }
    }

    /// The daemon had its key when it started, and not when it asked for a token.
    @Test func aKeyThatIsTakenAwayOrHiddenLater() async throws {
        try await Stage.with { stage in
            let daemon = try daemon(stage) { _ in }
            let path = stage.directory.path + "/changed.json"
            try await daemon.withDaemon { _ in
                try FileManager.default.removeItem(atPath: path)
                let job = try await stage.enqueue("export", export("x"))
                try await expectEach("changed.json", from: daemon, job: job)
                try await expect("DEGRADED: Google gives no access token to", from: stage.program(.operator), "status")
                try await expect("no access token to", from: stage.program(.producer), "why", "\(job)")
                #expect(try await stage.job(job).errorCodes == [], "it lost no attempt")
                // A folder is no key that anybody could read, whoever he is.
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
                try await stage.queue.inspector.makeDue()
                try await expect("DEGRADED: Google gives no access token to", "changed.json", from: daemon, "status")
            }
        }
    }

    @Test func aSpoolThatCannotBeWrittenTo() async throws {
        try await Stage.with { stage in
            let login = "source_of_\(stage.queue.database)"
            _ = try await stage.queue.psql("create role \(login) login")
            let url = stage.queue.server.tcpURL(database: stage.queue.database, user: login)
            let folder = stage.directory.path + "/spool"
            let daemon = stage.daemon.with(["SHEETSYNC_SOURCE_DATABASE_URL": url, "SHEETSYNC_SPOOL_DIR": folder])
            func query() async throws -> Int {
                let id = try await stage.queue.psql(
                    "select sheetsync.enqueue('export', '{\"title\": \"Q\", \"query\": \"select 1 as n\"}')",
                    as: stage.name(.query))
                return try #require(Int(id), "psql printed \(id)")
            }
            // It was never there: the daemon does not start.
            let first = try await query()
            try await daemon("run").expectRefusal(78, "SHEETSYNC_SPOOL_DIR is \(folder)")
            try await expectEach("SHEETSYNC_SPOOL_DIR names no folder that can be written to", from: daemon, job: first)
            // It goes while the daemon works.
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
            try await daemon.withDaemon { _ in
                _ = try await stage.ended(first)
                try FileManager.default.removeItem(atPath: folder)
                let job = try await query()
                try await expectEach("SHEETSYNC_SPOOL_DIR", folder, from: daemon, job: job)
                try await expect("export.spool_failed: ", "No such file or directory", from: daemon, "why", "\(job)")
                try await expect("DEGRADED: 1 job waits until somebody mends it", from: daemon, "status")
                #expect(try await stage.job(job).errorCodes == [], "it lost no attempt")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
                try await stage.queue.inspector.makeDue()
                #expect(try await stage.ended(job).state == "completed")
            }
        }
    }

    @Test func aDatabaseThatOnlyReads() async throws {
        try await Stage.with { stage in
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.enqueue("noop", ["sleep_ms": 1])
                _ = try await stage.ended(job)
                try await stage.program(.operator)("queue", "pause").expect(0)
                let later = try await stage.enqueue("noop", [:])
                // A login's own setting is no fault of the server.
                _ = try await stage.queue.psql(
                    "alter role \(stage.name(.operator)) set default_transaction_read_only = on")
                try await expect("DEGRADED: the queue is paused", from: stage.program(.operator), "status")
                _ = try await stage.queue.psql(
                    "alter database \(stage.queue.database) set default_transaction_read_only = on")
                try await expectEach("the database only reads", "its disk is full", from: stage.daemon, job: later)
                try await stage.daemon("status").expect(2)
                _ = try await stage.queue.psql(
                    "set default_transaction_read_only = off; alter database \(stage.queue.database) reset default_transaction_read_only"
                )
            }
        }
    }

    /// An old snapshot keeps the rows of every job that ended since.
    @Test func aTransactionThatIsForgotten() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql("select sheetsync.register_worker(7, 'w', '1', 5)")
            let forgotten = Connection(try stage.queue.configuration(), label: "forgotten")
            try await forgotten.script("begin isolation level repeatable read; select count(*) from sheetsync.jobs")
            _ = try await stage.queue.psql(
                """
                set synchronous_commit = off;
                do $$ begin for n in 1..100001 loop perform pg_current_xact_id(); commit; end loop; end $$;
                update sheetsync.worker set beat_at = clock_timestamp();
                """)
            let status = try await stage.program(.operator)("status").expect(1)
            #expect(status.output.hasPrefix("DEGRADED: an open transaction slows down the queue: process"), "\(status)")
            #expect(status.output.contains("(sheetsync forgotten, login postgres)"), "\(status)")
            try await expect(
                "WARN: queue: an open transaction slows down the queue: process", from: stage.daemon, "doctor")
            let job = try await stage.enqueue("noop", [:])
            try await expect(
                "waits longer than it should: an open transaction slows down the queue: process",
                "(sheetsync forgotten, login postgres)", "pg_terminate_backend", from: stage.program(.producer), "why",
                "\(job)")
            // What waits for something else waits for that, and is told of the transaction below.
            _ = try await stage.queue.jobs.pause("noop")
            let paused = try await stage.program(.producer)("why", "\(job)").expect(0)
            #expect(paused.firstLine.contains("are paused by"), "\(paused)")
            #expect(paused.output.contains("an open transaction slows down the queue"), "\(paused)")
            try await stage.program(.operator)("queue", "resume").expect(0)
            _ = try await stage.queue.jobs.cancel(job)
            try await forgotten.script("rollback")
            _ = try await stage.queue.psql("update sheetsync.worker set beat_at = clock_timestamp()")
            try await stage.program(.operator)("status").expect(0)
        }
    }

    @Test func discardedJobsAreRevivedByTheirCode() async throws {
        try await Stage.with { stage in
            let jobs = stage.program(.operator)
            var bad: [Int] = []
            try await stage.daemon.withDaemon { _ in
                for _ in 1...2 {
                    let id = try await stage.enqueue("noop", ["sleep_ms": -1], ", owner => 'nightly'")
                    _ = try await stage.ended(id)
                    bad.append(id)
                }
                _ = try await stage.ended(try await stage.enqueue("noop", [:]))
            }
            func listed(_ options: String...) async throws -> [Int] {
                let json = try JSON(parsing: try await jobs.run(["jobs", "list", "--json"] + options).expect(0).output)
                return (json["jobs"]?.array ?? []).compactMap { $0["id"]?.int }
            }
            #expect(try await listed("--code", "payload.invalid") == bad.reversed())
            #expect(try await listed("--owner", "nightly", "--since", "1h", "--limit", "1") == [bad[1]])
            #expect(try await listed("--code", "google.not_found") == [])
            let asked = try await jobs("jobs", "retry", "--code", "payload.invalid", "--since", "1h").expect(0)
            #expect(asked.line == "2 discarded jobs failed with payload.invalid; --yes revives them")
            #expect(try await stage.job(bad[0]).state == "discarded")
            let done = try await jobs("jobs", "retry", "--code", "payload.invalid", "--yes").expect(0)
            #expect(done.line == "2 jobs are available again")
            #expect(try await stage.job(bad[1]).state == "available")
            try await jobs("jobs", "retry").expect(64)
            try await jobs("jobs", "retry", "1", "--code", "x").expect(64)
        }
    }
}
