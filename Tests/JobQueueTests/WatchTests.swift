import JSON
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import JobQueue

/// Tables whose changes make syncs due: what a statement pays for it, and that none is lost.
@Suite struct WatchTests {
    /// A queue with a table of an owner's, a login that writes to it and knows nothing of the queue, and a sync of a third.
    private func watched(_ more: String = "", debounce: Double = 0.1) async throws -> (TestQueue, writer: String) {
        let queue = try await TestQueue.make()
        let (owner, writer, producer) = (
            "owner_of_\(queue.database)", "writer_of_\(queue.database)", "producer_of_\(queue.database)"
        )
        _ = try await queue.psql(
            """
            create role \(owner) login; create role \(writer) login; create role \(producer) login;
            grant sheetsync_producer to \(owner), \(producer);
            create schema app authorization \(owner); set role \(owner);
            create table app.orders (id int primary key, v text); create table app."Odd, ""T" (x int);
            grant usage on schema app to public; grant all on app.orders, app."Odd, ""T" to \(writer);
            """)
        _ = try await queue.psql(
            "select sheetsync.watch('app.orders'), sheetsync.watch('app.\"Odd, \"\"T\"')", as: owner)
        _ = try await queue.psql(
            #"select sheetsync.put_sync('a', 'noop', '{"debounce": \#(debounce)}', on_change => '{app.orders,"app.\"Odd, \"\"T\""}')"#,
            as: producer)
        return (queue, writer)
    }

    private func marks(_ queue: TestQueue) async throws -> Int {
        Int(try await queue.psql("select count(*) from sheetsync.sync_mark")) ?? -1
    }

