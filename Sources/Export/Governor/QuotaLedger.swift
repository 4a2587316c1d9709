import Google
public import Postgres

/// The quotas of an installation as its workers share them, in the queue's schema.
public struct QuotaLedger: Sendable {
    /// What was given of a quota.
    struct Grant: Sendable {
        /// How much.
        let amount: Int
        /// When, in seconds since 1970 by the database's clock.
        let at: Double
        /// For how long it may be used.
        let goodFor: Duration
        /// After which time there may be more; nil where all was given.
        let wait: Duration?
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

    /// Takes up to so much, after giving back what is left of an earlier grant.
    func take(
        _ wanted: Int, of quota: QuotaKind, returning rest: QuotaPool.Rest?
    ) async throws(PostgresError) -> Grant {
        let limits = settings.limits(of: quota)
        let project = limits.project.map { _ in name(of: quota, isPerUser: false) }
        let row = try await connection.query(
            """
            select * from \(identifier: schema).take_quota(
                array_remove(array[\(name(of: quota, isPerUser: true)), \(project)], null), \([limits.user] + (limits.project.map { [$0] } ?? []))::int[],
                \(settings.window / .seconds(1)), \(quota.burst)::int, \(wanted), \(quota.largestCost),
                \(rest?.amount ?? 0), \(rest?.grantedAt ?? 0))
            """)[0]
        return Grant(
            amount: try row.int("granted"), at: try row.optionalDouble("at") ?? 0,
            goodFor: .seconds(try row.optionalDouble("good_for") ?? 0),
            wait: try row.optionalDouble("wait").map { .seconds($0) })
    }

    /// Gives back what is left of a grant.
    func giveBack(_ rest: QuotaPool.Rest, of quota: QuotaKind) async throws(PostgresError) {
        let project = settings.limits(of: quota).project.map { _ in name(of: quota, isPerUser: false) }
        try await connection.query(
            """
            select \(identifier: schema).return_quota(
                array_remove(array[\(name(of: quota, isPerUser: true)), \(project)], null), \(rest.amount), \(rest.grantedAt))
            """)
    }

    /// Remembers what Google said when it refused a call because the quota was used up.
    ///
    /// - Parameter began: When Google's window began, in seconds since 1970.
    func markExhausted(
        _ quota: QuotaKind, isPerUser: Bool, allowed: Int?, began: Double?, pause: Duration
    ) async throws(PostgresError) {
        try await connection.query(
            """
            select \(identifier: schema).mark_exhausted(
                \(name(of: quota, isPerUser: isPerUser)), \(allowed), \(began), \(pause / .seconds(1)))
            """)
    }

    /// Tells people that calls of a resource wait, and why.
    func openBreaker(of resource: GoogleResource, reason: String, pause: Duration) async throws(PostgresError) {
        try await OpenBreaker.note(
            "\(resource.service)/\(account)", reason: reason, pause: pause, on: connection, schema: schema)
    }

    /// Tells people that calls of a resource go out again.
    func closeBreaker(of resource: GoogleResource) async throws(PostgresError) {
        try await OpenBreaker.forget("\(resource.service)/\(account)", on: connection, schema: schema)
    }

    private func name(of quota: QuotaKind, isPerUser: Bool) -> String {
        "\(quota.rawValue)/\(isPerUser ? "user/\(account)" : "project")"
    }
}
