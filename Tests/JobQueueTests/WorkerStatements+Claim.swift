import Postgres

@testable import JobQueue

extension WorkerStatements {
    /// All over one connection.
    init(on connection: Connection) {
        self.init(schema: "sheetsync", claims: connection, completions: connection, control: connection)
    }

    /// Claims jobs of every kind.
    func claim(_ slots: Int, served: ServedLanes = ServedLanes()) async throws(PostgresError) -> [Job] {
        try await claim(
            slots, limits: ["noop": slots, "write": slots, "paint": slots, "make": slots], served: served)
    }
}
