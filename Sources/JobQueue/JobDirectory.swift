public import JSON
public import Postgres

/// The SQL functions and the view of the queue, for people and producers: enqueue, find, list, cancel, retry.
public struct JobDirectory: Sendable {
    private let connection: Connection
    private let schema: String

    /// Makes a directory of the jobs that the connection's login may see.
    public init(_ schema: Schema, on connection: Connection) {
        self.schema = schema.name
        self.connection = connection
    }

    /// Enqueues a job and returns its number; with a key that came before, the first job's.
    public func enqueue(
        kind: String, payload: JSON, idempotencyKey: String? = nil, priority: Int = 5, owner: String = ""
    ) async throws(PostgresError) -> Int {
        try await connection.query(
            """
            select \(identifier: schema).enqueue(\(kind), \(payload.description)::jsonb, idempotency_key => \(idempotencyKey),
                priority => \(priority), owner => \(owner)) as id
            """)[0].int("id")
    }

    /// Finds a job.
    public func find(_ id: Int) async throws -> JobRecord? {
        try await connection.query(
            "select to_jsonb(j) as row from \(identifier: schema).jobs j where id = \(id)"
        ).first.map { try JobRecord($0) }
    }

    /// Lists jobs without their payloads, the newest first.
    public func list(state: String? = nil, kind: String? = nil, limit: Int = 50) async throws -> [JobRecord] {
        try await connection.query(
            """
            select to_jsonb(j) - 'payload' as row from \(identifier: schema).jobs j
            where (\(state)::text is null or state = \(state)) and (\(kind)::text is null or kind = \(kind))
            order by id desc limit \(limit)
            """
        ).map { try JobRecord($0) }
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
