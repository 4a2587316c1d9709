import Postgres
import TestSupport
import Testing

@testable import JobQueue

/// How much of the queue one login may have.
@Suite struct LoginLimitTests {
    /// Makes a login that may enqueue; named after the database because roles belong to the whole server.
    private func login(_ name: String, _ queue: TestQueue, role: String = "producer") async throws -> String {
        let login = "\(name)_of_\(queue.database)"
        _ = try await queue.psql("create role \(login) login; grant sheetsync_\(role) to \(login)")
        return login
    }

    private func worker(_ queue: TestQueue) async throws -> WorkerStatements {
        let statements = WorkerStatements(on: Connection(try queue.configuration(), label: "worker"))
        try await statements.register(name: "test", version: "0", concurrency: 16)
        return statements
    }

    private func enqueue(_ queue: TestQueue, _ count: Int, _ arguments: String, as login: String) async throws {
        _ = try await queue.psql(
            "select count(sheetsync.enqueue(\(arguments))) from generate_series(1, \(count)) n", as: login)
    }

    private func limit(_ queue: TestQueue, _ login: String, _ ceilings: String) async throws {
        _ = try await queue.psql("select sheetsync.limit_login('\(login)'\(ceilings))")
    }

    @Test func aLoginHasNoMoreSlotsThanItMayOverAllWorkers() async throws {
        let queue = try await TestQueue.make()
        let (greedy, other) = (try await login("greedy", queue), try await login("other", queue))
        let (one, two) = (try await worker(queue), try await worker(queue))
        try await limit(queue, greedy, ", slots => 3")
        try await enqueue(queue, 5000, "'noop', '{}', priority => 0, owner => 'owner ' || n % 400", as: greedy)
        try await enqueue(queue, 6, "'noop', '{}', priority => 9", as: other)
        let first = try await one.claim(2)
        #expect(first.map(\.login).sorted() == [greedy, other].sorted())
        let second = try await two.claim(16)
        #expect(second.count { $0.login == greedy } == 2, "\(second.map(\.login))")
        // Others begin behind its five thousand jobs, and whoever asks gets those that are left.
        let third = try await two.claim(16)
        #expect(second.count { $0.login == other } + third.count { $0.login == other } == 5)
        #expect(third.allSatisfy { $0.login == other }, "\(third.map(\.login))")
        #expect(try await two.claim(16).isEmpty)
        #expect(try await one.claim(16).isEmpty)
        // A slot that becomes free is filled again, by whichever worker asks.
        let mine = try #require(first.first { $0.login == greedy })
        _ = try await one.finish([JobOutcome(mine, .completed)], keepPayloads: false)
        #expect(try await two.claim(16).map(\.login) == [greedy])
        #expect(try await one.claim(16).isEmpty)
        try await limit(queue, greedy, ", slots => 0")
        _ = try await two.finish(second.map { JobOutcome($0, .completed) }, keepPayloads: false)
        #expect(try await one.claim(16).isEmpty)
        try await limit(queue, greedy, "")
        #expect(try await one.claim(16).count == 16)
        #expect(try await queue.inspector.count(.lease) == 18 + third.count)
    }

