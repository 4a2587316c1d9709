import JSON
import Postgres

/// A service of Google's that fails, or an identity that it refuses, as a worker found out.
public struct OpenBreaker: Sendable, Equatable {
    /// The service and the account, such as `sheets/exports@project.iam.gserviceaccount.com`.
    public let name: String
    /// What Google said and what to do.
    public let reason: String
    /// Since when, such as `2026-05-02 08:00 UTC`.
    public let since: String
    /// Seconds until it is tried again; negative where the next job will.
    public let retryIn: Double

    /// The service: `identity`, `drive` or `sheets`; `key` where a key file cannot be used.
    public var service: String { String(name.prefix { $0 != "/" }) }
    /// The account that is concerned.
    public var account: String { String(name.dropFirst(service.count + 1)) }

    /// Whether it is recent; an old one belongs to an account that no worker uses any more, or nothing was tried since.
    public var isCurrent: Bool { retryIn > -600 }

    /// Who does not do what, since when and why, and when it is tried again.
    public var words: String {
        if service == "key" { return "a key is left out since \(since): \(reason)" }
        let what: String =
            switch service {
            case "identity": "Google gives no access token to \(account)"
            case "drive": "Google Drive fails for \(account)"
            case "sheets": "Google Sheets fails for \(account)"
            default: "\(name) fails"
            }
        let next = retryIn > 0 ? "next try in \(Int(retryIn.rounded(.up))) s" : "the next job tries it again"
        return "\(what) since \(since) (\(next)): \(reason)"
    }
}

extension OpenBreaker {
    init(_ row: Row) throws(PostgresError) {
        name = try row.text("name")
        reason = try row.text("reason")
        since = try row.text("since")
        retryIn = try row.optionalDouble("retry_in") ?? 0
    }

    init?(_ json: JSON) {
        guard let name = json["name"]?.string, let reason = json["reason"]?.string, let since = json["since"]?.string
        else { return nil }
        self.name = name
        self.reason = reason
        self.since = since
        retryIn = json["retry_in"]?.double ?? 0
    }
}

extension OpenBreaker {
    /// Tells people that calls are blocked for some time, and why.
    static func note(
        _ name: String, reason: String, pause: Duration, on connection: Connection, schema: String
    ) async throws(PostgresError) {
        try await connection.query(
            """
            insert into \(identifier: schema).google_breaker (name, reason, until)
            values (\(name), \(storable: reason), clock_timestamp() + make_interval(secs => \(pause / .seconds(1))))
            on conflict (name) do update set reason = excluded.reason, until = excluded.until
            """)
    }

    /// Tells people that calls go out again.
    static func forget(_ name: String, on connection: Connection, schema: String) async throws(PostgresError) {
        try await connection.query("delete from \(identifier: schema).google_breaker where name = \(name)")
    }
}
