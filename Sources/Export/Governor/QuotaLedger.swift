import Google
public import Postgres

/// The quotas of an installation as its workers share them, in the queue's schema.
public struct QuotaLedger: Sendable {
    /// What was given of a quota.
    struct Grant: Sendable {
        /// Its number; nil where nothing was given.
        let number: Int?
        /// How many calls may go out.
        let amount: Int
        /// After which time something may be free, where nothing was given.
        let wait: Duration
    }

    private let connection: Connection
    private let schema: String
    private let account: String
    private let settings: QuotaSettings

    /// Makes the ledger of one account.
    public init(on connection: Connection, schema: String, account: String, settings: QuotaSettings) {
        self.connection = connection
        self.schema = schema
        self.account = account
        self.settings = settings
    }

    /// Takes up to so many calls, after giving back what is left of an earlier grant.
    func take(
        _ wanted: Int, of resource: GoogleResource, returning unused: (grant: Int, amount: Int)?
    ) async throws(PostgresError) -> Grant {
        let limits =
            resource == .sheetsWrite
            ? [settings.sheetsWritesPerUser, settings.sheetsWritesPerProject]
            : [settings.sheetsReadsPerUser, settings.sheetsReadsPerProject]
        let row = try await connection.query(
            """
            select * from \(identifier: schema).take_quota(
                array[\(name(of: resource, isPerUser: true)), \(name(of: resource, isPerUser: false))],
                \(limits)::int[], \(wanted), \((settings.window + settings.slack) / .seconds(1)), \(unused?.grant),
                \(unused?.amount ?? 0))
            """)[0]
        return Grant(
            number: try row.optionalInt("grant_no"), amount: try row.int("granted"),
            wait: .seconds(try row.optionalDouble("wait") ?? 0))
    }

    /// Gives back what is left of a grant.
    func giveBack(_ amount: Int, of grant: Int) async throws(PostgresError) {
        try await connection.query("select \(identifier: schema).return_quota(\(grant), \(amount))")
    }

    /// Remembers what Google named when it refused a call.
    func close(_ resource: GoogleResource, isPerUser: Bool, allowed: Int?, pause: Duration) async throws(PostgresError)
    {
        try await connection.query(
            """
            select \(identifier: schema).close_quota(
                \(name(of: resource, isPerUser: isPerUser)), \(allowed), \(pause / .seconds(1)))
            """)
    }

    /// Tells people that calls of a resource wait, and why.
    func open(_ resource: GoogleResource, reason: String, pause: Duration) async throws(PostgresError) {
        try await connection.query(
            """
            select \(identifier: schema).open_breaker(
                \("\(resource.service)/\(account)"), \(reason), \(pause / .seconds(1)))
            """)
    }

    /// Tells people that calls of a resource go out again.
    func close(_ resource: GoogleResource) async throws(PostgresError) {
        try await connection.query(
            "select \(identifier: schema).close_breaker(\("\(resource.service)/\(account)"))")
    }

    private func name(of resource: GoogleResource, isPerUser: Bool) -> String {
        "\(resource.rawValue)/\(isPerUser ? "user/\(account)" : "project")"
    }
}
