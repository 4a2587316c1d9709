public import Postgres

/// Why nothing moves, where the queue's own tables do not say it.
public enum StallCause: Sendable, Equatable {
    /// The database takes no writes, so that no job can begin or end.
    case noWrites(String)
    /// The last daemon that was started could not begin, for want of right settings.
    case failedStart(machine: String, at: String, error: String)
    /// No worker is alive, and nobody knows why.
    case unknown

    /// Looks for the reason; nil where workers are alive and the database takes writes.
    ///
    /// - Parameter hasNoLiveWorker: Whether no worker is alive.
    public static func look(hasNoLiveWorker: Bool, _ schema: Schema, on connection: Connection) async -> StallCause? {
        if let refusal = await connection.probeWritable() { return .noWrites(refusal.description) }
        guard hasNoLiveWorker else { return nil }
        do throws(PostgresError) {
            guard
                let row = try await connection.query(
                    "select * from \(identifier: schema.name).report_failed_start"
                ).first
            else { return .unknown }
            return .failedStart(
                machine: try row.text("machine"), at: try row.text("at"), error: try row.text("error"))
        } catch { return .unknown }
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
        case .unknown: "start `sheetsync run`; where it ends again, `sheetsync doctor` says why"
        }
    }
}

extension QueueReport {
    /// Whether no worker shows a sign of life.
    public func hasNoLiveWorker(silenceLimit: Double) -> Bool { workers.allSatisfy { $0.silence > silenceLimit } }

    /// Whether something may be wrong that is not in the queue's tables: nobody works, jobs wait although somebody could
    /// begin them, or a worker has met an error of the database.
    public func shouldDiagnose(silenceLimit: Double) -> Bool {
        let alive = workers.filter { $0.silence <= silenceLimit }
        let slots = alive.reduce(0) { $0 + $1.concurrency }
        return alive.isEmpty || (running < slots && (oldestAvailable ?? 0) > 5)
            || alive.contains { $0.problem != nil }
    }
}

extension Schema {
    /// Notes for `status` and `why` that a daemon could not start on this machine, and why; nil that one has.
    public func noteStart(on machine: String, failure: String?, over connection: Connection) async throws(PostgresError)
    {
        try await connection.query(
            """
            delete from \(identifier: name).failed_start
            where \(failure)::text is null or at < now() - interval '30 days'
            """)
        guard let failure else { return }
        try await connection.query(
            """
            insert into \(identifier: name).failed_start (machine, at, error)
            values (left(\(machine), 200), clock_timestamp(), left(\(storable: failure), 2000))
            on conflict (machine) do update set at = excluded.at, error = excluded.error
            """)
    }
}
