import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Jobs that repeat: what the functions refuse and promise, and what workers make of them.
@Suite struct SyncTests {
    /// The workers' side of one queue.
    private func statements(_ queue: TestQueue) -> WorkerStatements { WorkerStatements(on: queue.connection) }

    private func sync(_ name: String, _ columns: String, in queue: TestQueue) async throws -> String {
        try await queue.psql("select \(columns) from sheetsync.syncs where name = '\(name)'")
    }

    /// Does what a worker's scheduler does, until nothing is due; returns the jobs that were made.
    @discardableResult private func tick(_ queue: TestQueue, interval: Int64 = 60) async throws -> [Int] {
        let statements = statements(queue)
        var made: [Int] = []
        for _ in 0..<10 {
            let look = try await statements.lookAtSyncs(most: 100)
            if look.due.isEmpty { return made }
            for due in look.due {
                let next = due.schedule == nil ? nil : look.now + interval
                if let id = try await statements.runDueSync(due, next: next, lateAt: next.map { $0 + 2 * interval }),
                    id > 0
                {
                    made.append(id)
                }
            }
        }
        Issue.record("something is always due")
        return made
    }

    /// Ends a job as a worker does.
    private func end(_ id: Int, _ outcome: String = "completed", _ more: String = "", in queue: TestQueue) async throws
    {
        _ = try await queue.psql(
            """
            insert into sheetsync.worker (epoch, name, version, concurrency) values (1, 'w', '1', 9) on conflict do nothing;
            select from sheetsync.claim(1, 9, '{"noop": 9}');
            select from sheetsync.finish(1, (select jsonb_build_array(jsonb_build_object(
                'id', id, 'lease_number', number, 'outcome', '\(outcome)') \(more)) from sheetsync.lease where id = \(id)))
            """)
    }

