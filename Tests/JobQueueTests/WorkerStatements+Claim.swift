import Postgres

@testable import JobQueue

extension WorkerStatements {
    /// Claims jobs of every kind, beginning with the first owner.
    func claim(_ slots: Int, held: [Int]? = nil) async throws(PostgresError) -> [Job] {
        try await claim(slots, rooms: ["noop": slots, "export": slots, "folder": slots], after: nil, held: held)
    }
}
