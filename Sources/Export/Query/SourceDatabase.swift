public import Postgres

/// The database that queries of jobs run in, and within which limits.
public struct SourceDatabase: Sendable {
    private let shared: ConnectionConfiguration?
    private let ofProducers: [String: ConnectionConfiguration]
    let timeout: Duration
    let queueSchema: String
    let spool: SpoolSpace

    /// Describes a source.
    ///
    /// - Parameters:
    ///   - shared: The login that queries run as, which must have no rights on the queue; nil where only some producers have one.
    ///   - ofProducers: Logins for the queries of one producer alone, by the login that enqueues the jobs.
    ///   - timeout: The longest that a query may take from its start to its last row.
    ///   - queueSchema: The name of the queue's schema.
    ///   - spool: Where the rows wait.
    public init(
        _ shared: ConnectionConfiguration?, ofProducers: [String: ConnectionConfiguration] = [:],
        timeout: Duration = .seconds(300), queueSchema: String,
        spool: SpoolSpace
    ) {
        self.shared = shared
        self.ofProducers = ofProducers
        self.timeout = timeout
        self.queueSchema = queueSchema
        self.spool = spool
    }

    /// The login for queries that a producer has enqueued; nil where there is none.
    func connection(forProducer login: String) -> ConnectionConfiguration? { ofProducers[login] ?? shared }
}
