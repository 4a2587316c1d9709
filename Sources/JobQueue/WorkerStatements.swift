import JSON
import Postgres

/// The database functions that a worker calls, for one epoch: a random identity that no other process ever had.
///
/// Claims have a connection of their own, endings another, and signs of life and everything about single jobs a third: so
/// jobs end while others are claimed, and a slow claim cannot make a worker look dead.
struct WorkerStatements: Sendable {
    let epoch = Int.random(in: 1...Int.max)
    let schema: String
    let claims: Connection
    let endings: Connection
    let control: Connection

    /// Signs in; `kinds` are the kinds of jobs that this worker can do, nil for not telling.
    func enter(
        name: String, version: String, concurrency: Int, kinds: [String]? = nil
    ) async throws(PostgresError) {
        try await control.query(
            """
            select \(identifier: schema).enter(\(epoch), \(name), \(version), \(concurrency),
                string_to_array(\(kinds?.sorted().joined(separator: ",")), ','))
            """)
    }

    func leave() async throws(PostgresError) {
        try await control.query("select \(identifier: schema).leave(\(epoch))")
    }

    /// Takes jobs, in the order in which they are to begin.
    ///
    /// - Parameters:
    ///   - rooms: How many jobs of each kind may begin; other kinds are left to other workers.
    ///   - last: The kind of the last job that was claimed before; the other kinds come first.
    ///   - held: Where the answer to a claim may have been lost, the numbers of the leases that this worker knows of; what
    ///     else it holds then comes first.
    ///   - lookingBack: Whether to look also where the claims have been already, for jobs that came there later.
    func claim(
        _ slots: Int, rooms: [String: Int], after last: String?, held: [Int]?, lookingBack: Bool
    ) async throws(PostgresError) -> [Job] {
        let rooms = JSON.object(JSONObject(rooms.map { .init(name: $0.key, value: JSON($0.value)) })).description
        let held = held.map { "{" + $0.map(String.init).joined(separator: ",") + "}" }
        var jobs: [Job] = []
        for row in try await claims.query(
            """
            select * from \(identifier: schema).claim(\(epoch), \(slots), \(rooms)::jsonb, \(last ?? ""), \(held)::bigint[],
                \(lookingBack))
            """)
        {
            jobs.append(
                try Self.job(row, isRedelivered: try row.bool("redelivered"), leaseNumber: try row.int("lease_no")))
        }
        return jobs
    }

    private static func job(
        _ row: Row, isRedelivered: Bool, leaseNumber: Int
    ) throws(PostgresError) -> Job {
        var payload: JSON = [:]
        var refusal: JobFailure?
        let text = try row.optionalText("payload") ?? "{}"
        do throws(JSONError) {
            payload = try JSON(parsing: text)
        } catch {
            // Postgres takes what this program does not, such as a thousand nested arrays. The job is held now and
            // must end; its neighbours in the batch must not suffer.
            refusal = JobFailure(
                .payloadUnreadable, "The payload cannot be read: \(error)", retry: .never)
        }
        return Job(
            id: try row.int("id"), kind: try row.text("kind"), payload: payload,
            attempt: try row.int("attempt"), maxAttempts: try row.int("max_attempts"),
            isRedelivered: isRedelivered, owner: try row.text("owner"), target: try row.optionalText("target"),
            checkpoint: try row.optionalText("checkpoint").flatMap { try? JSON(parsing: $0) },
            identity: try row.optionalText("identity"), leaseNumber: leaseNumber, refusal: refusal)
    }

    /// Announces sleep; returns the time until the next job is due, and whether to look for jobs once more before.
    func arm() async throws(PostgresError) -> (untilDue: Duration?, lookAgain: Bool) {
        let row = try await claims.query("select * from \(identifier: schema).arm()")[0]
        return (try row.optionalDouble("seconds_until_due").map { .seconds(max($0, 0)) }, try row.bool("was_down"))
    }

    /// Ends the notifications, unless another worker may need them; returns whether it did.
    func disarm() async throws(PostgresError) -> Bool {
        try await claims.query("select \(identifier: schema).disarm(\(epoch)) as done")[0].bool("done")
    }

