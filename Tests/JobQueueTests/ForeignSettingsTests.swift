import JSON
import Postgres
import PostgresServer
import TestSupport
import Testing

@testable import JobQueue

/// The queue in databases that other people have set up, upgraded, replicated and restored.
@Suite struct ForeignSettingsTests {
    /// A switch to a logical replica carries over the rows, and not how far the sequences were.
    @Test func aSequenceThatLiesBehindIsCalledThat() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        for _ in 1...3 { _ = try await queue.jobs.enqueue(kind: "noop", payload: [:]) }
        _ = try await queue.psql("select setval('sheetsync.job_id_seq', 1)")
        let error = await #expect(throws: PostgresError.self) {
            try await queue.jobs.enqueue(kind: "noop", payload: [:])
        }
        #expect(error?.sqlState == "23505" && error?.message.contains("job_pkey") == true, "\(error?.message ?? "")")
        // No key is blamed for it, nor taken for one that came before.
        let keyed = await #expect(throws: PostgresError.self) {
            try await queue.jobs.enqueue(kind: "noop", payload: [:], idempotencyKey: "fresh")
        }
        #expect(keyed?.sqlState == "23505" && keyed?.message.contains("job_pkey") == true, "\(keyed?.message ?? "")")
        _ = try await queue.psql("select setval('sheetsync.job_id_seq', 3)")
        #expect(try await queue.jobs.enqueue(kind: "noop", payload: [:], idempotencyKey: "fresh") == 4)
        try await worker.register(name: "test", version: "0", concurrency: 9)
        #expect(try await worker.claim(9).count == 4)
    }

    /// Numbers come again after a restore; what names a job at somebody else's must not.
    @Test func aJobsTagNeverComesAgain() async throws {
        let queue = try await TestQueue.make()
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 9)
        var tags: [JobTag] = []
        for _ in 1...2 {
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            #expect(id == 1)
            let jobs = try await worker.claim(1)
            tags += jobs.map(\.tag)
            _ = try await worker.finish(jobs.map { JobOutcome($0, .completed) }, keepPayloads: false)
            try await queue.inspector.ageOutcomes(byDays: 30)
            #expect(try await worker.removeFinished(olderThan: .seconds(86_400), most: 9) == 1)
            _ = try await queue.psql("alter sequence sheetsync.job_id_seq restart")
        }
        #expect(tags.count == 2 && tags[0].number == tags[1].number && tags[0] != tags[1], "\(tags)")
        #expect(JobTag(tags[0].description) == tags[0] && JobTag("12") == nil && JobTag("x-y") == nil)
    }

    /// An upgrade of the system's collations changes the order of texts, and damages every index that follows it.
    @Test func noIndexFollowsACollationThatMayChange() async throws {
        let queue = try await TestQueue.make()
        let rows = try await queue.connection.query(
            """
            select c.relname || '.' || a.attname as name from pg_index i
            join pg_class c on c.oid = i.indexrelid join pg_attribute a on a.attrelid = c.oid
            join pg_collation l on l.oid = a.attcollation
            where c.relnamespace = 'sheetsync'::regnamespace and l.collname not in ('C', 'ucs_basic')
            """)
        #expect(try rows.map { row throws(PostgresError) in try row.text("name") } == [])
    }

    /// A publication for all tables refuses to change rows that it cannot name to the replica.
    @Test func aPublicationOfAllTablesStopsNothing() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql("create publication everything for all tables")
        let worker = WorkerStatements(on: queue.connection)
        try await worker.register(name: "test", version: "0", concurrency: 9)
        let target: JSON = ["file": "a"]
        for _ in 1...3 { _ = try await queue.jobs.enqueue(kind: "write", payload: target) }
        var jobs = try await worker.claim(9)
        _ = try await worker.beat(.init(known: jobs.map(\.leaseNumber)))
        #expect(
            try await worker.reportProgress(
                Progress(step: "a", rowsDone: 1, rowsTotal: 2, checkpoint: [:]), of: jobs[0]))
        _ = try await worker.finish([JobOutcome(jobs[0], .retry, error: ["code": "x"])], keepPayloads: false)
        jobs = try await worker.claim(9)
        #expect(try await queue.jobs.cancel(jobs[0].id))
        _ = try await worker.finish(jobs.map { JobOutcome($0, .discarded, error: ["code": "x"]) }, keepPayloads: false)
        #expect(try await queue.jobs.retry(jobs[0].id))
        #expect(try await queue.jobs.cancel(jobs[0].id))
        try await queue.inspector.ageOutcomes(byDays: 30)
        #expect(try await worker.removeFinished(olderThan: .seconds(86_400), most: 9) == 1)
        #expect(try await queue.jobs.pause(nil))
        #expect(try await queue.jobs.resume(nil))
        try await queue.inspector.silence()
        #expect(try await worker.reclaim(silentFor: .seconds(60)).isEmpty)
        let lacking = try await queue.psql(
            """
            select coalesce(string_agg(c.relname, ' '), 'none') from pg_class c
            where c.relnamespace = 'sheetsync'::regnamespace and c.relkind = 'r'
              and not exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary)
            """)
        #expect(lacking == "none")
    }

    /// A time that goes out as text in one style must not come back as another day, or not at all.
    @Test func datesOfAnyStyleAndZoneAreUnderstood() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            alter database \(queue.database) set datestyle = 'German, DMY';
            alter database \(queue.database) set timezone = 'Asia/Kolkata';
            alter database \(queue.database) set intervalstyle = 'sql_standard'
            """)
        let handler = ClosureHandler(
            { _, _ in
                try await Task.sleep(for: .seconds(60))
                return nil
            },
            reconcile: { _, _ in .found(["found": true]) })
        try await queue.withWorker(["write": handler], change: { $0.leaseTime = .seconds(5) }) { queue in
            let id = try await queue.jobs.enqueue(kind: "write", payload: [:])
            try await queue.expect(id, "running")
            #expect(try await queue.jobs.cancel(id))
            try await queue.expect(id, "cancelled")
            try await wait(
                for: "the job to be reconciled", seeing: { try await queue.jobs.find(id)?.json.description ?? "" }
            ) { try await queue.jobs.find(id)?.result == ["found": true] }
            let soon = try await queue.psql(
                "select sheetsync.enqueue('noop', '{}', run_at => now() + interval '9 min')")
            let later = try #require(Int(soon))
            let state = try #require(try await queue.jobs.waitState(of: later))
            #expect((500...540).contains(state.dueIn ?? 0) && state.text("due_at")?.hasSuffix(" UTC") == true)
            let report = try await QueueReport.read(queue.schema, on: queue.connection)
            #expect((500...540).contains(report.nextDue ?? 0))
        }
        try await queue.inspector.ageOutcomes(byDays: 30)
        let worker = WorkerStatements(on: Connection(try queue.configuration(), label: "worker"))
        #expect(try await worker.removeFinished(olderThan: .seconds(86_400), most: 9) == 1)
    }

    /// A transaction that has notified cannot be prepared, so a producer of two-phase commits asks for silence.
    @Test func aPreparedTransactionMayEnqueueWithoutNotifying() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { _, _ in nil }
        try await queue.withWorker(["noop": handler], change: { $0.pollInterval = .milliseconds(200) }) { queue in
            try await wait(for: "the worker to be idle") { try await queue.inspector.isSomebodyIdle() }
            let loud = await #expect(throws: PsqlFailure.self) {
                try await queue.psql(
                    "begin; select sheetsync.enqueue('noop', '{}'); prepare transaction 'loud_\(queue.database)'")
            }
            #expect(loud?.description.contains("NOTIFY") == true, "\(loud?.description ?? "")")
            let id = try await queue.psql(
                """
                begin; set local sheetsync.notify = off; select sheetsync.enqueue('noop', '{}');
                prepare transaction 'quiet_\(queue.database)'; commit prepared 'quiet_\(queue.database)'
                """)
            try await queue.expect(try #require(Int(id)), "completed")
        }
    }

    /// A server from PostgreSQL 16 on lets a member become a role only with the option SET; before there is no such option.
    @Test func aLoginThatMayNotBecomeTheOwnerIsToldTheGrant() async throws {
        let queue = try await TestQueue.make()
        let login = "admin_of_\(queue.database)"
        _ = try await queue.psql(
            "create role \(login) login; grant create on database \(queue.database) to \(login)")
        let version = Int(try await queue.psql("select current_setting('server_version_num')")) ?? 0
        if version >= 160_000 {
            _ = try await queue.psql("grant sheetsync_owner to \(login) with set false, inherit true")
        } else {
            print("The server is older than PostgreSQL 16: a membership without SET is not tried.")
        }
        let connection = Connection(
            try ConnectionConfiguration(url: queue.server.url(database: queue.database, user: login)), label: "test")
        let plan = try await Schema(name: "own").plan(on: connection)
        let grant = "grant sheetsync_owner to \(login)\(version >= 160_000 ? " with set true" : "");"
        #expect(plan?.contains(grant) == true, "\(plan?.prefix(200) ?? "none")")
        _ = try await queue.psql(grant)
        #expect(try await Schema(name: "own").migrate(on: connection).count == Migration.queue.count)
    }
}
