import Postgres

/// Whose snapshot is the oldest: it keeps the rows of ended jobs from being removed.
public struct SnapshotHolder: Sendable, Equatable {
    /// What holds it.
    public enum Kind: String, Sendable {
        /// A session with an open transaction.
        case session
        /// A transaction that was prepared and neither committed nor rolled back.
        case prepared
        /// A replication slot whose standby has one, or is away.
        case slot
    }

    /// What holds it.
    public var kind = Kind.session
    /// The server process of a session.
    public let pid: Int?
    /// What the session calls itself, or the name of the prepared transaction or slot.
    public let name: String
    /// Its login; empty for a slot.
    public let login: String
    /// How many transactions began since.
    public let age: Int
    /// Seconds since its transaction began; nil where this login may not know.
    public let seconds: Double?

    /// Whether that is long enough to slow down the claims.
    public var isLong: Bool { age >= 100_000 || (seconds ?? 0) >= 3600 }

    /// Who it is, such as `process 77 (psql, login anna)`.
    public var holder: String {
        switch kind {
        case .session: "process \(pid ?? 0) (\(name), login \(login))"
        case .prepared: "the prepared transaction \(name) (login \(login))"
        case .slot: "the replication slot \(name)"
        }
    }

    /// That it slows down the queue, and how to end it.
    public var words: String {
        let time = seconds.map { ", \(Int($0 / 60)) min" } ?? ""
        let literal = "'\(name.replacing("'", with: "''"))'"
        return switch kind {
        case .session:
            "an open transaction slows down the queue: \(holder) holds its snapshot for \(age) transactions\(time); end it "
                + "there, or by `select pg_terminate_backend(\(pid ?? 0))`"
        case .prepared:
            "an open transaction slows down the queue: \(holder) holds its snapshot for \(age) transactions\(time); end it by "
                + "`commit prepared \(literal)` or `rollback prepared \(literal)`"
        case .slot:
            "an old snapshot slows down the queue: \(holder) keeps it for \(age) transactions; end the "
                + "long query on its standby, bring that back, or `select pg_drop_replication_slot(\(literal))`"
        }
    }
}

extension SnapshotHolder {
    /// Takes the holder from a row; nil where it has none.
    init?(_ row: Row) throws(PostgresError) {
        guard let kind = try row.optionalText("holder").flatMap({ Kind(rawValue: $0) }) else { return nil }
        self.kind = kind
        pid = try row.optionalInt("pid")
        name = try row.optionalText("name") ?? ""
        login = try row.optionalText("login") ?? ""
        age = try row.optionalInt("age") ?? 0
        seconds = try row.optionalDouble("seconds")
    }
}
