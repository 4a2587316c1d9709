public import Postgres

/// Why nothing moves, where the queue's own tables do not say it.
public enum Standstill: Sendable, Equatable {
    /// The database takes no writes, so that no job can begin or end.
    case noWrites(String)
    /// The last daemon that was started could not begin, for want of right settings.
    case failedStart(machine: String, at: String, error: String)
    /// No worker is alive, and nobody knows why.
    case unexplained

    /// Looks for the reason; nil where workers are alive and the database takes writes.
    ///
    /// - Parameter isDeserted: Whether no worker is alive.
    public static func look(isDeserted: Bool, _ schema: Schema, on connection: Connection) async -> Standstill? {
        if let refusal = await connection.writeTrial() { return .noWrites(refusal.description) }
        guard isDeserted else { return nil }
        do throws(PostgresError) {
            guard
                let row = try await connection.query(
                    "select machine, at, error from \(identifier: schema.name).last_failed_start()"
                ).first
            else { return .unexplained }
            return .failedStart(
                machine: try row.text("machine"), at: try row.text("at"), error: try row.text("error"))
        } catch { return .unexplained }
    }

    /// That the database takes no writes and what to do, where that is so.
    var obstacle: String? {
        guard case .noWrites(let error) = self else { return nil }
        return "the database takes no writes (\(error)): make room on its disk, and the workers go on by themselves"
    }

    /// What is behind "no worker is alive: ".
    var words: String {
        switch self {
        case .noWrites: obstacle ?? ""
        case .failedStart(let machine, let time, let error):
            "`sheetsync run` could not start on \(machine) at \(time): \(error)"
        case .unexplained: "start `sheetsync run`; where it ends again, `sheetsync doctor` says why"
        }
    }
}

extension QueueReport {
    /// Whether no worker shows a sign of life.
    public func isDeserted(silenceLimit: Double) -> Bool { workers.allSatisfy { $0.silence > silenceLimit } }

    /// Whether something may be wrong that is not in the queue's tables: nobody works, jobs wait although somebody could
    /// begin them, or a worker has met an error of the database.
    public func mayStandStill(silenceLimit: Double) -> Bool {
        let alive = workers.filter { $0.silence <= silenceLimit }
        let slots = alive.reduce(0) { $0 + $1.concurrency }
        return alive.isEmpty || (running < slots && (oldestAvailable ?? 0) > 5)
            || alive.contains { $0.lastError?.hasPrefix("cannot ") == true }
    }
}

extension Schema {
    /// Notes for `status` and `why` that a daemon could not start on this machine, and why; nil that one has.
    public func noteStart(on machine: String, failure: String?, over connection: Connection) async throws(PostgresError)
    {
        try await connection.query("select \(identifier: name).note_start(\(machine), \(storable: failure))")
    }
}
