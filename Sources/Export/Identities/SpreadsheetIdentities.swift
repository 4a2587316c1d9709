import JSON
import JobQueue
public import Postgres
import Synchronization

/// As whom each spreadsheet was made, where an installation works as several identities; nobody else may see it.
public final class SpreadsheetIdentities: Sendable {
    /// More would be a leak: a job saves many checkpoints about one spreadsheet.
    private static let remembered = 1000

    private let connection: Connection
    private let schema: String
    private let noted = Mutex<Set<String>>([])

    /// Makes the memory of an installation, in the queue's schema.
    public init(on connection: Connection, schema: String) {
        self.connection = connection
        self.schema = schema
    }

    /// Remembers who made a spreadsheet; the first one stays.
    func note(_ spreadsheetID: String, account: String) async throws(PostgresError) {
        guard !noted.withLock({ $0.contains(spreadsheetID) }) else { return }
        try await connection.query(
            """
            insert into \(identifier: schema).spreadsheet_identity (spreadsheet_id, account)
            values (\(spreadsheetID), \(account)) on conflict (spreadsheet_id) do nothing
            """)
        noted.withLock { noted in
            if noted.count >= Self.remembered { noted = [] }
            noted.insert(spreadsheetID)
        }
    }

    /// The accounts that made the spreadsheets of some jobs' targets, as far as they are known.
    func accounts(of targets: [String]) async throws(PostgresError) -> [String: String] {
        let ids = JSON.array(targets.map { .string(Self.spreadsheetID(of: $0)) })
        let rows = try await connection.query(
            """
            select spreadsheet_id, account from \(identifier: schema).spreadsheet_identity
            where spreadsheet_id in (select jsonb_array_elements_text(\(ids.description)::jsonb))
            """)
        var accounts: [String: String] = [:]
        for row in rows { accounts["spreadsheet:\(try row.text("spreadsheet_id"))"] = try row.text("account") }
        return accounts
    }

    /// The spreadsheet's id in a target such as `spreadsheet:1BxiM…`.
    static func spreadsheetID(of target: String) -> String { String(target.drop { $0 != ":" }.dropFirst()) }
}
