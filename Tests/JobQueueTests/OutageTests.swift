import JSON
import Logging
import Postgres
import PostgresServer
import TestSupport
import Testing

@testable import JobQueue

/// A worker whose connections fail, hang or hear nothing, and a database with settings of its own.
@Suite struct OutageTests {
    /// Runs a worker under a login that the test can shut out, since a superuser cannot be.
    private func withWorker(
        _ handler: ClosureHandler, change: (inout WorkerConfiguration) -> Void,
        _ body: (TestQueue, _ login: String) async throws -> Void
    ) async throws {
        let queue = try await TestQueue.make()
        let login = "worker_of_\(queue.database)"
        _ = try await queue.psql("create role \(login) login; grant sheetsync_worker to \(login)")
        let database = try ConnectionConfiguration(url: queue.server.url(database: queue.database, user: login))
        var configuration = WorkerConfiguration()
        configuration.shutdownGrace = .zero
        change(&configuration)
        let worker = Worker(
            configuration, database: database, schema: queue.schema, control: Connection(database, label: "control"),
            handlers: ["noop": handler], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let running = Task { try await worker.run() }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(queue, login)) } catch { outcome = .failure(error) }
        running.cancel()
        try await running.value
        try outcome.get()
    }

    /// Ends the connections whose label is like a pattern.
    private func terminate(_ label: String, of login: String, _ queue: TestQueue) async throws {
        try await queue.connection.query(
            """
            select pg_terminate_backend(pid, 5000) from pg_stat_activity
            where usename = \(login) and application_name like \("sheetsync " + label)
            """)
    }

    enum Fault: CaseIterable { case refused, hangs }

    /// The worker must stop a job before the others take its silence for death.
    @Test(arguments: Fault.allCases) func stopsItsJobsBeforeOthersStartThem(fault: Fault) async throws {
        let stopped = Heard()
        let handler = ClosureHandler { _, _ in
            defer { stopped.add("stopped") }
            try await Task.sleep(for: .seconds(60))
            return nil
        }
        var limits = WorkerConfiguration()
        limits.leaseTime = .seconds(10)
        let silenceLimit = limits.silenceLimit / .seconds(1)
        try await withWorker(handler, change: { $0.leaseTime = .seconds(10) }) { queue, login in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "running")
            let blocker = Connection(try queue.configuration(), label: "blocker")
            switch fault {
            case .refused:
                _ = try await queue.psql("revoke connect on database \(queue.database) from public")
                try await terminate("control", of: login, queue)
            case .hangs:
                try await blocker.script("begin; select * from sheetsync.worker for update")
            }
            try await wait(for: "the job to be stopped") { stopped.all == ["stopped"] }
            let silence = try await queue.connection.query(
                "select extract(epoch from clock_timestamp() - beat_at) as silence from sheetsync.worker")
            #expect(try #require(silence.first).optionalDouble("silence") ?? .infinity < silenceLimit)
            // It is still its job: nobody has begun it a second time.
            #expect(try await queue.jobs.find(id)?.state == "running")
            await blocker.close()
        }
    }

    @Test func comesBackAfterTheDatabaseLetsItInAgain() async throws {
        let tally = Tally()
        let handler = ClosureHandler { job, _ in
            tally.add(job.id)
            // The work is done while nothing can be written.
            try? await Task.sleep(for: .seconds(1))
            return JSON(tally[job.id])
        }
        try await withWorker(handler, change: { $0.leaseTime = .seconds(2) }) { queue, login in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "running")
            _ = try await queue.psql("alter role \(login) nologin")
            try await terminate("%", of: login, queue)
            try await Task.sleep(for: .seconds(2))
            _ = try await queue.psql("alter role \(login) login")
            try await queue.expect(id, "completed")
            // Nobody else took it meanwhile, so the result of the one attempt counts.
            #expect(tally[id] == 1)
            #expect(try await queue.jobs.find(id)?.result == 1)
            let next = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(next, "completed")
        }
    }

    @Test(.timeLimit(.minutes(1))) func endsAlsoWhileTheDatabaseIsOutOfReach() async throws {
        let ended = Heard()
        let handler = ClosureHandler { _, _ in
            try? await Task.sleep(for: .seconds(1))
            ended.add("ended")
            return nil
        }
        try await withWorker(handler, change: { $0.leaseTime = .seconds(10) }) { queue, login in
            let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.expect(id, "running")
            _ = try await queue.psql("alter role \(login) nologin")
            try await terminate("%", of: login, queue)
            try await wait(for: "a result that nobody takes") { ended.all == ["ended"] }
        }
    }

    @Test func worksWhereItCannotListen() async throws {
        try await withWorker(ClosureHandler { _, _ in nil }, change: { $0.pollInterval = .milliseconds(200) }) {
            queue, login in
            for _ in 1...5 {
                try await wait(for: "the worker to sleep") {
                    try await queue.inspector.isSomebodyIdle()
                }
                // What it would hear now is said while nobody listens.
                try await terminate("listener", of: login, queue)
                let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
                try await queue.expect(id, "completed")
            }
            try await wait(for: "the listener to come back to the three others") {
                try await queue.connection.query(
                    "select count(*) as n from pg_stat_activity where usename = \(login)")[0].int("n") == 4
            }
        }
    }

    /// Whoever may connect can notify, as often and with as much as he likes.
    @Test func aFloodOfNotificationsCausesNoMoreThanFiveBeatsASecond() async throws {
        let queue = try await TestQueue.make()
        let beats = Heard()
        let observer: @Sendable (WorkerEvent) -> Void = { event in
            if case .beat = event { beats.add("beat") }
        }
        try await queue.withWorker(["noop": ClosureHandler { _, _ in nil }], observer: observer) { queue in
            try await wait(for: "a first beat") { !beats.all.isEmpty }
            let before = beats.all.count
            let start = ContinuousClock.now
            for round in 1...40 {
                try await queue.connection.query(
                    """
                    select pg_notify(channel, \(round) || ' ' || n || repeat('x', 7000))
                    from generate_series(1, 200) n, (values ('sheetsync_cancel'), ('sheetsync_ready')) c (channel)
                    """)
            }
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            let most = Int((ContinuousClock.now - start) / .milliseconds(200)) + 2
            let caused = beats.all.count - before
            #expect(caused <= most, "\(caused)")
            // One for whatever came, and work goes on.
            #expect(caused >= 1)
        }
    }

    @Test func aNotificationWakesASleepingWorker() async throws {
        let queue = try await TestQueue.make()
        try await queue.withWorker(
            ["noop": ClosureHandler { _, _ in nil }], change: { $0.pollInterval = .seconds(60) }
        ) { queue in
            for _ in 1...3 {
                try await wait(for: "the worker to sleep") {
                    try await queue.inspector.isSomebodyIdle()
                }
                // The limit of this wait is far below the poll interval.
                try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
            }
        }
    }

    @Test func aRetryWakesASleepingWorker() async throws {
        let queue = try await TestQueue.make()
        let handler = ClosureHandler { job, _ in
            if job.attempt < 3 { throw JobFailure(code: "test.again", message: "Not yet.", retry: .backoff) }
            return nil
        }
        try await queue.withWorker(["noop": handler], change: { $0.pollInterval = .seconds(60) }) { queue in
            try await queue.expect(try await queue.jobs.enqueue(kind: "noop", payload: [:]), "completed")
        }
    }

    @Test func enqueueNotifiesOnlyWhenAWorkerSleeps() async throws {
        let queue = try await TestQueue.make()
        let heard = Heard()
        let listening = Task { [configuration = try queue.configuration()] in
            await NotificationListener(configuration, channels: ["sheetsync_ready", "mark"]).run { event in
                switch event {
                case .listening: heard.add("listening")
                case .notification(let notification): heard.add(notification.channel)
                case .lost(let error): heard.add("\(error)")
                }
            }
        }
        try await wait(for: "LISTEN") { heard.all == ["listening"] }
        func worker() async throws -> WorkerStatements {
            let worker = WorkerStatements(on: queue.connection)
            try await worker.register(name: "test", version: "0", concurrency: 1)
            return worker
        }
        let (one, two) = (try await worker(), try await worker())
        /// Enqueues and tells whether that was heard; a mark behind it shows that nothing more is on its way.
        func isHeard() async throws -> Bool {
            let before = heard.all.count
            _ = try await queue.jobs.enqueue(kind: "noop", payload: [:])
            try await queue.connection.query("select pg_notify('mark', '')")
            try await wait(for: "the mark") { heard.all.dropFirst(before).last == "mark" }
            return heard.all.dropFirst(before).contains("sheetsync_ready")
        }
        #expect(try await isHeard() == false)
        #expect(try await one.markIdle().lookAgain)
        #expect(try await isHeard())
        #expect(try await one.markIdle().lookAgain == false)
        // The second one is full, but the first one has a free slot and may sleep.
        #expect(try await two.markBusy() == false)
        #expect(try await isHeard())
        _ = try await one.beat(.init(inFlight: 1))
        #expect(try await two.markBusy())
        #expect(try await isHeard() == false)
        listening.cancel()
        await listening.value
    }

    @Test func worksUnderTheSettingsOfAnyDatabase() async throws {
        let queue = try await TestQueue.make()
        _ = try await queue.psql(
            """
            alter database \(queue.database) set default_transaction_isolation = 'repeatable read';
            alter database \(queue.database) set statement_timeout = '1ms';
            alter database \(queue.database) set lock_timeout = '1ms';
            alter database \(queue.database) set enable_indexscan = off
            """)
        let handler = ClosureHandler { job, _ in
            if job.payload["sleeps"]?.bool == true { try await Task.sleep(for: .seconds(60)) }
            if job.attempt < 2 { throw JobFailure(code: "test.again", message: "Not yet.", retry: .backoff) }
            return nil
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let ids = try await queue.psql(
                """
                set statement_timeout = 0; set lock_timeout = 0;
                begin; select sheetsync.enqueue('noop', '{}', 'key ' || n) from generate_series(1, 20) n; commit
                """
            ).split(separator: "\n").compactMap { Int($0) }
            #expect(ids.count == 20)
            for id in ids { try await queue.expect(id, "completed") }
            let sleeper = try await queue.jobs.enqueue(kind: "noop", payload: ["sleeps": true])
            try await queue.expect(sleeper, "running")
            #expect(
                try await queue.psql(
                    "set statement_timeout = 0; set lock_timeout = 0; select sheetsync.cancel(\(sleeper))") == "t")
            try await queue.expect(sleeper, "cancelled")
        }
    }

    @Test func aLockedTableCostsTimeAndNothingElse() async throws {
        let queue = try await TestQueue.make()
        let connection = Connection(try queue.configuration(), label: "worker", statementTimeout: .seconds(1))
        let worker = WorkerStatements(on: connection)
        try await worker.register(name: "test", version: "0", concurrency: 1)
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        let blocker = Connection(try queue.configuration(), label: "blocker")
        try await blocker.script("begin; lock table sheetsync.ready")
        let error = await #expect(throws: PostgresError.self) { try await worker.claim(1) }
        #expect(error?.isTransient == true)
        try await blocker.script("rollback")
        #expect(try await worker.claim(1).map(\.id) == [id])
    }

    @Test func reclaimsByTheDatabasesClock() async throws {
        let queue = try await TestQueue.make()
        func worker() async throws -> WorkerStatements {
            let worker = WorkerStatements(on: queue.connection)
            try await worker.register(name: "test", version: "0", concurrency: 1)
            return worker
        }
        let (silent, other) = (try await worker(), try await worker())
        let id = try await queue.jobs.enqueue(kind: "noop", payload: [:])
        _ = try await silent.claim(1)
        _ = try await queue.psql(
            "update sheetsync.worker set beat_at = clock_timestamp() - interval '1700 s' where epoch = \(silent.epoch)")
        #expect(try await other.reclaim(silentFor: .seconds(1800)).isEmpty)
        _ = try await queue.psql(
            "update sheetsync.worker set beat_at = clock_timestamp() - interval '1900 s' where epoch = \(silent.epoch)")
        #expect(try await other.reclaim(silentFor: .seconds(1800)) == [id: "available"])
        #expect(try await silent.beat(.init(inFlight: 1)) == nil)
    }
}