    @Test func eachKindOfStatementLeavesOneMarkATransactionAndTable() async throws {
        let (queue, writer) = try await watched()
        for (sql, count) in [
            ("insert into app.orders values (1, 'x')", 1), ("update app.orders set v = 'y'", 1),
            ("delete from app.orders", 1),
            ("truncate app.orders", 1), (#"insert into app."Odd, ""T" values (1)"#, 1), ("select * from app.orders", 0),
            (
                "begin; insert into app.orders values (2, 'x'); update app.orders set v = 'z'; delete from app.orders; commit",
                1
            ),
            (#"begin; delete from app.orders; truncate app."Odd, ""T"; delete from app.orders; commit"#, 2),
            ("begin; insert into app.orders values (3, 'x'); rollback", 0),
            ("begin; savepoint a; delete from app.orders; rollback to a; commit", 0),
            ("begin; savepoint a; delete from app.orders; rollback to a; delete from app.orders; commit", 1),
            ("do $$ begin delete from app.orders; commit; delete from app.orders; end $$", 2),
            ("set session characteristics as transaction isolation level serializable; delete from app.orders", 1),
        ] {
            let before = try await marks(queue)
            _ = try await queue.psql(sql, as: writer)
            #expect(try await marks(queue) == before + count, "\(sql)")
        }
        // Nobody follows it any more: nothing at all.
        _ = try await queue.psql("select sheetsync.drop_sync('a'); delete from sheetsync.sync_mark")
        _ = try await queue.psql("delete from app.orders", as: writer)
        #expect(try await marks(queue) == 0)
        #expect(
            try await queue.psql("select sheetsync.unwatch('app.orders'), sheetsync.unwatch('app.orders')") == "t|f")
    }

    @Test func onlyTheOwnerOfATableLetsItBeWatched() async throws {
        let (queue, writer) = try await watched()
        _ = try await queue.psql(
            "grant sheetsync_producer to \(writer); create view app.view as select 1; grant trigger on app.orders to \(writer)"
        )
        for (table, words) in [
            ("app.orders", "only the owner of app.orders"), ("app.view", "no table whose changes can be watched"),
        ] {
            let error = await #expect(throws: PsqlFailure.self) {
                try await queue.psql("select sheetsync.watch('\(table)')", as: writer)
            }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }
        let error = await #expect(throws: PsqlFailure.self) {
            try await queue.psql("select sheetsync.unwatch('app.orders')", as: writer)
        }
        #expect(error?.description.contains("must be owner") == true, "\(error?.description ?? "")")
        for table in ["sheetsync.job", "sheetsync.jobs"] {
            await #expect(throws: PsqlFailure.self) { try await queue.psql("select sheetsync.watch('\(table)')") }
        }
        // A table that nobody watches is told.
        #expect(try await queue.psql("select unwatched is null from sheetsync.report_sync") == "t")
        _ = try await queue.psql("alter table app.orders disable trigger sheetsync_watch")
        #expect(try await queue.psql("select unwatched from sheetsync.report_sync") == "app.orders")
    }

    /// The queue may be broken in any way; the statement goes on, and somebody is told.
    @Test func nothingThatHappensToTheQueueFailsAStatement() async throws {
        let (queue, writer) = try await watched()
        for (damage, repair) in [
            ("alter table sheetsync.sync_mark rename to other", "alter table sheetsync.other rename to sync_mark"),
            ("alter table sheetsync.sync_table rename to other", "alter table sheetsync.other rename to sync_table"),
            (
                "revoke insert on sheetsync.sync_mark from sheetsync_owner",
                "grant insert on sheetsync.sync_mark to sheetsync_owner"
            ),
            (
                "alter table sheetsync.sync_mark add check (false) not valid",
                "alter table sheetsync.sync_mark drop constraint sync_mark_check"
            ),
        ] {
            _ = try await queue.psql(damage)
            #expect(
                try await queue.psql("insert into app.orders values (1, 'x') returning id", as: writer) == "1",
                "\(damage)")
            _ = try await queue.psql("\(repair); delete from app.orders")
        }
        // Nor does one wait that somebody has locked for long.
        let other = Connection(try queue.configuration(), label: "other")
        try await other.script("begin; lock table sheetsync.sync_mark")
        #expect(try await queue.psql("insert into app.orders values (2, 'x') returning id", as: writer) == "2")
        try await other.script("rollback")
        await other.close()
    }

    @Test func producersThatAreSerializableDoNotConflict() async throws {
        let (queue, writer) = try await watched()
        let configuration = try queue.connection(as: writer)
        let refusals = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<6 {
                group.addTask {
                    let connection = try queue.connection(as: writer)
                    var refused = 0
                    for round in 0..<40 {
                        do {
                            try await connection.script(
                                """
                                begin isolation level serializable; insert into app.orders values (\(number * 1000 + round), 'x'); commit
                                """)
                        } catch let error as PostgresError {
                            try await connection.script("rollback")
                            guard error.sqlState == "40001" else { throw error }
                            refused += 1
                        }
                    }
                    await connection.close()
                    return refused
                }
            }
            // Beside workers, which take the marks away.
            group.addTask {
                for _ in 0..<40 {
                    _ = try await WorkerStatements(on: queue.connection).lookAtSyncs(most: 10)
                    try await Task.sleep(for: .milliseconds(5))
                }
                return 0
            }
            return try await group.reduce(0, +)
        }
        await configuration.close()
        #expect(refusals == 0)
    }

    /// Marks whose sync somebody has locked stay until it is free.
    @Test func aLockedSyncLosesNoChange() async throws {
        let (queue, writer) = try await watched()
        let workers = WorkerStatements(on: queue.connection)
        _ = try await queue.psql("update sheetsync.sync set change_due_at = null")
        let other = Connection(try queue.configuration(), label: "other")
        try await other.script("begin; select sheetsync.put_sync('b', 'noop', '{}', on_change => '{app.orders}')")
        try await other.script("select from sheetsync.sync where name = 'a' for update")
        _ = try await queue.psql("insert into app.orders values (1, 'x')", as: writer)
        _ = try await workers.lookAtSyncs(most: 10)
        #expect(try await marks(queue) == 1)
        try await other.script("commit")
        _ = try await workers.lookAtSyncs(most: 10)
        #expect(try await marks(queue) == 0)
        #expect(try await queue.psql("select count(*) from sheetsync.sync where change_due_at is not null") == "2")
        await other.close()
    }

    /// Writers insert while runs read: whatever was committed is in the last run, and runs are fewer than changes.
    @Test func whatIsCommittedIsInALaterRun() async throws {
        let (queue, writer) = try await watched(debounce: 0.3)
        let seen = Mutex<[Int]>([])
        let handler = ClosureHandler { _, _ in
            let count = try await queue.psql("select count(*) from app.orders")
            seen.withLock { $0.append(Int(count) ?? -1) }
            // What is committed now is not in this run.
            try await Task.sleep(for: .milliseconds(100))
            return [:]
        }
        try await queue.withWorker(["noop": handler]) { queue in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let connection = try queue.connection(as: writer)
                        for round in 0..<25 {
                            try await connection.script("insert into app.orders values (\(number * 1000 + round), 'x')")
                            try await Task.sleep(for: .milliseconds(20 + number * 7))
                        }
                        await connection.close()
                    }
                }
                try await group.waitForAll()
            }
            try await wait(
                for: "the last change to be seen", within: .seconds(30), seeing: { "\(seen.withLock(\.self))" }
            ) {
                seen.withLock { $0.last } == 100
            }
            try await wait(for: "all to be quiet", within: .seconds(30)) {
                try await queue.psql("select not is_open and change_due_at is null from sheetsync.sync") == "t"
            }
            #expect(try await marks(queue) == 0)
            let runs = seen.withLock(\.self)
            #expect(runs.count >= 2 && runs.count < 25, "\(runs)")
        }
    }

    /// A transaction that changed the table before somebody made a sync of it has noted nothing, and commits after the first run.
    @Test func aChangeFromBeforeTheSyncWasMadeIsSeen() async throws {
        let (queue, writer) = try await watched()
        _ = try await queue.psql("select sheetsync.drop_sync('a')")
        let seen = Mutex<[String]>([])
        let handler = ClosureHandler { _, _ in
            let count = try await queue.psql("select count(*) from app.orders")
            seen.withLock { $0.append(count) }
            return [:]
        }
        try await queue.withWorker(["noop": handler]) { queue in
            let early = try queue.connection(as: writer)
            try await early.script("begin; insert into app.orders values (1, 'x')")
            _ = try await queue.psql("select sheetsync.put_sync('b', 'noop', '{}', on_change => '{app.orders}')")
            try await wait(for: "a run without it", within: .seconds(30)) { seen.withLock(\.self) == ["0"] }
            try await early.script("commit")
            try await wait(for: "a run with it", within: .seconds(30), seeing: { "\(seen.withLock(\.self))" }) {
                seen.withLock(\.self) == ["0", "1"]
            }
            await early.close()
            try await wait(for: "rest", within: .seconds(30)) {
                try await queue.psql(
                    "select not is_open and fence is null and change_due_at is null from sheetsync.sync") == "t"
            }
            #expect(seen.withLock(\.self) == ["0", "1"])
        }
    }

    /// On an idle system, with the two seconds of gathering that are usual, and without notifications of the change.
    @Test func aChangeBecomesARunWithinSeconds() async throws {
        let (queue, writer) = try await watched(debounce: 2)
        let runs = Tally()
        let handler = ClosureHandler { job, _ in
            runs.add(1)
            return [:]
        }
        try await queue.withWorker(["noop": handler], change: { $0.pollInterval = .seconds(2) }) { queue in
            try await wait(for: "the first run", within: .seconds(30)) { runs[1] == 1 }
            try await wait(for: "its end to be noted", within: .seconds(30)) {
                try await queue.psql("select is_open from sheetsync.sync") == "f"
            }
            let connection = try queue.connection(as: writer)
            for id in 1...10 { try await connection.script("insert into app.orders values (\(id), 'x')") }
            await connection.close()
            let committed = ContinuousClock.now
            try await wait(for: "the next run", within: .seconds(30), every: .milliseconds(10)) { runs[1] == 2 }
            print("from the last of ten commits to the run: \((.now - committed) / .seconds(1)) s")
            try await Task.sleep(for: .seconds(3))
            #expect(runs[1] == 2, "ten changes were gathered")
        }
    }
}
