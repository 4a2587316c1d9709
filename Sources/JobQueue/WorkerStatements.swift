import JSON
import Postgres

/// The database functions that a worker calls, for one epoch: a random identity that no other process ever had.
///
/// Claims have one connection, completions a second, and heartbeats and everything about single jobs a third: jobs end while
/// others are claimed, and a slow claim cannot make a worker look dead. What handlers, Google and the system said is made
/// storable here, so that no text of theirs is refused.
struct WorkerStatements: Sendable {
    let epoch = Int.random(in: 1...Int.max)
    let schema: String
    let claims: Connection
    let completions: Connection
    let control: Connection

    /// Signs in; `kinds` are the kinds of jobs that this worker can do, nil for not telling.
    func register(
        name: String, version: String, concurrency: Int, kinds: [String]? = nil
    ) async throws(PostgresError) {
        try await control.query(
            """
            select \(identifier: schema).register_worker(\(epoch), \(name), \(version), \(concurrency),
                string_to_array(\(kinds?.sorted().joined(separator: ",")), ','))
            """)
    }

    /// Signs off and gives back what this worker still holds.
    ///
    /// - Parameter former: An earlier identity of this process, whose jobs have all stopped; nil for the own one.
    func deregister(_ former: Int? = nil) async throws(PostgresError) {
        try await control.query("select \(identifier: schema).deregister_worker(\(former ?? epoch))")
    }

    /// Claims jobs, in the order in which they are to begin.
    ///
    /// - Parameters:
    ///   - limits: How many jobs of each kind may begin; other kinds are left to other workers.
    ///   - served: Whom this worker has served so far, so that logins, kinds and owners take turns.
    ///   - room: How many bytes their payloads may have together; nil for no limit.
    ///   - alone: Whether it may be a job that runs alone.
    func claim(
        _ slots: Int, limits: [String: Int], served: ServedLanes = ServedLanes(), room: Int? = nil, alone: Bool = true
    ) async throws(PostgresError) -> [Job] {
        let limits = JSON.object(JSONObject(limits.map { .init(name: $0.key, value: JSON($0.value)) })).description
        var jobs: [Job] = []
        for row in try await claims.query(
            """
            select * from \(identifier: schema).claim(
                \(epoch), \(slots), \(limits)::jsonb, \(served.json.description)::jsonb, \(room), \(alone))
            """)
        {
            jobs.append(
                try Job(
                    row, isRedelivered: try row.bool("redelivered"), leaseNumber: try row.int("lease_number"),
                    isIsolated: try row.bool("isolated")))
        }
        return jobs
    }

    /// Notes that this worker is about to sleep; returns the time until the next job is due, and whether to look for jobs
    /// once more before.
    func markIdle() async throws(PostgresError) -> (untilDue: Duration?, lookAgain: Bool) {
        let row = try await claims.query("select * from \(identifier: schema).mark_idle()")[0]
        return (try row.optionalDouble("seconds_until_due").map { .seconds(max($0, 0)) }, try row.bool("was_busy"))
    }

    /// Ends the notifications, unless another worker may need them; returns whether it did.
    func markBusy() async throws(PostgresError) -> Bool {
        try await claims.query("select \(identifier: schema).mark_busy(\(epoch)) as done")[0].bool("done")
    }

    /// Writes completions; returns the states that those jobs are in now that this worker still held.
    func finish(_ outcomes: [JobOutcome], keepPayloads: Bool) async throws(PostgresError) -> [Int: String] {
        let batch = JSON.array(outcomes.map(\.json)).description
        return try await completions.query(
            "select * from \(identifier: schema).finish(\(epoch), \(storable: batch)::jsonb, \(keepPayloads))"
        ).states()
    }

    /// What a worker tells with its heartbeat.
    struct SignOfLife: Sendable {
        var inFlight = 0
        /// Whether notifications reach it.
        var isListening = false
        /// What it fails at now.
        var problem: String?
        /// The last job that failed.
        var lastError: String?
        /// The numbers of the leases that it knows of; the database gives others back.
        var known: [Int] = []
        /// How old those others must be, because the answer to their claim may be under way yet.
        var lostAfter: Duration = .seconds(60)
        /// How many bytes the payloads of further jobs may have; nil for no limit.
        var room: Int?
    }

    /// Shows a sign of life; returns nil where this worker was taken for dead, else the jobs to cancel, and whether
    /// `claimUnreconciled` would find one.
    func beat(_ sign: SignOfLife) async throws(PostgresError) -> (cancelled: [Int], hasUnreconciled: Bool)? {
        let known = "{" + sign.known.map(String.init).joined(separator: ",") + "}"
        let row = try await control.query(
            """
            select * from \(identifier: schema).heartbeat(
                \(epoch), \(sign.inFlight), \(sign.isListening), \(storable: sign.problem),
                \(storable: sign.lastError),
                \(known)::bigint[], \(sign.lostAfter / .seconds(1)), \(sign.room))
            """)[0]
        guard try row.bool("alive") else { return nil }
        let cancelled = try row.text("cancelled").dropFirst().dropLast().split(separator: ",")
        return (cancelled.compactMap { Int($0) }, try row.bool("unreconciled"))
    }

