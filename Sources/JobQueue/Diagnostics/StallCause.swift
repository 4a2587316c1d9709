public import Postgres

/// Why nothing moves, where the queue's own tables do not say it.
public enum StallCause: Sendable, Equatable {
    /// The database takes no writes, so that no job can begin or end.
    case noWrites(String)
    /// The queue's statements wait at the server.
    case heldUp(HeldUp)
    /// The daemon lacks a right, or rows are hidden from it.
    case fault(SchemaFault)
    /// The last daemon shows no sign of life, and has its connections to the database yet.
    case hanging(worker: String, silence: Double)
    /// The last daemon that was started could not begin, for want of right settings.
    case failedStart(machine: String, at: String, error: String)
    /// The last daemon went without signing off.
    case gone(worker: String, silence: Double)
    /// No worker is alive, and nobody knows why.
    case unknown

    /// Looks for the reason; nil where workers are alive and nothing is found that keeps them from their work.
    ///
    /// - Parameters:
    ///   - hasNoLiveWorker: Whether no worker is alive.
    ///   - triesToWrite: Whether it is tried whether the database takes writes, which costs it some.
    public static func look(
        hasNoLiveWorker: Bool, triesToWrite: Bool = true, _ schema: Schema, on connection: Connection
    ) async -> StallCause? {
        if triesToWrite, let refusal = await connection.probeWritable() { return .noWrites(refusal.description) }
        if let wait = try? await HeldUp.look(schema, on: connection) { return .heldUp(wait) }
        if let fault = try? await schema.faults(on: connection).first(where: \.stopsWorkers) { return .fault(fault) }
        guard hasNoLiveWorker else { return nil }
        let last = try? await lastWorker(schema, on: connection)
        if let last, last.isConnected { return .hanging(worker: last.name, silence: last.silence) }
        if let failure = try? await failedStart(schema, on: connection) { return failure }
        return last.map { .gone(worker: $0.name, silence: $0.silence) } ?? .unknown
    }

    private static func failedStart(
        _ schema: Schema, on connection: Connection
    ) async throws(PostgresError) -> StallCause? {
        guard
            let row = try await connection.query(
                "select * from \(identifier: schema.name).report_failed_start"
            ).first
        else { return nil }
        return .failedStart(machine: try row.text("machine"), at: try row.text("at"), error: try row.text("error"))
    }

    /// The worker that was heard last, and whether a daemon has a connection yet; nil where each has signed off.
    private static func lastWorker(
        _ schema: Schema, on connection: Connection
    ) async throws(PostgresError) -> (name: String, silence: Double, isConnected: Bool)? {
        guard
            let row = try await connection.query(
                "select name, silence from \(identifier: schema.name).report_worker order by silence limit 1"
            ).first
        else { return nil }
        return (
            try row.text("name"), try row.optionalDouble("silence") ?? 0,
            try await QueueReport.connectedWorkers(on: connection) > 0
        )
    }

    /// That jobs cannot begin or end at all and what to do, where that is so.
    var obstacle: String? {
        switch self {
        case .noWrites(let error):
            "the database takes no writes (\(error)): make room on its disk, and the workers go on by themselves"
        case .heldUp(.standby): words
        case .heldUp(.lock), .fault, .hanging, .failedStart, .gone, .unknown: nil
        }
    }

    /// What keeps workers from their work although they may be alive, and what to do; nil where it is nothing of that.
    var hindrance: String? {
        switch self {
        case .heldUp(.lock), .fault: words
        case .noWrites, .heldUp(.standby), .hanging, .failedStart, .gone, .unknown: nil
        }
    }

    /// What is behind "no worker is alive: ".
    var words: String {
        switch self {
        case .noWrites: obstacle ?? ""
        case .heldUp(let wait): wait.words
        case .fault(let fault): fault.words
        case .hanging(let worker, let silence):
            "\(worker) has shown no sign of life for \(approximate(seconds: silence)) and has its connections to the database "
                + "yet, so its process hangs or was stopped (SIGSTOP, a frozen container or machine): let it go on, or end and "
                + "restart it"
        case .failedStart(let machine, let time, let error):
            "`sheetsync run` could not start on \(machine) at \(time): \(error)"
        case .gone(let worker, let silence):
            "\(worker) was heard \(approximate(seconds: silence)) ago, did not sign off and has no connection any more, so its "
                + "process or machine died or lost its network: start `sheetsync run`; where it ends again, `sheetsync doctor` "
                + "says why"
        case .unknown: "start `sheetsync run`; where it ends again, `sheetsync doctor` says why"
        }
    }
}

extension QueueReport {
    /// Whether no worker shows a sign of life.
    public func hasNoLiveWorker(silenceLimit: Double) -> Bool { workers.allSatisfy { $0.silence > silenceLimit } }

    /// How many daemons have a connection to the database, whether they work or hang.
    static func connectedWorkers(on connection: Connection) async throws(PostgresError) -> Int {
        try await connection.query(
            """
            select count(*) as sessions from pg_stat_activity
            where datname = current_database() and application_name = 'sheetsync control'
            """)[0].int("sessions")
    }

    /// Whether something may be wrong that is not in the queue's tables: nobody works, jobs wait although somebody could
    /// begin them, or a worker has met an error of the database.
    public func shouldDiagnose(silenceLimit: Double) -> Bool {
        let alive = workers.filter { $0.silence <= silenceLimit }
        let slots = alive.reduce(0) { $0 + $1.concurrency }
        return alive.isEmpty || (running < slots && (oldestAvailable ?? 0) > 5)
            || alive.contains { $0.problem != nil }
    }
}