    @Test func isMadeChangedPausedAndDropped() async throws {
        let queue = try await TestQueue.make()
        let put = #"""
            select sheetsync.put_sync('orders', 'noop', '{"a": 1, "debounce": 5}', schedule => '0 9 * * mon-fri', priority => 3,
                time_zone => 'Europe/Berlin', owner => 'sales')
            """#
        _ = try await queue.psql("begin; \(put); rollback")
        #expect(try await queue.psql("select count(*) from sheetsync.syncs") == "0")
        _ = try await queue.psql(put)
        #expect(
            try await sync(
                "orders", "kind, payload, schedule, time_zone, on_change, owner, state, next_run_at, priority",
                in: queue)
                == #"noop|{"a": 1, "debounce": 5}|0 9 * * mon-fri|Europe/Berlin||sales|active||3"#)
        try await tick(queue)
        let planned = try await sync("orders", "next_run_at, next_run_at > now()", in: queue)
        #expect(planned.hasSuffix("|t"))
        // The same once more changes nothing, another schedule forgets the time that was reckoned.
        _ = try await queue.psql(put)
        #expect(try await sync("orders", "next_run_at, next_run_at > now()", in: queue) == planned)
        _ = try await queue.psql("select sheetsync.put_sync('orders', 'noop', '{}', 'every 10 seconds')")
        #expect(
            try await sync("orders", "payload, schedule, time_zone, owner, next_run_at is null", in: queue)
                == "{}|every 10 seconds|UTC||t")
        #expect(try await queue.psql("select sheetsync.pause_sync('orders', 'holidays')") == "t")
        #expect(try await sync("orders", "state, pause_reason", in: queue) == "paused|holidays")
        #expect(try await tick(queue) == [])
        #expect(try await sync("orders", "next_run_at is null", in: queue) == "t")
        #expect(try await queue.psql("select sheetsync.resume_sync('orders')") == "t")
        try await tick(queue)
        #expect(try await sync("orders", "state, pause_reason, next_run_at > now()", in: queue) == "active||t")
        for function in ["pause_sync('x', '')", "resume_sync('x')", "drop_sync('x')"] {
            #expect(try await queue.psql("select sheetsync.\(function)") == "f")
        }
        #expect(try await queue.psql("select sheetsync.drop_sync('orders')") == "t")
        #expect(try await queue.psql("select count(*) from sheetsync.syncs") == "0")
    }

    @Test func wrongArgumentsAreRefusedInWords() async throws {
        let queue = try await TestQueue.make()
        for (arguments, words) in [
            ("'', 'noop', '{}'", "from 1 to 100 characters"),
            ("repeat('x', 101), 'noop', '{}'", "from 1 to 100 characters"),
            ("null, 'noop', '{}'", "from 1 to 100 characters"), (#"E'a\nb', 'noop', '{}'"#, "control characters"),
            ("'a', 'nope', '{}'", "unknown kind of job"), ("'a', 'noop', '[]'", "must be a JSON object"),
            ("'a', 'noop', null", "must be a JSON object"), ("'a', 'noop', '{}', 'every 9 seconds'", "10 seconds"),
            ("'a', 'noop', '{}', '0 0 30 2 *'", "no such day"), ("'a', 'noop', '{}', '* * * *'", "five fields"),
            ("'a', 'noop', '{}', '0 24 * * *'", "the field hour"), ("'a', 'noop', '{}', ''", "five fields"),
            ("'a', 'noop', '{}', time_zone => 'Europe/Nowhere'", "no time zone"),
            ("'a', 'noop', '{}', time_zone => '../etc/passwd'", "no time zone"),
            ("'a', 'noop', '{}', time_zone => null", "no time zone"),
            ("'a', 'noop', '{}', on_change => '{orders}'", "with their schemas"),
            ("'a', 'noop', '{}', on_change => '{a.b.c}'", "with their schemas"),
            ("'a', 'noop', '{}', on_change => '{null}'", "with their schemas"),
            ("'a', 'noop', '{}', on_change => '{app.nope}'", "no such table"),
            ("'a', 'noop', '{}', on_change => '{pg_catalog.pg_views}'", "no such table"),
            ("'a', 'noop', '{}', on_change => '{sheet}'", "cannot name the sheet"),
            ("'a', 'noop', '{}', on_change => array_fill('app.x'::text, '{21}')", "at most 20"),
            ("'a', 'noop', '{}', priority => 10", "from 0 (first) to 9"),
            ("'a', 'noop', '{}', owner => repeat('x', 201)", "owner"),
            (#"'a', 'noop', '{"debounce": -1}'"#, "debounce"), (#"'a', 'noop', '{"debounce": "2 s"}'"#, "debounce"),
            (#"'a', 'noop', '{"debounce": 3601}'"#, "debounce"),
        ] {
            let error = await #expect(throws: PostgresError.self, "\(arguments)") {
                try await queue.connection.script("select sheetsync.put_sync(\(arguments))")
            }
            #expect(
                error?.sqlState == "22023" && error?.message.contains(words) == true,
                "\(arguments): \(error?.message ?? "")")
        }
        let unknown = await #expect(throws: PostgresError.self) {
            try await queue.connection.script("select sheetsync.run_sync('nothing')")
        }
        #expect(unknown?.sqlState == "22023")
        // What a login may have is bounded.
        _ = try await queue.psql(
            "select sheetsync.put_sync('sync ' || n, 'noop', '{}') from generate_series(1, 1000) n")
        let full = await #expect(throws: PostgresError.self) {
            try await queue.connection.script("select sheetsync.put_sync('one more', 'noop', '{}')")
        }
        #expect(full?.sqlState == "53400")
    }

    /// What `put_sync` lets in, the workers can read, and the other way round.
    @Test func theDatabaseAndTheWorkersReadTheSameSchedules() async throws {
        let queue = try await TestQueue.make()
        var random = SeededGenerator(seed: 5)
        let good = [
            ["*", "0", "59", "*/2", "1-9/3", "5,7"], ["*", "23", "*/5", "9-17"],
            ["*", "31", "30,31", "*/2", "1-7", "29"],
            ["*", "2", "feb", "feb,apr", "*/3", "jan-dec"], ["*", "7", "mon", "fri-sun", "0-6/2"],
        ]
        let bad = ["60", "24", "5-1", "*/60", "x", "mon", "feb", "", "*/", "1-", "0"]
        let made = (0..<3000).map { _ in
            good.map { field in
                (random.chance(93) ? field : bad).randomElement(using: &random) ?? "*"
            }.joined(separator: " ")
        }
        let texts = (ScheduleTests.good + ScheduleTests.bad + made).filter { !$0.contains("\u{0}") }
        let list = JSON.array(texts.map(JSON.string)).description
        var refused = 0
        for row in try await queue.connection.query(
            """
            select t.text, sheetsync.schedule_fault(t.text) as fault
            from (select set_config('search_path', 'sheetsync', false)) x, jsonb_array_elements_text(\(list)::jsonb) t(text)
            """)
        {
            let (text, fault) = (try row.text("text"), try row.optionalText("fault"))
            #expect(((try? Schedule(text)) == nil) == (fault != nil), "\(text): \(fault ?? "taken")")
            refused += fault == nil ? 0 : 1
        }
        #expect(refused > 500 && refused < texts.count - 500, "\(refused) of \(texts.count)")
    }

    @Test func itsRunsAreJobsOfItsLoginAndOneIsOpenAtMost() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            #"select sheetsync.put_sync('a', 'noop', '{"x": 1, "debounce": 1}', 'every 1 minute', owner => 'o')"#)
        try await tick(queue)
        // The time was missed often, while no worker ran.
        _ = try await queue.psql(
            "update sheetsync.sync set next_run_at = date_trunc('hour', now()) - interval '3 hours'")
        let made = try await tick(queue)
        #expect(made.count == 1)
        let id = try #require(made.first)
        #expect(
            try await queue.psql(
                "select kind, state, owner, payload, sync, idempotency_key ~ '^sync:a@.*:00:00Z$' from sheetsync.jobs where id = \(id)"
            )
                == #"noop|available|o|{"x": 1}|a|t"#)
        #expect(try await sync("a", "last_job, last_state, next_run_at > now()", in: queue) == "\(id)|available|t")
        // Another time comes while that is open.
        _ = try await queue.psql("update sheetsync.sync set next_run_at = now() - interval '1 second'")
        #expect(try await tick(queue) == [])
        try await end(id, in: queue)
        #expect(
            try await sync("a", "last_state, last_success_at is not null", in: queue) == "completed|t",
            "before anybody notes it")
        let second = try #require(try await tick(queue).first)
        #expect(second != id)
        #expect(try await queue.psql("select count(*) from sheetsync.jobs") == "2")
        // A time whose job has been there is not made again, although the sync is new.
        _ = try await queue.psql(
            """
            select sheetsync.cancel(\(second)), sheetsync.drop_sync('a'), sheetsync.put_sync('a', 'noop', '{}', 'every 1 minute');
            """)
        try await tick(queue)
        _ = try await queue.psql(
            "update sheetsync.sync set next_run_at = date_trunc('hour', now()) - interval '3 hours'")
        #expect(try await tick(queue) == [])
    }

    @Test func runNowJoinsARunThatWaitsAndFollowsOneThatRuns() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("select sheetsync.put_sync('a', 'noop', '{}')")
        let id = try #require(Int(try await queue.psql("select sheetsync.run_sync('a')")))
        #expect(try await queue.psql("select sheetsync.run_sync('a')") == "\(id)")
        #expect(
            try await queue.psql("select sheetsync.run_sync('a', allow_deletes => true, from_scratch => true)")
                == "\(id)")
        #expect(
            try await queue.psql("select payload from sheetsync.jobs where id = \(id)")
                == #"{"from_scratch": true, "allow_deletes": true}"#)
        try await end(id, "retry", "|| '{}'::jsonb", in: queue)
        try await queue.connection.script(
            "update sheetsync.ready set state = 'scheduled', run_at = now() + interval '1 hour'")
        #expect(try await queue.psql("select sheetsync.run_sync('a')") == "\(id)")
        #expect(try await queue.jobs.find(id)?.state == "available", "it does not rest any longer")
        // A worker had it: what it has done it did without the flag.
        let late = await #expect(throws: PostgresError.self) {
            try await queue.connection.script("select sheetsync.run_sync('a', allow_deletes => true)")
        }
        #expect(late?.sqlState == "55006" && late?.message.contains("job \(id)") == true)
        _ = try await queue.psql("select from sheetsync.claim(1, 9, '{\"noop\": 9}')")
        #expect(try await queue.psql("select sheetsync.run_sync('a')") == "\(id)")
        try await end(id, in: queue)
        let next = try #require(try await tick(queue).first, "one follows the run that was under way")
        #expect(next > id)
        #expect(
            try await queue.psql("select payload from sheetsync.jobs where id = \(next)") == "{}",
            "the flags are of one run")
        // A paused one runs when somebody says so.
        try await end(next, in: queue)
        _ = try await queue.psql("select sheetsync.pause_sync('a', 'x')")
        #expect(Int(try await queue.psql("select sheetsync.run_sync('a')")) ?? 0 > next)
    }

    @Test func afterFiveFailuresItRunsOnceAnHourAndTellsSinceWhen() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("select sheetsync.put_sync('a', 'noop', '{}', 'every 1 minute')")
        try await tick(queue)
        var since = ""
        for failure in 1...6 {
            _ = try await queue.psql(
                "update sheetsync.sync set next_run_at = now() - interval '1 hour' * \(failure), not_before = least(not_before, now())"
            )
            let id = try #require(try await tick(queue).first)
            try await end(
                id, "discarded", #"|| '{"error": {"code": "x.y", "message": "number \#(failure)"}}'"#, in: queue)
            try await tick(queue)
            let seen = try await sync("a", "failing_since, last_error ->> 'message', last_state, state", in: queue)
            if failure == 1 { since = String(seen.prefix { $0 != "|" }) }
            #expect(seen == "\(since)|number \(failure)|discarded|active")
            let rests = try await sync("a", "next_run_at > now() + interval '59 minutes'", in: queue)
            #expect(rests == (failure < 5 ? "f" : "t"), "after \(failure)")
        }
        _ = try await queue.psql("update sheetsync.sync set next_run_at = now() - interval '1 day', not_before = now()")
        let id = try #require(try await tick(queue).first)
        // Somebody retries what failed first: the sync has another run open.
        #expect(try await queue.psql("select sheetsync.retry(min(id)) from sheetsync.jobs") == "f")
        try await end(
            id, "completed",
            """
            || '{"result": {"sheets": [{"changes": {"inserted": 2, "deleted": 1}}, {"name": "x"}, {"changes": {"inserted": 5, "kept": 3}}]}}'
            """, in: queue)
        try await tick(queue)
        #expect(
            try await sync(
                "a",
                "failing_since is null, last_error is null, last_changes, next_run_at < now() + interval '2 minutes'",
                in: queue)
                == #"t|t|{"kept": 3, "deleted": 1, "inserted": 7}|t"#)
        // Now the old one may run again, and is the sync's run.
        let first = try #require(Int(try await queue.psql("select min(id) from sheetsync.jobs")))
        #expect(try await queue.jobs.retry(first))
        #expect(try await sync("a", "last_job, last_state", in: queue) == "\(first)|available")
        try await end(first, "completed", #"|| '{"result": {"inserted": 1, "rejected": 2, "rows": 9}}'"#, in: queue)
        try await tick(queue)
        #expect(try await sync("a", "last_changes", in: queue) == #"{"inserted": 1, "rejected": 2}"#)
        #expect(
            try await queue.psql("select row_totals from sheetsync.report_sync")
                == #"{"kept": 3, "deleted": 1, "inserted": 8, "rejected": 2}"#)
    }

    @Test func whoMadeItDecidesWhoSeesChangesAndRunsIt() async throws {
        let queue = try await TestQueue.make()
        let logins = ["producer", "producer0", "query", "operator", "worker"].map { "\($0)_of_\(queue.database)" }
        for login in logins {
            _ = try await queue.psql(
                "create role \(login) login; grant sheetsync_\(login.prefix { $0 != "0" && $0 != "_" }) to \(login)")
        }
        _ = try await queue.psql("select sheetsync.put_sync('mine', 'noop', '{}')", as: logins[0])
        #expect(try await queue.psql("select name, made_by from sheetsync.syncs", as: logins[0]) == "mine|\(logins[0])")
        #expect(try await queue.psql("select count(*) from sheetsync.syncs", as: logins[1]) == "0")
        for function in ["pause_sync('mine', '')", "resume_sync('mine')", "drop_sync('mine')"] {
            #expect(try await queue.psql("select sheetsync.\(function)", as: logins[1]) == "f", "\(function)")
        }
        for (sql, login, words) in [
            ("select sheetsync.run_sync('mine')", 1, "no sync 'mine' that this login may see"),
            ("select sheetsync.put_sync('mine', 'noop', '{}', 'every 1 hour')", 1, "belongs to another login"),
            (
                "select sheetsync.put_sync('q', 'write', '{\"query\": \"select 1\"}')", 0,
                "only members of sheetsync_query"
            ),
            ("select sheetsync.put_sync('q', 'noop', '{}')", 3, "permission denied"),
            ("select sheetsync.put_sync('q', 'noop', '{}')", 4, "permission denied"),
            ("select sheetsync.look_at_syncs(1)", 0, "permission denied"),
            ("select sheetsync.run_due_sync('mine', 1, null, null)", 0, "permission denied"),
            ("select sheetsync.refuse_schedule('mine', 1, 'x')", 3, "permission denied"),
            ("select * from sheetsync.sync", 0, "permission denied"),
            ("select * from sheetsync.sync_mark", 0, "permission denied"),
            ("insert into sheetsync.sync_mark (table_name) values ('x')", 3, "permission denied"),
            ("select * from sheetsync.report_sync", 0, "permission denied"),
            ("select sheetsync.insert_run(null, 'x')", 0, "permission denied"),
            ("select sheetsync.schedule_fault('x')", 0, "permission denied"),
        ] {
            let error = await #expect(throws: PsqlFailure.self, "\(sql)") {
                try await queue.psql(sql, as: logins[login])
            }
            #expect(error?.description.contains(words) == true, "\(sql): \(error?.description ?? "")")
        }
        // An operator runs it, and the job is its login's all the same.
        let id = try await queue.psql("select sheetsync.run_sync('mine')", as: logins[3])
        #expect(try await queue.psql("select enqueued_by from sheetsync.job where id = \(id)") == logins[0])
        #expect(try await queue.psql("select id from sheetsync.jobs", as: logins[0]) == id)
        #expect(try await queue.psql("select sheetsync.drop_sync('mine')", as: logins[3]) == "t")
        #expect(
            try await queue.psql("select state from sheetsync.jobs", as: logins[0]) == "cancelled", "it had not begun")

        // Whoever loses the role has runs refused, and that is told.
        _ = try await queue.psql(
            "select sheetsync.put_sync('q', 'write', '{\"query\": \"select 1\"}', 'every 1 minute')", as: logins[2])
        try await tick(queue)
        _ = try await queue.psql(
            "revoke sheetsync_query from \(logins[2]); update sheetsync.sync set next_run_at = now() - interval '1 second'"
        )
        #expect(try await tick(queue) == [])
        #expect(
            try await sync(
                "q",
                "last_error ->> 'code', last_error ->> 'message' ~ 'only members', failing_since is not null, last_job",
                in: queue)
                == "sync.run_refused|t|t|")
        // So does one that is gone.
        _ = try await queue.psql(
            "drop role \(logins[2]); update sheetsync.sync set next_run_at = now() - interval '1 second'")
        #expect(try await tick(queue) == [])
        #expect(try await sync("q", "last_error ->> 'message' ~ 'does not exist'", in: queue) == "t")
    }

    /// Three workers see a hundred syncs at once, again and again; each time of each is one job.
    @Test func anyNumberOfWorkersMakesEachRunOnce() async throws {
        let queue = try await TestQueue.make()
        let done = Tally()
        let handler = ClosureHandler { job, _ in
            done.add(job.id)
            return [:]
        }
        _ = try await queue.psql(
            "select sheetsync.put_sync('sync ' || n, 'noop', '{}', 'every 1 hour') from generate_series(1, 100) n")
        let slots = Mutex(0)
        try await queue.withWorker(["noop": handler]) { queue in
            try await queue.withWorker(["noop": handler]) { queue in
                try await queue.withWorker(["noop": handler]) { queue in
                    for round in 1...4 {
                        try await wait(
                            for: "all to have a time", within: .seconds(60),
                            seeing: {
                                try await queue.psql(
                                    "select state, last_state, count(*) from sheetsync.syncs group by 1, 2")
                            }
                        ) {
                            try await queue.psql(
                                "select count(*) from sheetsync.sync where next_run_at is not null and not is_open")
                                == "100"
                        }
                        // All at once, at a time of this round's own.
                        _ = try await queue.psql(
                            "update sheetsync.sync set next_run_at = timestamptz '2020-01-01' + interval '1 day' * \(round)"
                        )
                        slots.withLock { $0 += 100 }
                        try await wait(for: "a run of each", within: .seconds(60), seeing: { "\(done.all.count)" }) {
                            try await queue.psql(
                                "select count(*) from sheetsync.jobs where idempotency_key like '%@2020-01-0\(round + 1)T%'"
                            ) == "100"
                        }
                    }
                }
            }
        }
        let made = try await queue.psql(
            "select count(*), count(distinct (sync, idempotency_key)) from sheetsync.jobs where idempotency_key like '%@2020%'"
        )
        #expect(made == "400|400")
        #expect(done.all.values.allSatisfy { $0 == 1 })
        #expect(try await queue.inspector.contradictions() == [])
    }

    @Test func whatRunsDidWithRowsIsSummedAndTold() {
        let sheets: JSON = [
            "sheets": [
                ["changes": ["unchanged": 9, "inserted": 2]], ["name": "x"],
                ["changes": ["inserted": 3, "deleted": 1]],
            ]
        ]
        #expect(RowChanges(result: sheets)?.description == "5 inserted, 1 deleted")
        #expect(RowChanges(result: ["rows": 5, "inserted": 0, "unchanged": 5])?.description == "5 unchanged")
        #expect(RowChanges(result: ["inserted": 0])?.description == "nothing changed")
        #expect(RowChanges(result: ["rows": 5, "sheets": [["rows": 5]]]) == nil)
        #expect(RowChanges(result: nil) == nil)
    }

    @Test func aScheduleThatAWorkerCannotReckonIsTold() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("select sheetsync.put_sync('a', 'noop', '{}', '0 9 * * *', 'Europe/Berlin')")
        // The test's worker knows no zone but UTC.
        try await queue.withWorker(["noop": ClosureHandler { _, _ in [:] }]) { queue in
            try await wait(for: "the words", within: .seconds(20)) {
                try await sync(
                    "a",
                    "last_error ->> 'code', last_error ->> 'message' ~ 'no time zone but UTC', failing_since is not null",
                    in: queue)
                    == "sync.schedule_unreadable|t|t"
            }
        }
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in [:] }],
            change: {
                $0.clock = { try ZoneClock(zone: $0) }
            }
        ) { queue in
            _ = try await queue.psql("update sheetsync.sync set not_before = null; notify sheetsync_sync")
            try await wait(for: "the time", within: .seconds(20)) {
                try await sync(
                    "a",
                    "extract(hour from next_run_at at time zone 'Europe/Berlin'), last_error is null, failing_since is null",
                    in: queue)
                    == "9|t|t"
            }
        }
    }
}
