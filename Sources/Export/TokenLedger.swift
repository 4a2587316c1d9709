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
                "select \(identifier: schema).note_token(\(account), \(token.timeLeft() / .seconds(1)))")
        } catch {
            logger.debug("the end of the access token was not written: \(error)")
        }
    }
}
