import Postgres

@testable import JobQueue

extension WorkerStatements {
    /// All over one connection.
    init(on connection: Connection) {
        self.init(schema: "sheetsync", claims: connection, endings: connection, control: connection)
    }

    /// Claims jobs of every kind, beginning with the first one.
    func claim(_ slots: Int, held: [Int]? = nil) async throws(PostgresError) -> [Job] {
        try await claim(
            slots, rooms: ["noop": slots, "export": slots, "folder": slots], after: nil, held: held,
            lookingBack: true)
    }

    func reclaim(silentFor limit: Duration) async throws(PostgresError) -> [Int: String] {
        try await reclaim(silentFor: limit, lookingBack: true)
    }
}