    /// A claim behind the backlog of a login that may not begin reads a few rows of it.
    @Test func whatMayNotBeginCostsAClaimNothing() async throws {
        let queue = try await TestQueue.make()
        let (greedy, other) = (try await login("greedy", queue), try await login("other", queue))
        let epoch = try await worker(queue).epoch
        try await limit(queue, greedy, ", slots => 0")
        try await enqueue(queue, 5000, "'noop', '{}', owner => 'owner ' || n % 400", as: greedy)
        try await enqueue(queue, 16, "'noop', '{}'", as: other)
        try await queue.connection.transaction { db throws(PostgresError) in
            let claim: Query = "select from sheetsync.claim(\(epoch), 16, '{\"write\":16,\"make\":16,\"noop\":16}')"
            #expect(try db.query(claim).count == 16)
            for _ in 1...9 { #expect(try db.query(claim).isEmpty) }
            let read = try db.query(
                """
                select coalesce(idx_tup_fetch, 0) + seq_tup_read as read from pg_stat_xact_user_tables
                where schemaname = 'sheetsync' and relname = 'ready'
                """)[0].int("read")
            #expect(read <= 500, "ten claims read \(read) rows")
        }
    }

    @Test func claimsAtTheSameTimeDoNotFillTheSameSlots() async throws {
        let queue = try await TestQueue.make()
        let greedy = try await login("greedy", queue)
        try await limit(queue, greedy, ", slots => 3")
        try await enqueue(queue, 600, "'noop', '{}'", as: greedy)
        let all = try await withThrowingTaskGroup(of: (done: Int, most: Int).self) { group in
            for _ in 0..<8 {
                let worker = try await worker(queue)
                group.addTask {
                    var (done, most) = (0, 0)
                    for _ in 0..<60 {
                        let jobs = try await worker.claim(2)
                        let running = try await worker.claims.query("select count(*) as n from sheetsync.lease")[0]
                        most = max(most, try running.int("n"))
                        let outcomes = jobs.map { JobOutcome($0, .completed) }
                        done += try await worker.finish(outcomes, keepPayloads: false).count
                    }
                    return (done, most)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(all.map(\.most).max() == 3, "\(all)")
        #expect(all.reduce(0) { $0 + $1.done } >= 60, "somebody always gets some: \(all)")
    }

    /// Whichever worker sleeps may have waited for that slot.
    @Test func aSlotThatBecomesFreeIsTold() async throws {
        let queue = try await TestQueue.make()
        let greedy = try await login("greedy", queue)
        _ = try await queue.psql("select sheetsync.register_worker(7, 'w', '1', 4)")
        try await enqueue(queue, 3, "'noop', '{}'", as: greedy)
        func heard() async throws -> Bool {
            try await queue.psql(
                """
                select count(*) from sheetsync.claim(7, 1, '{"noop": 1}');
                listen sheetsync_ready;
                select sheetsync.mark_idle();
                select sheetsync.finish(7, (select jsonb_agg(jsonb_build_object(
                    'id', id, 'lease_number', number, 'outcome', 'completed')) from sheetsync.lease));
                """
            ).contains("\"sheetsync_ready\"")
        }
        #expect(try await !heard())
        try await limit(queue, greedy, ", slots => 1")
        #expect(try await heard())
        #expect(try await queue.inspector.count(.outcome) == 2)
    }

    @Test func aLoginHasNoMoreJobsWaitingThanItMay() async throws {
        let queue = try await TestQueue.make()
        let (greedy, other) = (try await login("greedy", queue), try await login("other", queue))
        try await limit(queue, greedy, ", waiting => 4")
        try await enqueue(queue, 1, "'noop', '{}', 'key'", as: greedy)
        try await enqueue(queue, 1, "'write', '{}', run_at => now() + interval '1 day'", as: greedy)
        let three = ["noop", "write", "make"].map { #"{"kind": "\#($0)", "payload": {}}"# }.joined(separator: ", ")
        let many = "select sheetsync.enqueue_many('[\(three)]')"
        func expectRefusal(_ sql: String) async {
            let error = await #expect(throws: PostgresError.self) {
                try await queue.connection(as: greedy).query(Query(stringLiteral: sql))
            }
            #expect(error?.sqlState == "53400", "\(sql): \(error as Any)")
            #expect(error?.message.hasPrefix("the login \(greedy) may have 4 jobs waiting") == true, "\(error as Any)")
            #expect(error?.hint?.contains("sheetsync.limit_login") == true, "\(error as Any)")
        }
        // All of them or none.
        await expectRefusal(many)
        #expect(try await queue.inspector.count(.job) == 2)
        try await enqueue(queue, 2, "'write', '{\"file\": \"f\"}'", as: greedy)
        let worker = try await worker(queue)
        // A job that has begun does not wait any more; the one behind it does.
        let claimed = try await worker.claim(16)
        let blocked = try await queue.inspector.waiting()["blocked"]
        #expect(claimed.count == 2 && blocked == 1, "\(claimed)")
        try await enqueue(queue, 2, "'make', '{}'", as: greedy)
        await expectRefusal("select sheetsync.enqueue('noop', '{}')")
        // What is there already is told again, and others go on.
        try await enqueue(queue, 1, "'noop', '{}', 'key'", as: greedy)
        let again =
            #"select created from sheetsync.enqueue_many('[{"kind": "noop", "payload": {}, "idempotency_key": "key"}]')"#
        #expect(try await queue.psql(again, as: greedy) == "f")
        try await enqueue(queue, 9, "'noop', '{}'", as: other)
        // A retry is one more that waits, unless it is an operator's.
        let ended = try #require(claimed.first { $0.target == nil }?.id)
        var random = SystemRandomNumberGenerator()
        let failure = JobFailure(code: "x", message: "No.", retry: .never)
        _ = try await worker.finish(
            [
                RetryPolicy().outcome(
                    of: try #require(claimed.first { $0.id == ended }), failure: failure, using: &random)
            ],
            keepPayloads: false)
        await expectRefusal("select sheetsync.retry(\(ended))")
        #expect(try await queue.jobs.find(ended)?.state == "discarded")
        #expect(try await queue.jobs.retry(ended))
        #expect(try await queue.inspector.contradictions() == [])
    }

    @Test func aJobGetsTheBestPriorityThatItsLoginMayHave() async throws {
        let queue = try await TestQueue.make()
        let modest = try await login("modest", queue)
        try await limit(queue, modest, ", best_priority => 4")
        for priority in [0, 4, 9] { try await enqueue(queue, 1, "'noop', '{}', priority => \(priority)", as: modest) }
        _ = try await queue.psql(
            #"select sheetsync.enqueue_many('[{"kind": "noop", "payload": {}, "priority": 2}]')"#, as: modest)
        #expect(
            try await queue.psql("select string_agg(priority::text, ',' order by id) from sheetsync.jobs", as: modest)
                == "4,4,9,4")
        #expect(
            try await queue.psql("select string_agg(priority::text, ',' order by id) from sheetsync.ready") == "4,4,9,4"
        )
    }

    @Test func onlyAnOperatorSetsACeilingAndOnlyOneThatCanBe() async throws {
        let queue = try await TestQueue.make()
        let producer = try await login("producer", queue)
        let operators = try await login("operator", queue, role: "operator")
        for sql in [
            "select sheetsync.limit_login('\(producer)')", "select * from sheetsync.login_limit",
            "select * from sheetsync.report_login",
        ] {
            let error = await #expect(throws: PsqlFailure.self) { try await queue.psql(sql, as: producer) }
            #expect(error?.description.contains("permission denied") == true, "\(error as Any)")
        }
        for (arguments, says) in [
            ("'nobody_at_all', slots => 1", "there is no login 'nobody_at_all'"),
            ("null, slots => 1", "there is no login null"),
            ("'\(producer)', slots => -1", "slots must be from 0 to 100000, not -1"),
            ("'\(producer)', waiting => 100001", "waiting must be from 0 to 100000"),
            ("'\(producer)', best_priority => 10", "best_priority must be from 0 (first) to 9 (last), not 10"),
        ] {
            let error = await #expect(throws: PsqlFailure.self) {
                try await queue.psql("select sheetsync.limit_login(\(arguments))", as: operators)
            }
            #expect(error?.description.contains(says) == true, "\(error as Any)")
        }
        for (arguments, row) in [(", 2, 30, 4", "2|30|4"), (", waiting => 7", "|7|"), ("", "")] {
            _ = try await queue.psql("select sheetsync.limit_login('\(producer)'\(arguments))", as: operators)
            let seen = try await queue.psql(
                "select slots, waiting, best_priority from sheetsync.login_limit", as: operators)
            #expect(seen == row)
        }
    }

    @Test func whoFillsTheSlotsIsSaid() async throws {
        let queue = try await TestQueue.make()
        let (greedy, other) = (try await login("greedy", queue), try await login("other", queue))
        _ = try await queue.psql("select sheetsync.register_worker(7, 'w', '1', 4)")
        try await enqueue(queue, 5, "'noop', '{}'", as: greedy)
        let worker = try await worker(queue)
        #expect(try await worker.claim(3).count == 3)
        _ = try await queue.psql("delete from sheetsync.worker where epoch <> 7")
        try await enqueue(queue, 1, "'noop', '{}'", as: other)
        func verdict() async throws -> String {
            Verdict(try await QueueReport.read(queue.schema, on: queue.connection), silenceLimit: 45).reason
        }
        #expect(try await verdict() == "3 running, 3 jobs waiting", "a slot is free")
        _ = try await queue.psql("update sheetsync.worker set concurrency = 3")
        #expect(
            try await verdict() == "3 running, 3 jobs waiting; 3 of 3 slots run jobs of the login \(greedy)")
        func why(_ id: String, as login: String? = nil) async throws -> Explanation {
            let jobs = QueueClient(queue.schema, on: try login.map { try queue.connection(as: $0) } ?? queue.connection)
            let number = try #require(Int(id))
            let job = try #require(try await jobs.find(number))
            let waitState = try #require(try await jobs.waitState(of: number))
            return Explanation(job, in: waitState, silenceLimit: 45)
        }
        let waiting = try await queue.psql("select max(id) from sheetsync.jobs", as: other)
        let told = try await why(waiting).headline
        #expect(told.hasSuffix("before it, 3 of 3 slots run jobs of the login \(greedy)"), "\(told)")
        // Whose they are is for those who may see the jobs.
        let stranger = try await why(waiting, as: other).headline
        #expect(stranger.hasSuffix("before it, 3 of 3 slots run jobs of other logins"), "\(stranger)")

        try await limit(queue, greedy, ", slots => 3")
        _ = try await queue.psql("update sheetsync.worker set concurrency = 9")
        let ceiling = "the login \(greedy) may have 3 jobs running at once over all workers, and has"
        let limitedVerdict = try await verdict()
        #expect(limitedVerdict.hasPrefix("3 running, 3 jobs waiting; \(ceiling)"), "\(limitedVerdict)")
        let limited = try await queue.psql("select max(id) from sheetsync.jobs", as: greedy)
        for login in [nil, greedy] {
            let explained = try await why(limited, as: login)
            #expect(explained.causes.map(\.name) == ["login_limit"], "\(explained)")
            #expect(explained.headline.contains("waits because \(ceiling)"), "\(explained.headline)")
        }
        #expect(try await why(waiting).causes.map(\.name) == ["turn"])
        let said = "select waits_for ->> 'code', waits_for ->> 'message' from sheetsync.jobs where id = "
        #expect(
            try await queue.psql(said + limited, as: greedy)
                == "queue.login_limit|The login \(greedy) may have 3 jobs running at once over all workers, and has; "
                + "this one begins when one of them ends.")
        #expect(try await queue.psql(said + waiting) == "|")
        #expect(try await queue.psql("select count(*) from sheetsync.jobs where waits_for is not null") == "2")
        try await limit(queue, greedy, ", slots => 0")
        let none = try await queue.psql(said + limited)
        #expect(none.contains("lets no jobs of the login \(greedy) begin"), "\(none)")
        #expect(try await why(limited).headline.contains("lets no jobs of the login \(greedy) begin"))
        try await limit(queue, greedy, ", slots => 4")
        #expect(try await queue.psql(said + limited) == "|")
        #expect(try await why(limited).causes.map(\.name) == ["turn"])
    }

    /// Only a login with a ceiling reads what waits: SERIALIZABLE transactions of another do not conflict with its own.
    @Test func aCeilingOfOneLoginHoldsUpNoOther() async throws {
        let queue = try await TestQueue.make()
        let (limited, other) = (try await login("limited", queue), try await login("other", queue))
        try await limit(queue, limited, ", waiting => 1000")
        let one = try queue.connection(as: limited)
        let two = try queue.connection(as: other)
        let enqueue = "select sheetsync.enqueue('noop', '{}')"
        for _ in 1...20 {
            try await one.script("begin isolation level serializable; \(enqueue)")
            try await two.script("begin isolation level serializable; \(enqueue); \(enqueue); commit")
            try await one.script("\(enqueue); commit")
        }
        #expect(try await queue.inspector.count(.ready) == 80)
    }
}
