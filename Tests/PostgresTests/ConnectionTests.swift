import Glibc
import Postgres
import PostgresServer
import TestSupport
import Testing

@Suite struct ConnectionTests {
    private static func connection(timeout: Duration = .seconds(15)) async throws -> Connection {
        let server = try await SharedPostgres.server()
        return Connection(try ConnectionConfiguration(url: server.url()), label: "test", statementTimeout: timeout)
    }

    @Test func sendsValuesBesideTheText() async throws {
        let connection = try await Self.connection()
        let hostile = "'; drop table x; -- \u{1F600} \\ \""
        let none: String? = nil
        let row = try await connection.query(
            "select \(hostile)::text as t, \(42)::int as i, \(none)::text as n, \(true)::bool as b, \([1, 2])::int[] as a"
        )[0]
        #expect(try row.text("t") == hostile)
        #expect(try row.int("i") == 42)
        #expect(try row.optionalText("n") == nil)
        #expect(try row.bool("b"))
        #expect(try row.text("a") == "{1,2}")
        #expect(throws: PostgresError.self) { try row.int("t") }
        #expect(throws: PostgresError.self) { try row.text("missing") }
    }

    @Test func tellsWhatTheServerRefused() async throws {
        let connection = try await Self.connection()
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1/0") }
        #expect(error?.code == .server)
        #expect(error?.sqlState == "22012")
        #expect(error?.isTransient == false)
        #expect(try await connection.query("select 1 as one")[0].int("one") == 1)
    }

