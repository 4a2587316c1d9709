import JSON
import Logging
import Postgres

/// Makes the runs of the syncs that are due.
///
/// Every worker does so: the database lets each run be made once, whoever is first.
struct SyncScheduler {
    /// How many syncs one look brings, because the connection is shared with the heartbeat.
    private static let batch = 100
    /// Anybody who may connect can ask for a look.
    private static let shortestPause = Duration.milliseconds(50)

    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let problems: WorkerProblems
    /// Raised when a run was made.
    private let wakeUp: Signal
    private let logger: Logger

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, problems: WorkerProblems, wakeUp: Signal,
        logger: Logger
    ) {
        self.configuration = configuration
        self.statements = statements
        self.problems = problems
        self.wakeUp = wakeUp
        self.logger = logger
    }

    /// Works until it is cancelled, when it is time and whenever a signal tells of a changed sync.
    func run(upon signal: Signal) async {
        while !Task.isCancelled {
            var pause = configuration.errorPause
            await problems.attempt(.makeRuns) { pause = try await makeRuns() }
            try? await Task.sleep(for: Self.shortestPause)
            await signal.wait(atMost: pause)
        }
    }

    /// Does what is due; returns how long to rest.
    private func makeRuns() async throws -> Duration {
        let look = try await statements.lookAtSyncs(most: Self.batch)
        var hasWritten = false
        var failure: PostgresError?
        for sync in look.due where !Task.isCancelled {
            do throws(PostgresError) {
                if try await handle(sync, at: look.now) != nil { hasWritten = true }
            } catch {
                // The others may have better luck, unless the database itself does not answer.
                if error.isTransient { throw error }
                failure = error
            }
        }
        if let failure { throw failure }
        // More may be due, and a sync whose time was written just now may be, by a change.
        if hasWritten { return .zero }
        return max(
            .milliseconds(10),
            min(
                look.wait ?? configuration.pollInterval, configuration.pollInterval,
                look.isWaiting || !look.due.isEmpty ? configuration.syncInterval : configuration.pollInterval))
    }

    /// Makes the run of a sync or writes its next time; returns nil where another worker was first.
    private func handle(_ sync: SyncLook.Due, at now: Int64) async throws(PostgresError) -> Int? {
        var times: (next: Int64, late: Int64)?
        if let text = sync.schedule {
            do {
                let schedule = try Schedule(text)
                let clock = try configuration.clock(sync.timeZone)
                let next = schedule.next(after: now, of: sync.name, on: clock)
                let second = schedule.next(after: next, of: sync.name, on: clock)
                times = (next, schedule.next(after: second, of: sync.name, on: clock))
            } catch {
                logger.warning("cannot reckon the times of a sync: \(error)", metadata: ["sync": "\(sync.name)"])
                try await statements.refuseSchedule(of: sync, "its times cannot be reckoned: \(error)")
                return nil
            }
        }
        let id = try await statements.runDueSync(sync, next: times?.next, lateAt: times?.late)
        if let id, id > 0 {
            logger.info("sync is due", metadata: ["sync": "\(sync.name)", "job": "\(id)"])
            wakeUp.raise()
        }
        return id
    }
}