    /// Writes endings; returns where those jobs are now that this worker still held.
    func finish(_ endings: [JobEnding], keepPayloads: Bool) async throws(PostgresError) -> [Int: String] {
        let batch = JSON.array(endings.map(\.json)).description
        var states: [Int: String] = [:]
        for row in try await self.endings.query(
            "select * from \(identifier: schema).finish(\(epoch), \(batch)::jsonb, \(keepPayloads))")
        {
            states[try row.int("id")] = try row.text("state")
        }
        return states
    }

    /// Shows a sign of life; returns nil where this worker was taken for dead, else the jobs to cancel, and whether
    /// `takeUnsettled` would find one.
    func beat(
        inFlight: Int, lastError: String?
    ) async throws(PostgresError) -> (cancelled: [Int], hasUnsettled: Bool)? {
        let row = try await control.query(
            "select * from \(identifier: schema).beat(\(epoch), \(inFlight), \(storable: lastError))")[0]
        guard try row.bool("alive") else { return nil }
        let cancelled = try row.text("cancelled").dropFirst().dropLast().split(separator: ",")
        return (cancelled.compactMap { Int($0) }, try row.bool("unsettled"))
    }

    /// Takes a job that ended before its time, for a look at what it has made; nil where there is none.
    ///
    /// - Parameters:
    ///   - pause: When another look is due, unless the job is settled before.
    ///   - since: Since when the look has been due at the earliest.
    func takeUnsettled(
        kinds: [String], pause: Duration, since: String = "-infinity"
    ) async throws(PostgresError) -> UnsettledJob? {
        let rows = try await control.query(
            """
            select * from \(identifier: schema).take_unsettled(
                string_to_array(\(kinds.sorted().joined(separator: ",")), ','), \(pause / .seconds(1)), \(since)::timestamptz)
            """)
        guard let row = rows.first else { return nil }
        return UnsettledJob(
            job: try Self.job(row, isRedelivered: true, leaseNumber: 0), endedAt: try row.text("ended_at"),
            age: .seconds(try row.optionalDouble("ended_for") ?? 0), wasDueAt: try row.text("was_due_at"))
    }

    /// Ends the looks for what a job has made; false where it was retried since or another worker was first.
    ///
    /// - Parameter result: The job's result from now on; nil leaves it as it is.
    func settle(_ unsettled: UnsettledJob, result: JSON?) async throws(PostgresError) -> Bool {
        try await control.query(
            """
            select \(identifier: schema).settle(
                \(unsettled.job.id), \(unsettled.endedAt)::timestamptz, \(result?.description)::jsonb) as settled
            """)[0].bool("settled")
    }

    /// Takes back the jobs of workers that have been silent for so long, and of those that left some behind.
    func reclaim(silentFor limit: Duration, lookingBack: Bool) async throws(PostgresError) -> [Int: String] {
        var states: [Int: String] = [:]
        for row in try await control.query(
            "select * from \(identifier: schema).reclaim(\(limit / .seconds(1)), \(lookingBack))")
        {
            states[try row.int("id")] = try row.text("state")
        }
        return states
    }

    /// Opens jobs that wait for a target although nothing of it runs; returns how many.
    func openForgotten() async throws(PostgresError) -> Int {
        try await control.query("select \(identifier: schema).open_forgotten() as opened")[0].int("opened")
    }

    /// Removes jobs that ended longer ago; returns how many, and the time from which the next call goes on.
    func removeFinished(
        olderThan age: Duration, since: String, most: Int
    ) async throws(PostgresError) -> (removed: Int, until: String) {
        let row = try await control.query(
            """
            select removed, until::text as until
            from \(identifier: schema).remove_finished(\(age / .seconds(1)), \(most), \(since)::timestamptz)
            """)[0]
        return (try row.int("removed"), try row.text("until"))
    }

    /// Writes how far a job is; false where this worker does not hold it any more.
    func report(_ progress: Progress, of job: Job) async throws(PostgresError) -> Bool {
        try await control.query(
            """
            select \(identifier: schema).report(\(epoch), \(job.id), \(job.leaseNumber), \(progress.step),
                \(progress.rowsDone), \(progress.rowsTotal), \(progress.checkpoint?.description)::jsonb) as held
            """)[0].bool("held")
    }
}
