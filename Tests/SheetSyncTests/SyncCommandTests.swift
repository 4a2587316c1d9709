import Foundation
import GoogleEmulator
import HTTP
import HTTPTypes
import JSON
import JobQueue
import Synchronization
import TestSupport
import Testing

/// Syncs from outside: `sheetsync sync`, what `status` and `/metrics` say of them, and daemons that are killed.
@Suite struct SyncCommandTests {
    @Test func commandsListShowRunPauseResumeAndDrop() async throws {
        try await Stage.with { stage in
            let (producer, operators) = (stage.program(.producer), stage.program(.operator))
            #expect(try await producer("sync", "list", "--json").expect(0).line == #"{"schema":1,"syncs":[]}"#)
            _ = try await stage.queue.psql(
                "select sheetsync.put_sync('orders', 'noop', '{\"a\": [1]}', '0 9 * * mon-fri', 'Europe/Berlin', owner => 'sales')",
                as: stage.name(.producer))
            try await stage.daemon.withDaemon { daemon in
                let id = try #require(Int(try await operators("sync", "run", "orders").expect(0).line))
                #expect(try await stage.ended(id).state == "discarded", "a noop knows no member a")
                try await wait(for: "the time of the next run", within: .seconds(30), seeing: { daemon.errors }) {
                    try await stage.queue.psql(
                        "select next_run_at > now() and failing_since is not null from sheetsync.syncs") == "t"
                }
                let list = try await producer("sync", "list").expect(0)
                #expect(
                    list.output.contains("0 9 * * mon-fri Europe/Berlin") && list.output.contains("payload.invalid"),
                    "\(list)")
                let failing = try await operators("status").expect(1)
                #expect(failing.output.hasPrefix("DEGRADED: the sync orders has failed for "), "\(failing)")
                #expect(failing.output.contains("1 sync, 1 in trouble, 0 paused"), "\(failing)")
                let why = try await producer("why", "\(id)").expect(0)
                #expect(why.output.contains("it is a run of the sync orders"), "\(why)")

                // Mended, it runs.
                _ = try await stage.queue.psql(
                    "select sheetsync.put_sync('orders', 'noop', '{}', '0 9 * * mon-fri', 'Europe/Berlin')",
                    as: stage.name(.producer))
                let again = try await producer("sync", "run", "orders", "--json").expect(0)
                let next = try #require(try JSON(parsing: again.line)["id"]?.int)
                #expect(try await stage.ended(next).state == "completed")
                #expect(try await operators("status").expect(0).output.hasPrefix("OK: "))
                let shown = try await producer("sync", "show", "orders").expect(0)
                for words in [
                    "when: 0 9 * * mon-fri Europe/Berlin", "state: active", "RUN", "\(next)", "\(id)", "discarded",
                    "completed",
                ] {
                    #expect(shown.output.contains(words), "\(words): \(shown)")
                }
                let json = try JSON(parsing: try await producer("sync", "show", "orders", "--json").expect(0).line)
                #expect(
                    json["schema"] == 1 && json["sync"]?["payload"] == [:] && json["runs"]?.array?.count == 2, "\(json)"
                )
                #expect(json["runs"]?[0]?["sync"] == "orders" && json["sync"]?["last_state"] == "completed", "\(json)")

                #expect(
                    try await operators("sync", "pause", "orders", "--reason", "holidays").expect(0).line
                        == "the sync orders is paused; a run that waits or runs goes on")
                let paused = try await operators("status").expect(0)
                #expect(paused.output.contains("1 sync, 0 in trouble, 1 paused"), "\(paused)")
                #expect(
                    try await producer("sync", "show", "orders").expect(0).output.contains("pause_reason: holidays"))
                #expect(
                    try await producer("sync", "resume", "orders").expect(0).line == "the sync orders makes runs again")

                // Two intervals without a success are too long, and a table that nobody watches is told.
                _ = try await stage.queue.psql("update sheetsync.sync set late_at = now() - interval '90 seconds'")
                let late = try await operators("status").expect(1)
                #expect(late.output.hasPrefix("DEGRADED: the sync orders has been late for 9"), "\(late)")
                let status = try JSON(parsing: try await operators("status", "--json").expect(1).line)
                #expect(
                    status["syncs"]?[0]?["name"] == "orders" && status["syncs"]?[0]?["late_seconds"]?.double ?? 0 >= 90,
                    "\(status)")
                _ = try await stage.queue.psql(
                    """
                    create table public.prices (x int); update sheetsync.sync set late_at = null;
                    select sheetsync.put_sync('orders', 'noop', '{}', on_change => '{public.prices}')
                    """)
                let unwatched = try await operators("status").expect(1)
                #expect(unwatched.output.contains("select sheetsync.watch('public.prices')"), "\(unwatched)")
                #expect(
                    try await producer("sync", "drop", "orders").expect(0).line
                        == "the sync orders is dropped; a run that had not begun is cancelled")
            }
            for command in ["show", "run", "pause", "resume", "drop"] {
                try await producer("sync", command, "orders").expectRefusal(
                    1, "there is no sync orders that this login may see")
            }
        }
    }

    @Test func metricsTellOfTheAgeAndTheRows() async throws {
        try await Stage.with { stage in
            _ = try await stage.queue.psql("select sheetsync.put_sync('a \"b\"', 'noop', '{}', 'every 1 day')")
            _ = try await stage.queue.psql(
                #"update sheetsync.sync set row_totals = '{"inserted": 7}', made_at = now() - interval '100 seconds'"#)
            try await stage.daemon.with(["SHEETSYNC_HTTP_ADDRESS": "127.0.0.1:0"]).withDaemon { daemon in
                let line = try #require(daemon.errors.firstMatch(of: /health and metrics are at (http:\/\/[0-9.:]+)/))
                let client = try HTTPClient(userAgent: "test")
                let answer = try await client.send(HTTPClient.Request(method: .get, url: "\(line.1)/metrics"))
                await client.shutdown()
                let page = String(decoding: answer.body, as: UTF8.self)
                #expect(page.contains(#"sheetsync_sync_rows_total{sync="a \"b\"",change="inserted"} 7"#), "\(page)")
                #expect(page.contains(#"sheetsync_sync_age_seconds{sync="a \"b\""} 1"#), "\(page)")
            }
        }
    }

    /// Three daemons see a hundred syncs that are due at once, several times; each time one is killed while they make the runs.
    @Test(.timeLimit(.minutes(5))) func eachTimeOfAHundredSyncsIsOneJobUnderKills() async throws {
        try await Stage.with { stage in
            // A leap day: no time comes by itself.
            _ = try await stage.queue.psql(
                "select sheetsync.put_sync('sync ' || n, 'noop', '{}', '0 0 29 2 *') from generate_series(1, 100) n",
                as: stage.name(.producer))
            let lives = Lives()
            let daemon = stage.daemon.with(["SHEETSYNC_LEASE_SECONDS": "5"])
            var random = SeededGenerator(seed: 3)
            var kills = 0
            try await withThrowingTaskGroup(of: Void.self) { group in
                for place in 0..<3 {
                    group.addTask {
                        // As systemd does: whatever is killed begins anew.
                        while !lives.isOver {
                            try await daemon.launch(["run"]) { running in
                                lives.note(running, at: place)
                                try await wait(for: "the end", seeing: { running.errors }) {
                                    !running.isAlive || lives.isOver
                                }
                                running.send(SIGTERM)
                            }
                        }
                    }
                }
                defer { lives.end() }
                let states =
                    "select is_open, next_run_at is null, last_state, count(*) from sheetsync.sync group by 1, 2, 3"
                for round in 1...5 {
                    try await wait(
                        for: "all syncs to rest before round \(round)", within: .seconds(60),
                        seeing: { try await stage.queue.psql(states) }
                    ) {
                        try await stage.queue.psql(
                            "select count(*) from sheetsync.sync where next_run_at > now() and not is_open")
                            == "100"
                    }
                    _ = try await stage.queue.psql(
                        "update sheetsync.sync set next_run_at = timestamptz '2020-01-01' + interval '1 day' * \(round)"
                    )
                    try await Task.sleep(for: .milliseconds(Int.random(in: 20...400, using: &random)))
                    let victim = lives.running(at: round % 3)
                    if let victim, victim.isAlive {
                        victim.send(SIGKILL)
                        kills += 1
                    }
                }
                try await wait(
                    for: "all runs to end", within: .seconds(90), seeing: { try await stage.queue.psql(states) }
                ) {
                    let completed = "(select count(*) from sheetsync.jobs where state = 'completed')"
                    let open = "(select count(*) from sheetsync.sync where is_open)"
                    return try await stage.queue.psql("select \(completed), \(open)") == "500|0"
                }
                lives.end()
                try await group.waitForAll()
            }
            let counts = try await stage.queue.psql(
                """
                select count(*), count(distinct (sync, idempotency_key)), count(distinct sync), min(state), max(state)
                from sheetsync.jobs where idempotency_key ~ '^sync:sync [0-9]+@2020-01-0[2-6]T00:00:00Z$'
                """)
            #expect(counts == "500|500|100|completed|completed")
            #expect(
                try await stage.queue.psql("select count(*) from sheetsync.jobs") == "500", "and there are no others")
            #expect(try await stage.queue.inspector.contradictions() == [])
            print("\(kills) kills; 500 times of 100 syncs, 500 jobs")
            #expect(kills >= 3)
        }
    }
}

/// The daemons that are alive, each at its place, and whether they are to begin anew when they are killed.
private final class Lives: Sendable {
    private let state = Mutex<(isOver: Bool, running: [Int: RunningProgram])>((false, [:]))

    var isOver: Bool { state.withLock(\.isOver) }

    func end() { state.withLock { $0.isOver = true } }

    func note(_ running: RunningProgram, at place: Int) { state.withLock { $0.running[place] = running } }

    func running(at place: Int) -> RunningProgram? { state.withLock { $0.running[place] } }
}
