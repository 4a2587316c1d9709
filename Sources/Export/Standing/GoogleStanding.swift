import JSON
public import JobQueue
public import Postgres

/// What the workers of an installation know of Google at one moment: quotas, failing services, access tokens.
public struct GoogleStanding: Sendable {
    /// Google's quotas, as far as they are used.
    public internal(set) var quotas: [Quota] = []
    /// Services that fail, the one that failed first at first.
    public internal(set) var breakers: [OpenBreaker] = []
    /// How many seconds Google takes the access token of each account yet.
    public internal(set) var tokens: [String: Double] = [:]

    /// Makes the standing of a Google that nobody has called yet.
    public init() {}

    /// Reads the standing from the views of the queue's schema, for operators and workers.
    public static func read(_ schema: Schema, on connection: Connection) async throws(PostgresError) -> GoogleStanding {
        var standing = GoogleStanding()
        standing.quotas = try await connection.query("select * from \(identifier: schema.name).report_quota")
            .map(Quota.init)
        standing.breakers = try await connection.query("select * from \(identifier: schema.name).report_breaker")
            .map(OpenBreaker.init)
        for row in try await connection.query("select * from \(identifier: schema.name).report_token") {
            standing.tokens[try row.text("account")] = try row.optionalDouble("seconds")
        }
        return standing
    }

    /// Reads quotas and breakers with the right of a login that may enqueue.
    public static func readAsProducer(
        _ schema: Schema, on connection: Connection
    ) async throws -> GoogleStanding {
        let json = try JSON(
            parsing: try await connection.query("select \(identifier: schema.name).google_state() as state")[0]
                .text("state"))
        var standing = GoogleStanding()
        standing.quotas = (json["quotas"]?.array ?? []).compactMap { Quota($0) }
        standing.breakers = (json["breakers"]?.array ?? []).compactMap { OpenBreaker($0) }
        return standing
    }

    /// What keeps jobs waiting; of one kind of job, or of any.
    public func causes(ofKind kind: String? = nil) -> ExternalCauses {
        let needs = kind.map { Governor.needs(ofKind: $0) }
        return ExternalCauses(
            failures: breakers.filter { $0.isCurrent && needs?.services.contains($0.service) != false }
                .map { .init("breaker", $0.words) },
            limits: quotas.filter { $0.isUsedUp && needs?.quotas.contains($0.resource) != false }
                .map { .init("quota", $0.words) })
    }
}
