public import JSON
public import Postgres

/// The SQL functions and the view of the queue, for people and producers: enqueue, find, list, cancel, retry.
public struct QueueClient: Sendable {
    let connection: Connection
    let schema: String

    /// Makes a directory of the jobs that the connection's login may see.
    public init(_ schema: Schema, on connection: Connection) {
        self.schema = schema.name
        self.connection = connection
    }

    /// Enqueues a job and returns its number; with a key that came before, the first job's.
    public func enqueue(
        kind: String, payload: JSON, idempotencyKey: String? = nil, priority: Int = 5, owner: String = "",
        maxAttempts: Int = 10
    ) async throws(PostgresError) -> Int {
        try await connection.query(
            """
            select \(identifier: schema).enqueue(\(kind), \(payload.description)::jsonb, idempotency_key => \(idempotencyKey),
                priority => \(priority), owner => \(owner), max_attempts => \(maxAttempts)) as id
            """)[0].int("id")
    }

    /// Finds a job, without its payload.
    public func find(_ id: Int) async throws -> JobRecord? {
        try await connection.query(
            "select to_jsonb(j) - 'payload' as row from \(identifier: schema).jobs j where id = \(id)"
        ).first.map { try JobRecord($0) }
    }

    /// A job with its payload as JSON text; not parsed, because a payload may be nested deeper than this program reads.
    public func text(of id: Int) async throws(PostgresError) -> String? {
        try await connection.query(
            "select to_jsonb(j)::text as row from \(identifier: schema).jobs j where id = \(id)"
        ).first?.text("row")
    }

    /// Lists jobs without their payloads, the newest first.
    public func list(_ filter: JobFilter = JobFilter(), limit: Int = 50) async throws -> [JobRecord] {
        try await connection.query(
            """
            select to_jsonb(j) - 'payload' as row from \(identifier: schema).jobs j
            where (\(filter.state)::text is null or state = \(filter.state))
              and (\(filter.kind)::text is null or kind = \(filter.kind))
              and (\(filter.owner)::text is null or owner = \(filter.owner))
              and (\(filter.code)::text is null or errors -> -1 ->> 'code' = \(filter.code))
              and (\(filter.seconds)::float8 is null
                   or coalesce(finalized_at, created_at) >= now() - make_interval(secs => \(filter.seconds)))
            order by id desc limit \(limit)
            """
        ).map { try JobRecord($0) }
    }

    /// How many discarded jobs failed last with a code.
    public func countDiscarded(code: String, seconds: Double? = nil) async throws(PostgresError) -> Int {
        try await connection.query(
            "select count(*) as jobs from (\(discarded: code, within: seconds, in: schema)) x")[0].int("jobs")
    }

    /// Makes all discarded jobs that failed last with a code available again; returns how many there were.
    public func retryDiscarded(code: String, seconds: Double? = nil) async throws(PostgresError) -> Int {
        try await connection.query(
            """
            select count(*) filter (where \(identifier: schema).retry(x.id)) as jobs
            from (\(discarded: code, within: seconds, in: schema)) x
            """)[0].int("jobs")
    }

    /// Cancels a job; false where none of that number waits or runs.
    public func cancel(_ id: Int) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).cancel(\(id)) as done")[0].bool("done")
    }

    /// Stops the claiming of one kind of job, or of every kind; false where it was stopped already.
    public func pause(_ kind: String?) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).pause_queue(\(kind)) as done")[0].bool("done")
    }

    /// Lifts the pause of one kind of job, or every pause; false where there was none.
    public func resume(_ kind: String?) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).resume_queue(\(kind)) as done")[0].bool("done")
    }

    /// Makes a discarded or cancelled job available again; false where there is none of that number.
    public func retry(_ id: Int) async throws(PostgresError) -> Bool {
        try await connection.query("select \(identifier: schema).retry(\(id)) as done")[0].bool("done")
    }
}

extension Query.StringInterpolation {
    /// The numbers of the discarded jobs whose last error has a code; kept apart, so that a retry does not change what is
    /// being read.
    fileprivate mutating func appendInterpolation(discarded code: String, within seconds: Double?, in schema: String) {
        appendLiteral("select id from ")
        appendInterpolation(identifier: schema)
        appendLiteral(".jobs where state = 'discarded' and errors -> -1 ->> 'code' = ")
        appendInterpolation(code)
        if let seconds {
            appendLiteral(" and finalized_at >= now() - make_interval(secs => ")
            appendInterpolation(seconds)
            appendLiteral("::float8)")
        }
        appendLiteral(" order by id offset 0")
    }
}
