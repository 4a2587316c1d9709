import Foundation
import GoogleEmulator
import JSON
import JobQueue
import Postgres
import PostgresServer
import Synchronization
import TestSupport
import Testing

/// A primary goes, and its streaming replica is promoted while jobs come and run: each job ends once, at the new server.
@Suite struct FailoverTests {
    /// How the daemon finds its server, and what becomes of the old one.
    enum Failover: String, CaseIterable {
        /// One name, which leads to the old server for some seconds more; that one only reads.
        case staleNameAndDemotion
        /// One name; the old server is gone, and the name leads to the replica some seconds before that is promoted.
        case staleNameAndCrash
        /// Both servers stand in the URL; the old one only reads.
        case bothHostsAndDemotion
    }

    @Test(.timeLimit(.minutes(5)), arguments: Failover.allCases)
    func eachJobEndsOnceAndTheConnectionsAgree(on failover: Failover) async throws {
        let log = Log(failover.rawValue)
        try await Stage.with { stage in
            try await PostgresServer.run(overTCP: true) { old in
                let primary = Connection(try ConnectionConfiguration(url: old.url()), label: "test")
                _ = try await Schema.sheetsync.migrate(on: primary)
                try await primary.script(
                    """
                    create role daemon login; grant sheetsync_worker to daemon;
                    create role api login; grant sheetsync_producer to api
                    """)
                try await PostgresServer.run(overTCP: true, following: old) { new in
                    let replica = Connection(try ConnectionConfiguration(url: new.url()), label: "test")
                    try await primary.query("alter system set synchronous_standby_names = '*'")
                    try await primary.query("select pg_reload_conf()")
                    try await wait(for: "the replica to be synchronous") {
                        try await primary.query("select from pg_stat_replication where sync_state = 'sync'").count == 1
                    }
                    try await Relay.with(.postgres, to: old.port) { name in
                        let place =
                            failover == .bothHostsAndDemotion
                            ? "127.0.0.1:\(old.port),127.0.0.1:\(new.port)" : "127.0.0.1:\(name.port)"
                        let daemon = stage.daemon.with(["DATABASE_URL": "postgresql://daemon@\(place)/postgres"])
                        try await daemon.withDaemon { running in
                            let producer = Producer(
                                try ConnectionConfiguration(url: "postgresql://api@\(place)/postgres"))
                            async let names = producer.run()
                            func ended(_ server: Connection) async throws -> Int {
                                try await server.query("select count(*) as n from sheetsync.outcome")[0].int("n")
                            }
                            try await wait(for: "the first jobs to end", seeing: { running.errors }) {
                                try await ended(primary) >= 20
                            }
                            log("\(try await ended(primary)) jobs have ended at the primary, more come")
                            switch failover {
                            case .staleNameAndDemotion, .bothHostsAndDemotion:
                                try await primary.query("alter system set default_transaction_read_only = on")
                                try await primary.query("select pg_reload_conf()")
                                try await Task.sleep(for: .seconds(1))
                                let last = try await primary.query("select pg_current_wal_lsn()::text as at")[0].text(
                                    "at")
                                log("the primary only reads")
                                try await wait(for: "the replica to have it all") {
                                    try await replica.query("select pg_last_wal_replay_lsn() >= \(last)::pg_lsn as b")[
                                        0
                                    ]
                                    .bool("b")
                                }
                                try await Task.sleep(for: .seconds(2))
                                try await new.promote()
                                log("the replica is promoted")
                                if failover == .staleNameAndDemotion {
                                    try await Task.sleep(for: .seconds(3))
                                    name.lead(to: new.port)
                                    log("the name leads to the new primary")
                                }
                            case .staleNameAndCrash:
                                try await old.stop(immediate: true)
                                log("the primary is gone")
                                try await Task.sleep(for: .seconds(1))
                                name.lead(to: new.port)
                                log("the name leads to the replica, which only reads")
                                try await Task.sleep(for: .seconds(3))
                                try await new.promote()
                                log("the replica is promoted")
                            }
                            let before = try await ended(replica)
                            let promoted = ContinuousClock.now
                            try await wait(for: "a job to end there", within: .seconds(60), seeing: { running.errors })
                            {
                                try await ended(replica) > before
                            }
                            log("work goes on, \((ContinuousClock.now - promoted).inSeconds) s later")
                            try await wait(for: "more jobs to end there", seeing: { running.errors }) {
                                try await ended(replica) >= before + 20
                            }
                            producer.stop()
                            let all = await names
                            try await wait(
                                for: "all \(all.count) jobs to end", within: .seconds(90), seeing: { running.errors }
                            ) { try await ended(replica) >= all.count }
                            let left = try await replica.query(
                                """
                                select (select count(*) from sheetsync.ready) + (select count(*) from sheetsync.lease) as open,
                                    (select count(*) from sheetsync.outcome where state = 'completed') as completed,
                                    (select count(*) from sheetsync.outcome where attempt > 1) as repeated
                                """)[0]
                            let made = stage.spreadsheets
                            log(
                                """
                                of \(all.count) jobs \(try left.int("completed")) are completed, \(try left.int("open")) open, \
                                \(try left.int("repeated")) took another attempt; lost \(all.subtracting(made).count), \
                                twice \(made.count - Set(made).count)
                                """)
                            #expect(try left.int("completed") == all.count && left.int("open") == 0)
                            #expect(made.sorted() == all.sorted(), "lost 0, duplicated 0")
                            // What is notified reaches the daemon again, and no connection is left behind.
                            func connections(_ server: Connection) async throws -> [String] {
                                try await server.query(
                                    """
                                    select application_name as label from pg_stat_activity where usename = 'daemon'
                                    order by application_name
                                    """
                                ).map { row throws(PostgresError) in try row.text("label") }
                            }
                            try await wait(for: "all connections to be at the new primary", within: .seconds(30)) {
                                try await connections(replica)
                                    == [
                                        "sheetsync claims", "sheetsync completions", "sheetsync control",
                                        "sheetsync listener",
                                    ]
                            }
                            if failover != .staleNameAndCrash {
                                #expect(try await connections(primary) == [])
                            }
                            log("all four connections are at the new primary")
                        }
                    }
                }
            }
        }
    }
}

/// Says what happens and when, for whoever reads the test's output.
private final class Log: Sendable {
    private let title: String
    private let start = ContinuousClock.now

    init(_ title: String) { self.title = title }

    func callAsFunction(_ words: String) {
        print("failover \(title), \((ContinuousClock.now - start).inSeconds) s: \(words)")
    }
}

extension Duration {
    /// Seconds with one digit behind the point.
    fileprivate var inSeconds: String {
        let tenths = Int(self / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10)"
    }
}

/// An API server that goes on enqueueing, and repeats with the same key what was not answered.
private final class Producer: Sendable {
    private let connection: Connection
    private let isOver = Mutex(false)

    init(_ configuration: ConnectionConfiguration) {
        connection = Connection(configuration, label: "api", statementTimeout: .seconds(5))
    }

    func stop() { isOver.withLock { $0 = true } }

    /// The titles of what was enqueued.
    func run() async -> Set<String> {
        var titles: Set<String> = []
        while !isOver.withLock({ $0 }), !Task.isCancelled {
            let title = "Export \(titles.count + 1)"
            let payload = export(title).description
            let answer = try? await connection.query(
                "select sheetsync.enqueue('export', \(payload)::jsonb, idempotency_key => \(title)) as id")
            if answer != nil { titles.insert(title) }
            try? await Task.sleep(for: .milliseconds(50))
        }
        await connection.close()
        return titles
    }
}
