import Foundation
import HTTP
import HTTPTypes
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport
import Testing

/// What may be wrong at the server while a daemon lives and beats: each is named, and `/readyz` says no where no job can begin
/// or end.
extension BrokenSetupTests {
    /// The daemon with pages for monitors, and signs of life in every second.
    private func watched(_ stage: Stage, url: String? = nil) -> Program {
        var changes = ["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0", "SHEETSYNC_LEASE_SECONDS": "5"]
        changes["DATABASE_URL"] = url
        return stage.daemon.with(changes)
    }

    private func operatorOf(_ stage: Stage) -> Program {
        stage.program(.operator).with(["SHEETSYNC_LEASE_SECONDS": "5"])
    }

    /// Waits until `/readyz` says yes, or no with some words.
    private func expectReadiness(
        of daemon: RunningProgram, _ status: Int, _ words: String = "", within limit: Duration = .seconds(40),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let line = try #require(daemon.errors.firstMatch(of: /health and metrics are at (http:\/\/127.0.0.1:[0-9]+)/))
        var last = ""
        do {
            try await wait(for: "/readyz", within: limit, every: .milliseconds(100)) {
                let client = try HTTPClient(userAgent: "test")
                let answer = try await client.send(HTTPClient.Request(method: .get, url: "\(line.1)/readyz"))
                await client.shutdown()
                last = "\(answer.status.code) \(String(decoding: answer.body, as: UTF8.self))"
                return answer.status.code == status && (words.isEmpty || last.contains(words))
            }
        } catch {
            Issue.record("/readyz is \(last), not \(status) \(words): \(daemon.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test func aLoginWithTooFewConnections() async throws {
        try await Stage.with { stage in
            let login = stage.name(.worker)
            _ = try await stage.queue.psql("alter role \(login) connection limit 2")
            let daemon = watched(stage)
            try await daemon.withDaemon { running in
                let job = try await stage.enqueue("noop", [:])
                let words = ["too many connections for role", "a daemon needs four"]
                try await expect(["DEGRADED: the worker"] + words, from: operatorOf(stage), ["status"])
                try await expect(["job \(job) (noop"] + words, from: operatorOf(stage), ["why", "\(job)"])
                try await expect(["FAIL: database: "] + words, from: daemon, ["doctor"])
                try await expectReadiness(of: running, 503, "too many connections for role")
                _ = try await stage.queue.psql("alter role \(login) connection limit -1")
                _ = try await stage.ended(job)
                try await expectReadiness(of: running, 200)
                try await expect("OK: ", from: operatorOf(stage), "status")
            }
        }
    }

    /// Its jobs are done, and the daemon hears of new ones late.
    @Test func aLoginWithoutAConnectionForNotifications() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            try await daemon.withDaemon { running in
                let login = stage.name(.worker)
                _ = try await stage.queue.psql(
                    """
                    alter role \(login) connection limit 2;
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where usename = '\(login)' and application_name = 'sheetsync listener'
                    """)
                try await expect(
                    "DEGRADED: the worker", "cannot listen for new jobs: ", "too many connections for role",
                    from: operatorOf(stage), "status")
                try await expectReadiness(of: running, 200)
                _ = try await stage.queue.psql("alter role \(login) connection limit -1")
                try await expect("OK: ", from: operatorOf(stage), "status")
            }
        }
    }