    /// Takes a job that ended early, for a look at what it has made; nil where there is none.
    ///
    /// - Parameter pause: When another look is due, unless the job is reconciled before.
    func claimUnreconciled(kinds: [String], pause: Duration) async throws(PostgresError) -> UnreconciledJob? {
        let rows = try await control.query(
            """
            select * from \(identifier: schema).claim_unreconciled(
                string_to_array(\(kinds.sorted().joined(separator: ",")), ','), \(pause / .seconds(1)))
            """)
        guard let row = rows.first else { return nil }
        return UnreconciledJob(
            job: try Job(row, isRedelivered: true, leaseNumber: 0), finalizedAt: try row.int("finalized_at"),
            age: .seconds(try row.optionalDouble("ended_ago") ?? 0))
    }

    /// Ends the looks for what a job has made; false where it was retried since or another worker was first.
    ///
    /// - Parameter result: The job's result from now on; nil leaves it as it is.
    func reconcile(_ unreconciled: UnreconciledJob, result: JSON?) async throws(PostgresError) -> Bool {
        try await control.query(
            """
            select \(identifier: schema).reconcile(
                \(unreconciled.job.id), \(unreconciled.finalizedAt), \(storable: result?.description)::jsonb) as reconciled
            """)[0].bool("reconciled")
    }

    /// Takes back the jobs of workers that have been silent for so long; returns the states that they are in now.
    func reclaim(silentFor limit: Duration) async throws(PostgresError) -> [Int: String] {
        try await control.query("select * from \(identifier: schema).reclaim(\(limit / .seconds(1)))").states()
    }

    /// Unblocks jobs that wait for a target although nothing is in front of them; returns how many.
    func unblockOrphans() async throws(PostgresError) -> Int {
        try await control.query("select \(identifier: schema).unblock_orphans() as unblocked")[0].int("unblocked")
    }

    /// Removes jobs that ended longer ago; returns how many.
    func removeFinished(olderThan age: Duration, most: Int) async throws(PostgresError) -> Int {
        try await control.query(
            "select \(identifier: schema).remove_finished(\(age / .seconds(1)), \(most)) as removed")[0].int("removed")
    }

    /// What is to be done for syncs now; notes how runs ended and which tables have changed.
    func lookAtSyncs(most: Int) async throws -> SyncLook {
        SyncLook(
            try JSON(
                parsing: try await control.query(
                    "select \(identifier: schema).look_at_syncs(\(most))::text as look")[0].text("look")))
    }

    /// Makes the run of a sync that is due, or writes the time of the next one, in seconds since 1970; nil where there was nothing to
    /// do any more, else the job's number, or 0 where only the time was written.
    func runDueSync(_ sync: SyncLook.Due, next: Int64?, lateAt: Int64?) async throws(PostgresError) -> Int? {
        try await control.query(
            """
            select \(identifier: schema).run_due_sync(\(sync.name), \(sync.revision),
                \(next.map(Double.init))::float8, \(lateAt.map(Double.init))::float8) as id
            """)[0].optionalInt("id")
    }

    /// Says why the times of a sync cannot be reckoned.
    func refuseSchedule(of sync: SyncLook.Due, _ words: String) async throws(PostgresError) {
        try await control.query(
            "select \(identifier: schema).refuse_schedule(\(sync.name), \(sync.revision), \(storable: words))")
    }

    /// Writes how far a job is; false where this worker does not hold it any more.
    func reportProgress(_ progress: Progress, of job: Job) async throws(PostgresError) -> Bool {
        try await control.query(
            """
            select \(identifier: schema).report_progress(\(epoch), \(job.id), \(job.leaseNumber), \(storable: progress.step),
                \(progress.rowsDone), \(progress.rowsTotal), \(storable: progress.checkpoint?.description)::jsonb) as held
            """)[0].bool("held")
    }
}

extension [Row] {
    /// Jobs and their states, from the columns id and state.
    fileprivate func states() throws(PostgresError) -> [Int: String] {
        var states: [Int: String] = [:]
        for row in self { states[try row.int("id")] = try row.text("state") }
        return states
    }
}

extension Job {
    /// A longer array of a payload stays text, because a tree of values takes some thirty times as much memory.
    private static let longestTree = 65_536

    fileprivate init(
        _ row: Row, isRedelivered: Bool, leaseNumber: Int, isIsolated: Bool = false
    ) throws(PostgresError) {
        var payload: JSON = [:]
        var refusal: JobFailure?
        let text = Array((try row.optionalText("payload") ?? "{}").utf8)
        do throws(JSONError) {
            payload = try JSON(parsing: text, longestTree: Self.longestTree)
        } catch {
            // Postgres takes what this program does not, such as a thousand nested arrays. The job is held now and
            // must end; its neighbours in the batch must not suffer.
            refusal = JobFailure(
                .payloadUnreadable, "The payload cannot be read: \(error)", retry: .never)
        }
        self.init(
            id: try row.int("id"), uid: try row.text("uid"), kind: try row.text("kind"), payload: payload,
            attempt: try row.int("attempt"), maxAttempts: try row.int("max_attempts"),
            isRedelivered: isRedelivered, login: try row.text("enqueued_by"), owner: try row.text("owner"),
            target: try row.optionalText("target"),
            checkpoint: try row.optionalText("checkpoint").flatMap { try? JSON(parsing: $0) },
            leaseNumber: leaseNumber, payloadBytes: text.count, isIsolated: isIsolated, refusal: refusal)
    }
}
