import Export
import Foundation
import JSON
import JobQueue
import Postgres
import PostgresServer
import TestSupport

/// An export stage whose queries run in the queue's own database, as a login that may read the schema `app` and no more.
///
/// In one database with the queue, so that an escape would have something to reach.
struct SourceStage {
    let stage: ExportStage
    let spool: SpoolSpace
    let login: String

    static func with(
        timeout: Duration = .seconds(60), spoolLimit: Int = 1 << 30, batchBytes: Int = 8_000_000, sql: String = "",
        _ body: (SourceStage) async throws -> Void
    ) async throws {
        let spool = SpoolSpace(directory: NSTemporaryDirectory(), limit: spoolLimit)
        var login = ""
        try await ExportStage.with(
            batchBytes: batchBytes,
            source: { queue in
                login = "source_of_\(queue.database)"
                _ = try await queue.psql(
                    """
                    create role \(login) login; create schema app; grant usage on schema app to \(login);
                    alter default privileges in schema app grant select on tables to \(login);
                    \(sql.replacing("LOGIN", with: login))
                    """)
                return SourceDatabase(
                    try Self.configuration(queue, login), timeout: timeout, queueSchema: "sheetsync", spool: spool)
            }
        ) { stage in
            try await stage.work { _ in try await body(SourceStage(stage: stage, spool: spool, login: login)) }
        }
    }

    static func configuration(_ queue: TestQueue, _ login: String) throws -> ConnectionConfiguration {
        try ConnectionConfiguration(url: queue.server.url(database: queue.database, user: login))
    }

    /// Exports what a query gives into a new spreadsheet; returns the job when it has ended.
    func export(_ query: String, _ more: JSON = [:]) async throws -> JobRecord {
        try await stage.ended(try await enqueue(query, more))
    }

    func enqueue(_ query: String, _ more: JSON = [:]) async throws -> Int {
        var payload = JSONObject([.init(name: "title", value: "Q"), .init(name: "query", value: .string(query))])
        for member in more.object ?? JSONObject() { payload[member.name] = member.value }
        return try await stage.queue.jobs.enqueue(kind: "export", payload: .object(payload))
    }

    /// What stands in the first sheet, with the header.
    func values(_ job: JobRecord) -> JSON? { stage.spreadsheet(job)?["sheets"]?[0]?["values"] }

    /// Whether the source's login has a session, as the server sees it.
    func isConnected() async throws -> Bool {
        try await stage.queue.psql("select count(*) from pg_stat_activity where usename = '\(login)'") != "0"
    }
}
