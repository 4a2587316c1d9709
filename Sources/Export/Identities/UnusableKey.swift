public import Postgres

/// A key among several that cannot be used, as people read of it in the queue's schema.
public struct UnusableKey: Sendable, Equatable {
    /// The path of its file.
    public let path: String
    /// What is wrong with it and what to do.
    public let reason: String

    /// Makes the note of a key.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    /// Says for some time that work goes on without the key.
    public func note(
        for pause: Duration, on connection: Connection, schema: String
    ) async throws(PostgresError) {
        try await OpenBreaker.note("key/\(path)", reason: reason, pause: pause, on: connection, schema: schema)
    }

    /// Takes back what was said.
    public func forget(on connection: Connection, schema: String) async throws(PostgresError) {
        try await OpenBreaker.forget("key/\(path)", on: connection, schema: schema)
    }
}
