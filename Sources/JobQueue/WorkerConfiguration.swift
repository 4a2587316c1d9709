/// How a worker works.
public struct WorkerConfiguration: Sendable {
    /// Its name for people; not its identity.
    public var name = "sheetsync"
    /// The program's version.
    public var version = "0"
    /// How many jobs run at once.
    public var concurrency = 16
    /// How many bytes of memory the running jobs may hold together; nil for no limit.
    public var memory: Int?
    /// How often it looks for jobs that no notification told of.
    public var pollInterval: Duration = .seconds(2)
    /// How long after its last sign of life a worker's jobs run elsewhere at the latest.
    public var leaseTime: Duration = .seconds(45)
    /// How long running jobs may go on after shutdown has begun.
    public var shutdownGrace: Duration = .seconds(30)
    /// Whether a completed job keeps its payload.
    public var keepPayloads = false
    /// How long after its end a job is kept; nil for ever.
    public var retention: Duration? = .seconds(14 * 86_400)
    /// When failed jobs run again.
    public var retryPolicy = RetryPolicy()

    /// The clock of a time zone that the schedules of syncs name; throws an error in words for one that this machine does not know.
    public var clock: @Sendable (_ zone: String) throws -> ZoneClock = { zone in
        guard zone == "UTC" else { throw ScheduleError(description: "this worker knows no time zone but UTC") }
        return .utc
    }

    /// Makes a configuration with the defaults.
    public init() {}

    /// The first of the growing pauses of a worker that has become idle.
    ///
    /// No notification tells of what was enqueued while it worked, and committed after it had looked for the last time.
    var firstPause: Duration { .milliseconds(10) }
    /// How long a worker that finds no more jobs goes on looking before it asks for notifications, which every producer
    /// would have to wait for.
    var idleGrace: Duration { .milliseconds(6) }
    /// The pause after a statement that failed; the poll interval may be much longer.
    var errorPause: Duration { min(pollInterval, .seconds(2)) }
    /// How often old jobs are removed and forgotten ones unblocked.
    var maintenanceInterval: Duration = .seconds(30)
    /// The pause between two looks for changed tables and ended runs, where some sync waits for them.
    var syncInterval: Duration { min(pollInterval, .seconds(1)) }
    /// The pause between two looks for what an ended job has made.
    var reconcileInterval: Duration = .seconds(30)
    /// Five signs of life fit into the lease; the last fifth is for the others to notice their lack.
    var beatInterval: Duration { leaseTime / 5 }
    /// A worker that has been silent for so long is dead to the others.
    public var silenceLimit: Duration { beatInterval * 4 }
    /// A worker that could not show a sign of life for so long stops its jobs, before the others start them.
    var selfFenceAfter: Duration { beatInterval * 3 }
}
