public import Postgres

/// The database that queries of jobs run in, and within which limits.
public struct SourceDatabase: Sendable {
    let connection: ConnectionConfiguration
    let timeout: Duration
    let queueSchema: String
    let spool: SpoolSpace

    /// Describes a source.
    ///
    /// - Parameters:
    ///   - connection: The login that queries run as, which must have no rights on the queue.
    ///   - timeout: The longest that a query may take from its start to its last row.
    ///   - queueSchema: The name of the queue's schema.
    ///   - spool: Where the rows wait.
    public init(
        _ connection: ConnectionConfiguration, timeout: Duration = .seconds(300), queueSchema: String,
        spool: SpoolSpace
    ) {
        self.connection = connection
        self.timeout = timeout
        self.queueSchema = queueSchema
        self.spool = spool
    }
}