    @Test func aFunctionThatTheDaemonMayNotCall() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            _ = try await stage.queue.psql("revoke execute on function sheetsync.claim from sheetsync_worker")
            try await daemon.withDaemon { running in
                let job = try await stage.enqueue("noop", [:])
                let words =
                    "sheetsync_worker may not call sheetsync.claim: `grant execute on function sheetsync.claim to"
                try await expect("DEGRADED: \(words)", from: operatorOf(stage), "status")
                try await expect(
                    "job \(job) (noop, available) cannot begin: \(words)", from: operatorOf(stage), "why", "\(job)")
                try await expect("FAIL: grants: \(words)", from: daemon, "doctor")
                try await expectReadiness(of: running, 503, "cannot claim jobs: permission denied for function claim")
                // The daemon itself says it too, to those who see nothing of the catalogs.
                try await wait(for: "the daemon's word", seeing: { try await stage.queue.inspector.problems() }) {
                    try await stage.queue.inspector.problems().contains("cannot claim jobs: permission denied")
                }
                _ = try await stage.queue.psql("grant execute on function sheetsync.claim to sheetsync_worker")
                _ = try await stage.ended(job)
                try await expectReadiness(of: running, 200)
                try await expect("OK: ", from: operatorOf(stage), "status")
            }
        }
    }

    @Test func endingsThatCannotBeWritten() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            try await daemon.withDaemon { running in
                _ = try await stage.queue.psql(
                    """
                    create function public.refuse() returns trigger language plpgsql as
                        $$ begin raise exception 'not in this table'; end $$;
                    create trigger refuse before insert on sheetsync.outcome for each row execute function public.refuse()
                    """)
                let job = try await stage.enqueue("noop", [:])
                let waiting = try await stage.enqueue("noop", [:])
                let words = "cannot write how jobs ended: not in this table"
                try await expect("DEGRADED: the worker", words, from: operatorOf(stage), "status")
                try await expect(
                    "job \(job) (noop, running) has ended or runs on", words, from: operatorOf(stage), "why", "\(job)")
                try await expect("\(words)", from: operatorOf(stage), "why", "\(waiting)")
                try await expect("WARN: queue: the worker", words, from: daemon, "doctor")
                try await expectReadiness(of: running, 503, words)
                // Who may not see every job is told what, and not the server's words.
                let producer = try await stage.program(.producer)("why", "\(job)").expect(0)
                #expect(
                    producer.firstLine.contains("cannot write how jobs ended")
                        && !producer.description.contains("not in this table"), "\(producer)")
                _ = try await stage.queue.psql("drop trigger refuse on sheetsync.outcome")
                for id in [job, waiting] { _ = try await stage.ended(id) }
                try await expectReadiness(of: running, 200)

                _ = try await stage.queue.psql("revoke insert on sheetsync.outcome from sheetsync_owner")
                let second = try await stage.enqueue("noop", [:])
                let right = "sheetsync_owner lacks insert on sheetsync.outcome: `grant insert on sheetsync.outcome"
                try await expect("DEGRADED: \(right)", from: operatorOf(stage), "status")
                try await expect("(noop, running) cannot end: \(right)", from: operatorOf(stage), "why", "\(second)")
                try await expect("FAIL: grants: \(right)", from: daemon, "doctor")
                try await expectReadiness(of: running, 503, "cannot write how jobs ended: permission denied")
                _ = try await stage.queue.psql("grant insert on sheetsync.outcome to sheetsync_owner")
                #expect(try await stage.ended(second).attempt == 1)
            }
        }
    }

    @Test func anUpkeepThatFails() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql(
                """
                create or replace function sheetsync.remove_finished(seconds float8, most int) returns int
                language plpgsql security definer as $$ begin raise exception 'no upkeep today'; end $$
                """)
            let daemon = watched(stage)
            try await daemon.withDaemon { running in
                let job = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 hour'")
                let words = "cannot do the upkeep of the queue: no upkeep today"
                try await expect("DEGRADED: the worker", words, from: operatorOf(stage), "status")
                try await expect("WARN: queue: the worker", words, from: daemon, "doctor")
                // The job waits for its time, with or without an upkeep.
                let why = try await operatorOf(stage)("why", "\(job)").expect(0)
                #expect(why.firstLine.contains("waits for its time") && why.output.contains(words), "\(why)")
                try await expectReadiness(of: running, 200)
            }
        }
    }

    @Test func rowsThatAreHidden() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            let job = try await stage.enqueue("noop", [:])
            func hide(_ table: String) async throws -> String {
                _ = try await stage.queue.psql(
                    "alter table sheetsync.\(table) enable row level security, force row level security")
                return "row-level security hides the rows of sheetsync.\(table)"
            }
            func show(_ table: String) async throws {
                _ = try await stage.queue.psql(
                    "alter table sheetsync.\(table) no force row level security, disable row level security")
            }
            let words = try await hide("ready")
            try await daemon.withDaemon { _ in
                try await expect("DEGRADED: \(words)", "no force row level", from: operatorOf(stage), "status")
                try await expect(
                    "job \(job) (noop, available) cannot begin: \(words)", from: operatorOf(stage), "why", "\(job)")
                try await expect("FAIL: grants: \(words)", from: daemon, "doctor")
                // A job that is not to be seen is not said to be none, and is not lost where it is begun or ends just now.
                _ = try await stage.queue.psql(
                    """
                    alter table sheetsync.job enable row level security, force row level security;
                    alter table sheetsync.ready no force row level security, disable row level security
                    """)
                let hidden = "row-level security hides the rows of sheetsync.job"
                try await expect("job \(job) is not to be seen: \(hidden)", from: operatorOf(stage), "why", "\(job)")
                try await show("job")
                _ = try await stage.ended(job)
                // A table that the roles read themselves.
                let kinds = try await hide("kind")
                _ = try await stage.queue.psql("alter table sheetsync.kind no force row level security")
                try await expect(kinds, from: operatorOf(stage), "status")
                // A policy that shows the rows is only worth a word.
                _ = try await stage.queue.psql("create policy all_rows on sheetsync.kind using (true)")
                try await expect("OK: ", from: operatorOf(stage), "status")
                try await expect(
                    "WARN: grants: row-level security may hide rows of sheetsync.kind", from: daemon, "doctor")
            }
        }
    }

    @Test func aTableThatAnotherSessionHasLocked() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            try await daemon.withDaemon { running in
                let holder = Connection(try stage.queue.configuration(), label: "forgotten")
                // Nobody may read, the commands neither.
                try await holder.script("begin; lock table sheetsync.ready in access exclusive mode")
                let words = "(sheetsync forgotten, login postgres) has locked sheetsync.ready"
                try await expect("DOWN: process ", words, "pg_terminate_backend(", from: operatorOf(stage), "status")
                try await expect("sheetsync: process ", words, from: operatorOf(stage), "why", "1")
                try await expect("FAIL: ", words, "pg_terminate_backend(", from: daemon, "doctor")
                try await expectReadiness(of: running, 503)
                try await holder.script("rollback")
                // Reading is free, and claims wait. Older locks of the test's own would be in the way of the job.
                let job = try await stage.enqueue("noop", [:], ", run_at => now() + interval '1 s'")
                try await holder.script("begin; lock table sheetsync.ready in share mode")
                try await expect("DEGRADED: process ", words, "has waited for", from: operatorOf(stage), "status")
                try await expect("cannot begin: process ", words, from: operatorOf(stage), "why", "\(job)")
                try await expect("FAIL: locks and commits: process ", words, from: daemon, "doctor")
                try await expectReadiness(of: running, 503, "has locked sheetsync.ready")
                try await holder.script("rollback")
                _ = try await stage.ended(job)
                try await expectReadiness(of: running, 200)
                try await expect("OK: ", from: operatorOf(stage), "status")
            }
        }
    }

    @Test func commitsThatWaitForAStandbyThatIsGone() async throws {
        try await Stage.with { stage in
            try await PostgresServer.run { server in
                let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
                _ = try await Schema.sheetsync.migrate(on: connection)
                try await connection.script(
                    """
                    create role daemon login; grant sheetsync_worker to daemon;
                    create role watcher login; grant sheetsync_operator to watcher
                    """)
                let daemon = watched(stage, url: server.url(user: "daemon"))
                let watcher = operatorOf(stage).with(["DATABASE_URL": server.url(user: "watcher")])
                func setStandby(_ name: String) async throws {
                    try await connection.script("alter system set synchronous_standby_names = '\(name)'")
                    try await connection.query("select pg_reload_conf()")
                }
                let ended = try await daemon.withDaemon { running in
                    try await setStandby("gone")
                    try await connection.script("set synchronous_commit = local")
                    let job = try await QueueClient(Schema.sheetsync, on: connection).enqueue(
                        kind: "noop", payload: [:])
                    let words =
                        "commits wait for a synchronous standby (synchronous_standby_names is gone), and none is connected"
                    try await expect("DOWN: \(words)", from: watcher, "status")
                    try await expect(
                        "job \(job) (noop, available) cannot begin: \(words)", from: watcher, "why", "\(job)")
                    try await expect("FAIL: locks and commits: \(words)", from: daemon, "doctor")
                    try await expectReadiness(of: running, 503, words)
                    // Longer than a worker may be silent: its signs of life wait for no standby.
                    try await Task.sleep(for: .seconds(6))
                    try await expect("DOWN: \(words)", from: watcher, "status")
                    try await setStandby("")
                    try await wait(for: "the job to end", seeing: { running.errors }) {
                        try await connection.query("select from sheetsync.outcome").count == 1
                    }
                    try await expectReadiness(of: running, 200)
                    try await expect("OK: ", from: watcher, "status")
                }
                #expect(!ended.errors.contains("stopping all jobs"), "\(ended)")
            }
        }
    }

    @Test func aDaemonThatHangsAndOneThatDied() async throws {
        try await Stage.with { stage in
            let daemon = watched(stage)
            let watcher = operatorOf(stage)
            try await daemon.launch(["run"]) { running in
                try await running.expectToSay("worker is ready")
                let job = try await stage.enqueue("noop", ["sleep_ms": 60_000])
                try await stage.queue.expect(job, "running")
                running.send(SIGSTOP)
                let waiting = try await stage.enqueue("noop", [:])
                let hangs = ["no worker is alive", "has its connections to the database yet", "was stopped (SIGSTOP"]
                try await expect(["DOWN: "] + hangs, from: watcher, ["status"])
                try await expect(["none is alive"] + hangs.dropFirst(), from: watcher, ["why", "\(waiting)"])
                try await expect(["shows no sign of life"] + hangs.dropFirst(), from: watcher, ["why", "\(job)"])
                try await expect(["FAIL: queue: "] + hangs, from: daemon, ["doctor"])
                running.send(SIGCONT)
                try await expect("OK: ", from: watcher, "status")
                running.send(SIGKILL)
            }
            try await expect(
                "DOWN: no worker is alive", "did not sign off and has no connection any more", from: watcher, "status")
        }
    }

    @Test func aDatabaseThatIsLostIsNoticedAtOnce() async throws {
        try await Stage.with { stage in
            try await PostgresServer.run { server in
                let connection = Connection(try ConnectionConfiguration(url: server.url()), label: "test")
                _ = try await Schema.sheetsync.migrate(on: connection)
                await connection.close()
                // Neither a look for jobs nor a sign of life is due for a long time.
                let daemon = watched(stage, url: server.url()).with([
                    "SHEETSYNC_POLL_INTERVAL": "3600", "SHEETSYNC_LEASE_SECONDS": "600",
                ])
                try await daemon.withDaemon { running in
                    try await expectReadiness(of: running, 200)
                    // The pauses between its looks grow: 10 ms, 40 ms, … 10 s; the next is 41 s.
                    try await Task.sleep(for: .seconds(16))
                    try await server.stop(immediate: true)
                    let begin = ContinuousClock.now
                    try await expectReadiness(of: running, 503, "cannot", within: .seconds(20))
                    print("/readyz said no \(ContinuousClock.now - begin) after the database was lost")
                    try await server.restart(immediate: true)
                    try await expectReadiness(of: running, 200)
                }
            }
        }
    }

    /// Whoever asks for a running job is told of its worker.
    @Test func aRunningJobWhoseWorkerIsSilent() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql("select sheetsync.register_worker(7, 'w', '1', 5)")
            let job = try await stage.enqueue("noop", [:])
            _ = try await stage.queue.psql(
                """
                select sheetsync.claim(7, 1, '{"noop":1}');
                update sheetsync.worker set beat_at = clock_timestamp() - interval '25 s'
                """)
            try await expect(
                "(noop, running) runs on w, which has shown no sign of life for 2", "taken for dead after 36 s",
                from: stage.program(.operator), "why", "\(job)")
        }
    }
}