    @Test func rollsBackWhenTheBodyThrows() async throws {
        let connection = try await Self.connection()
        try await connection.query("create temporary table t(x int)")
        await #expect(throws: PostgresError.self) {
            try await connection.transaction { db throws(PostgresError) in
                try db.query("insert into t values (1)")
                try db.query("select nonsense")
            }
        }
        #expect(try await connection.query("select count(*) as n from t")[0].int("n") == 0)
        try await connection.transaction { db throws(PostgresError) in _ = try db.query("insert into t values (1)") }
        #expect(try await connection.query("select count(*) as n from t")[0].int("n") == 1)
    }

    @Test func aTransactionNeverGoesOnOnAnotherConnection() async throws {
        let connection = try await Self.connection()
        let error = await #expect(throws: PostgresError.self) {
            try await connection.transaction { db throws(PostgresError) in
                _ = try? db.query("select pg_terminate_backend(pg_backend_pid(), 5000)")
                try db.query("create table public.outside_of_its_transaction(x int)")
            }
        }
        #expect(error?.code == .connectionLost)
        #expect(
            try await connection.query("select to_regclass('public.outside_of_its_transaction') is null as b")[0].bool(
                "b"))
    }

    @Test func repeatsADeadlockOnceAndNotInATransaction() async throws {
        let connection = try await Self.connection()
        try await connection.script(
            """
            create temporary sequence tries;
            create function pg_temp.fails(times int) returns bigint language plpgsql as $$
            begin
                if nextval('tries') <= times then raise exception 'deadlock' using errcode = '40P01'; end if;
                return currval('tries');
            end $$
            """)
        #expect(try await connection.query("select pg_temp.fails(1) as n")[0].int("n") == 2)
        try await connection.query("alter sequence tries restart")
        let twice = await #expect(throws: PostgresError.self) { try await connection.query("select pg_temp.fails(2)") }
        #expect(twice?.sqlState == "40P01")
        try await connection.query("alter sequence tries restart")
        let inside = await #expect(throws: PostgresError.self) {
            try await connection.transaction { db throws(PostgresError) in _ = try db.query("select pg_temp.fails(1)") }
        }
        #expect(inside?.sqlState == "40P01")
    }

    @Test func aServerThatDoesNotReadHoldsNobodyForEver() async throws {
        let connection = try await Self.connection(timeout: .milliseconds(200))
        let process = try await connection.query("select pg_backend_pid() as pid")[0].int("pid")
        #expect(kill(pid_t(process), SIGSTOP) == 0)
        defer { kill(pid_t(process), SIGCONT) }
        let large = String(repeating: "x", count: 30_000_000)
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select length(\(large))") }
        #expect(error?.code == .timedOut)
        #expect(try await connection.query("select 1 as one")[0].int("one") == 1)
    }

    @Test func aLimitBelowASecondIsOne() async throws {
        let connection = try await Self.connection(timeout: .milliseconds(200))
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select pg_sleep(4)") }
        #expect(error?.sqlState == "57014")
    }

    @Test func endsAStatementThatTakesTooLong() async throws {
        let connection = try await Self.connection(timeout: .seconds(1))
        let error = await #expect(throws: PostgresError.self) { try await connection.query("select pg_sleep(30)") }
        #expect(error?.code == .timedOut)
        #expect(error?.isTransient == true)
        #expect(try await connection.query("select 1 as one")[0].int("one") == 1)
    }

    @Test func saysTheConnectionBrokeAndOpensAnother() async throws {
        let victim = try await Self.connection()
        let killer = try await Self.connection()
        let process = try await victim.query("select pg_backend_pid() as pid")[0].int("pid")
        async let running = victim.query("select pg_sleep(30)")
        try await wait(for: "the statement to run") {
            try await killer.query("select 1 from pg_stat_activity where pid = \(process) and query like '%pg_sleep%'")
                .count == 1
        }
        try await killer.query("select pg_terminate_backend(\(process))")
        do {
            _ = try await running
            Issue.record("the statement outlived its connection")
        } catch let error as PostgresError {
            #expect(error.code == .connectionLost)
        }
        #expect(try await victim.query("select pg_backend_pid() as pid")[0].int("pid") != process)
    }

    @Test func noticesAnIdleConnectionThatTheServerClosed() async throws {
        let victim = try await Self.connection()
        let killer = try await Self.connection()
        let process = try await victim.query("select pg_backend_pid() as pid")[0].int("pid")
        // With a time to wait: the backend is off the list of activities before its end of the connection is closed.
        try await killer.query("select pg_terminate_backend(\(process), 5000)")
        #expect(try await victim.query("select 1 as one")[0].int("one") == 1)
    }

    @Test func doesNotHoldTheCooperativePool() async throws {
        let connections = try await withThrowingTaskGroup(of: Connection.self) { group in
            for _ in 0..<16 { group.addTask { try await Self.connection() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let watcher = try await Self.connection()
        try await watcher.query("select pg_advisory_lock(4711)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for connection in connections {
                group.addTask { _ = try await connection.query("select pg_advisory_lock_shared(4711)") }
            }
            // All sixteen wait at once and this goes on: more than the pool has threads.
            try await wait(for: "sixteen statements to wait") {
                try await watcher.query(
                    "select count(*) as n from pg_locks where locktype = 'advisory' and objid = 4711 and not granted"
                )[0].int("n") == 16
            }
            try await watcher.query("select pg_advisory_unlock(4711)")
            try await group.waitForAll()
        }
    }

    /// A name leads to another server, and one connection after the other comes there; the ones that are well follow.
    @Test func theConnectionsOfOneConfigurationAgreeOnOneServer() async throws {
        try await PostgresServer.run(overTCP: true) { old in
            let admin = Connection(try ConnectionConfiguration(url: old.url()), label: "test")
            try await admin.script("create role guest login")
            try await PostgresServer.run(overTCP: true, following: old) { new in
                try await new.promote()
                try await Relay.with(.postgres, to: old.port) { name in
                    let configuration = try ConnectionConfiguration(
                        url: "postgresql://guest@127.0.0.1:\(name.port)/postgres")
                    func server(of connection: Connection) async throws -> Int {
                        try await connection.query("select current_setting('port')::int as port")[0].int("port")
                    }
                    let first = Connection(configuration, label: "first")
                    let second = Connection(configuration, label: "second")
                    let third = Connection(configuration, label: "third")
                    let heard = Heard()
                    let listening = Task {
                        let listener = NotificationListener(
                            on: third, channels: ["news"], retryInterval: .milliseconds(50),
                            checkInterval: .milliseconds(100))
                        await listener.run { event in
                            switch event {
                            case .listening: heard.add("listening")
                            case .notification(let notification): heard.add(notification.payload)
                            case .lost(let error): heard.add("lost: \(error.message)")
                            }
                        }
                    }
                    try await wait(for: "the listener", within: .seconds(30), seeing: { "\(heard.all)" }) {
                        heard.all == ["listening"]
                    }
                    #expect(try await server(of: first) == old.port)
                    #expect(try await server(of: second) == old.port)
                    name.lead(to: new.port)
                    #expect(try await server(of: second) == old.port, "nothing has happened to it")
                    await first.close()
                    #expect(try await server(of: first) == new.port)
                    // It has just been opened, and tries to move once a second.
                    try await wait(for: "the second one to follow") { try await server(of: second) == new.port }
                    try await wait(for: "the listener to follow", seeing: { "\(heard.all)" }) {
                        heard.all.last == "listening" && heard.all.count > 2
                    }
                    try await first.query("select pg_notify('news', 'from the new server')")
                    try await wait(for: "the news", seeing: { "\(heard.all)" }) {
                        heard.all.last == "from the new server"
                    }
                    // None goes in the middle of a transaction.
                    name.lead(to: old.port)
                    try await Task.sleep(for: .seconds(1))
                    await first.close()
                    try await second.transaction { db throws(PostgresError) in
                        try db.query("create temporary table kept on commit drop as select 1 as one")
                        _ = try db.query("select one from kept")
                    }
                    listening.cancel()
                    await listening.value
                }
            }
        }
    }

    @Test func hearsNotificationsAndListensAgainAfterALoss() async throws {
        let server = try await SharedPostgres.server()
        let other = try await Self.connection()
        let listener = NotificationListener(
            try ConnectionConfiguration(url: server.url()), channels: ["Odd \"name"], retryInterval: .milliseconds(50))
        let heard = Heard()
        let task = Task {
            await listener.run { event in
                switch event {
                case .listening: heard.add("listening")
                case .notification(let notification): heard.add(notification.payload)
                case .lost: heard.add("lost")
                }
            }
        }
        func expect(_ expected: [String]) async throws {
            try await wait(for: "\(expected)", seeing: { "\(heard.all)" }) {
                heard.all == expected
            }
        }
        try await expect(["listening"])
        try await other.query("select pg_notify('Odd \"name', 'one')")
        try await expect(["listening", "one"])
        try await other.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'sheetsync listener'")
        try await expect(["listening", "one", "lost", "listening"])
        try await other.query("select pg_notify('Odd \"name', 'two')")
        try await expect(["listening", "one", "lost", "listening", "two"])
        task.cancel()
        await task.value
    }
}
