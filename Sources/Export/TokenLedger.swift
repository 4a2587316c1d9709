public import Google
public import Logging
public import Postgres

/// Tells people, in the queue's schema, until when Google takes the access token of an account.
public struct TokenLedger: Sendable {
    private let connection: Connection
    private let schema: String
    private let account: String
    private let logger: Logger

    /// Makes the ledger of one account.
    public init(on connection: Connection, schema: String, account: String, logger: Logger) {
        self.connection = connection
        self.schema = schema
        self.account = account
        self.logger = logger
    }

    /// Writes down when a token ends, and nothing else of it; the work goes on without.
    public func note(_ token: AccessToken) async {
        do throws(PostgresError) {
            try await connection.query(
                "delete from \(identifier: schema).google_token where until < now() - interval '1 day'")
            try await connection.query(
                """
                insert into \(identifier: schema).google_token (account, until)
                values (\(account), clock_timestamp() + make_interval(secs => \(token.timeLeft() / .seconds(1))))
                on conflict (account) do update set until = excluded.until
                """)
        } catch {
            logger.debug("the end of the access token was not written: \(error)")
        }
    }
}
