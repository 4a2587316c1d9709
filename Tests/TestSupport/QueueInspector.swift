import Postgres

/// Looks into the queue's own tables, and changes there what a test cannot wait for; the one place where tests name them.
public struct QueueInspector: Sendable {
    /// A table of the queue.
    public enum Table: String, Sendable, CaseIterable {
        case job, ready, lease, outcome, progress, worker, pause
        case attemptError = "attempt_error"
        case targetLock = "target_lock"
        case cancelRequest = "cancel_request"
        case failedStart = "failed_start"
    }

    let queue: TestQueue

    private func value(_ sql: String) async throws -> String { try await queue.psql(sql) }

    /// How many rows a table has.
    public func count(_ table: Table, where condition: String = "true") async throws -> Int {
        Int(try await value("select count(*) from sheetsync.\(table.rawValue) where \(condition)")) ?? -1
    }

    /// The rows of tables whose jobs have not come to their end, and of what a job's end must leave empty.
    public func unfinished() async throws -> Int {
        try await count(.ready) + count(.lease) + count(.cancelRequest)
    }

    /// Where a job waits: `available`, `scheduled` or `blocked`; nil where it does not wait.
    public func waiting(_ id: Int) async throws -> String? {
        let state = try await value("select state from sheetsync.ready where id = \(id)")
        return state.isEmpty ? nil : state
    }

    /// How many jobs wait in each state.
    public func waiting() async throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for row in try await queue.connection.query(
            "select state, count(*) as n from sheetsync.ready group by state")
        {
            counts[try row.text("state")] = try row.int("n")
        }
        return counts
    }

    /// The job that holds each target's lock.
    public func locks() async throws -> [String: Int] {
        var locks: [String: Int] = [:]
        for row in try await queue.connection.query("select target, job_id from sheetsync.target_lock") {
            locks[try row.text("target")] = try row.int("job_id")
        }
        return locks
    }

    /// What the tables say that cannot be: a job in no place or in several, too many attempts, a target without its lock.
    public func contradictions() async throws -> [String] {
        try await queue.connection.query(
            """
            select 'job ' || id || ' is in ' || places || ' places' as what from (
                select j.id, (select count(*) from sheetsync.ready r where r.id = j.id)
                    + (select count(*) from sheetsync.lease l where l.id = j.id)
                    + (select count(*) from sheetsync.outcome o where o.id = j.id) as places from sheetsync.job j) p
            where places <> 1
            union all
            select 'a place without a job: ' || p.id from (select id from sheetsync.ready union all
                select id from sheetsync.lease union all select id from sheetsync.outcome) p
            where not exists (select from sheetsync.job j where j.id = p.id)
            union all
            select 'job ' || id || ' has made ' || attempt || ' of ' || max_attempts || ' attempts' from sheetsync.job
            join (select id, attempt + 1 as attempt from sheetsync.ready union all
                select id, attempt from sheetsync.lease union all select id, attempt from sheetsync.outcome) p using (id)
            where attempt > max_attempts or attempt < 0
            union all
            select 'job ' || l.id || ' runs without the lock of its target' from sheetsync.lease l
            where l.target is not null and not exists (
                select from sheetsync.target_lock t where t.target = l.target and t.job_id = l.id)
            union all
            select 'job ' || t.job_id || ' has a lock and has ended' from sheetsync.target_lock t
            where exists (select from sheetsync.outcome o where o.id = t.job_id)
            """
        ).map { try $0.text("what") }
    }

    /// Whether some worker is idle and wants to be notified.
    public func isSomebodyIdle() async throws -> Bool {
        try await value("select last_value from sheetsync.idle_flag") == "1"
    }

    /// What workers say that they fail at now.
    public func problems() async throws -> String {
        try await value("select coalesce(string_agg(problem, '; '), 'none') from sheetsync.worker")
    }

    /// Lets workers look as if they had shown no sign of life for an hour.
    public func silence(epoch: Int? = nil) async throws {
        _ = try await value(
            """
            update sheetsync.worker set beat_at = beat_at - interval '1 hour'
            where epoch = \(epoch.map(String.init) ?? "epoch")
            """)
    }

    /// Lets every worker be taken for dead.
    public func forgetWorkers() async throws { _ = try await value("delete from sheetsync.worker") }

    /// Lets the time of a scheduled job, or of all, have come.
    public func makeDue(_ id: Int? = nil) async throws {
        _ = try await value(
            "update sheetsync.ready set run_at = now() where id = \(id.map(String.init) ?? "id") and state = 'scheduled'"
        )
    }

    /// Lets running jobs look as if they had been claimed some time ago.
    public func ageLeases(bySeconds seconds: Int) async throws {
        _ = try await value("update sheetsync.lease set claimed_at = claimed_at - interval '\(seconds) seconds'")
    }

    /// Lets ended jobs look as if they had ended some days ago.
    public func ageOutcomes(byDays days: Int) async throws {
        _ = try await value("update sheetsync.outcome set finalized_at = finalized_at - interval '\(days) days'")
    }

    /// Lets the numbers of jobs lie further apart, as transactions that were rolled back leave them.
    public func spaceNumbers(by step: Int) async throws {
        _ = try await value("alter sequence sheetsync.job_id_seq increment by \(step)")
    }
}
