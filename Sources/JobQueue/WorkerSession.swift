import JSON
import Logging
import Postgres

/// A worker's life under one identity: from signing in to signing off, or until it was taken for dead.
final class WorkerSession: Sendable {
    private let configuration: WorkerConfiguration
    private let database: ConnectionConfiguration
    private let statements: WorkerStatements
    /// The identity that this process has lost, some of whose jobs it may hold yet.
    private let former: Int?
    private let handlers: [String: any JobHandler]
    private let admission: (any AdmissionControl)?
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    /// The daemon is told to stop; stays set over all sessions.
    private let stopping: Flag
    /// Wakes the claim loop: a notification, a free slot, a job that may have become available, the end.
    private let wakeUp: Signal
    /// Raised when it is not known what some ended jobs have made.
    private let unreconciled = Signal()
    /// Raised when somebody made or changed a sync.
    private let syncsChanged = Signal()
    private let inFlight = JobsInFlight()
    private let held = HeldLeases()
    private let completions: CompletionWriter
    private let problems: WorkerProblems
    private let compatibility: SchemaCompatibility
    private let heartbeat: Heartbeat

    init(
        configuration: WorkerConfiguration, database: ConnectionConfiguration, schema: Schema,
        statements: WorkerStatements, former: Int?,
        handlers: [String: any JobHandler], admission: (any AdmissionControl)?, logger: Logger,
        observer: @escaping @Sendable (WorkerEvent) -> Void, stopping: Flag, wakeUp: Signal
    ) {
        self.configuration = configuration
        self.database = database
        self.statements = statements
        self.former = former
        self.handlers = handlers
        self.admission = admission
        self.logger = logger
        self.observer = observer
        self.stopping = stopping
        self.wakeUp = wakeUp
        problems = WorkerProblems(logger: logger, observer: observer)
        completions = CompletionWriter(
            statements: statements, held: held, wakeUp: wakeUp, keepPayloads: configuration.keepPayloads,
            problems: problems, logger: logger, observer: observer)
        compatibility = SchemaCompatibility(
            of: schema, on: statements.control, wakeUp: wakeUp, logger: logger, observer: observer)
        heartbeat = Heartbeat(
            configuration, statements: statements, inFlight: inFlight, held: held, problems: problems, schema: schema,
            compatibility: compatibility, wakeUp: wakeUp, unreconciled: unreconciled, logger: logger, observer: observer
        )
    }

    private var isOver: Bool { stopping.isSet || heartbeat.isLost || incompatibility != nil }

    /// Why this program must not work on the schema any more, once that has turned out.
    var incompatibility: String? { compatibility.incompatibility }

    /// The identity, where it was lost; none of its jobs runs any more once `run` has returned.
    var lostEpoch: Int? { heartbeat.isLost ? statements.epoch : nil }

    func run() async {
        guard await register() else { return }
        // Not child tasks: a cancelled daemon must still end its jobs and write how they ended.
        let listening = Task { await listen() }
        let beating = Task { await heartbeat.beat() }
        let watching = Task { await heartbeat.watch() }
        let maintaining = Task {
            await Maintenance(configuration, statements: statements, problems: problems, logger: logger).run()
        }
        let reconciling = Task {
            await Reconciler(
                configuration, statements: statements, handlers: handlers, problems: problems, logger: logger
            ).run(upon: unreconciled)
        }
        let repeating = Task {
            await SyncScheduler(
                configuration, statements: statements, problems: problems, wakeUp: wakeUp, logger: logger
            ).run(upon: syncsChanged)
        }
        // Results are given up when the schema is incompatible: retries would fail too. And a worker that was told to stop does
        // so, although the database refuses how its jobs ended: they are given back and run again.
        let patienceIsOver = Flag()
        let writing = Task {
            await completions.run {
                self.incompatibility != nil || self.stopping.isSet && (self.heartbeat.isLost || patienceIsOver.isSet)
            }
        }
        // A discarding group, because the other kind would remember every job that ever ended.
        await withDiscardingTaskGroup { jobs in
            await claim(into: &jobs)
            await drain()
        }
        completions.close()
        let patience = Task { [grace = configuration.shutdownGrace] in
            try await Task.sleep(for: max(grace, .seconds(5)))
            patienceIsOver.set()
        }
        await writing.value
        patience.cancel()
        let others = [listening, beating, watching, maintaining, reconciling, repeating]
        for task in others { task.cancel() }
        for task in others { await task.value }
        if !heartbeat.isLost || stopping.isSet {
            await problems.attempt(.signOff) { try await statements.deregister() }
        }
        await statements.claims.close()
        await statements.completions.close()
    }

    /// Signs in, and again until the database lets it or the daemon is told to stop.
    private func register() async -> Bool {
        defer { observer(.iterated(.entry, nextWithin: nil)) }
        while !isOver {
            observer(.iterated(.entry, nextWithin: .zero))
            await compatibility.check()
            if incompatibility != nil { break }
            heartbeat.begin()
            let isDone = await problems.attempt(.signIn) {
                try await statements.register(
                    name: configuration.name, version: configuration.version, concurrency: configuration.concurrency,
                    kinds: Array(handlers.keys))
                // Its jobs were stopped for want of a database, which is no fault of theirs.
                if let former { try await statements.deregister(former) }
            }
            if isDone {
                logger.info("worker is ready", metadata: ["epoch": "\(statements.epoch)"])
                observer(.entered)
                return true
            }
            observer(.iterated(.entry, nextWithin: configuration.errorPause))
            await wakeUp.wait(atMost: configuration.errorPause)
        }
        return false
    }

    // MARK: - Claiming

    private func claim(into jobs: inout DiscardingTaskGroup) async {
        // The flag may be up from an earlier life of somebody.
        var mayBeIdle = true
        // Until when a queue that has become empty is worth another look.
        var busyUntil = ContinuousClock.now
        var served = ServedLanes()
        // The last claim's job that runs alone; the next claim is for others. So is the first one, in case that such a job
        // has just ended the process.
        var alone: Int? = 0
        // The pauses between looks grow while nothing comes: no notification tells of what was enqueued while this worker
        // was busy, and committed after its last look.
        var pause = configuration.firstPause
        defer { observer(.iterated(.claims, nextWithin: nil)) }
        while !isOver {
            observer(.iterated(.claims, nextWithin: .zero))
            let free = configuration.concurrency - inFlight.count
            guard free > 0, alone.map(inFlight.contains) != true else {
                await rest(atMost: configuration.beatInterval)
                continue
            }
            // As long as nobody can be told how jobs end, none begins.
            if completions.isStuck || completions.isBehind {
                await rest(atMost: completions.isStuck ? configuration.errorPause : configuration.firstPause)
                continue
            }
            do {
                let capacity = await admission?.capacity(for: free) ?? Capacity()
                let claimed = try await statements.claim(
                    free, limits: limits(capacity, free), served: served,
                    room: inFlight.room(within: configuration.memory),
                    alone: alone == nil)
                alone = claimed.first { $0.isIsolated }?.id
                // Jobs that come when the identity is lost are left to others.
                guard !heartbeat.isLost else { break }
                held.insert(claimed)
                served.note(claimed)
                await admission?.claimed(claimed, within: capacity)
                for job in claimed { start(job, in: &jobs) }
                if !claimed.isEmpty {
                    // Notifications are for idle workers; one that is busy looks by itself.
                    if mayBeIdle { mayBeIdle = try await !statements.markBusy() }
                    problems.end(.claim)
                    busyUntil = .now + configuration.idleGrace
                    pause = configuration.firstPause
                    continue
                }
                if .now < busyUntil {
                    await rest(atMost: configuration.idleGrace / 3)
                    continue
                }
                let (untilDue, lookAgain) = try await statements.markIdle()
                problems.end(.claim)
                mayBeIdle = true
                if lookAgain { continue }
                // A job that is due may be locked by somebody's open transaction: look again soon, but do not spin.
                let due = untilDue.map { max($0, .milliseconds(50)) } ?? configuration.pollInterval
                let blocked = capacity.checkAgainIn.map { max($0, .milliseconds(10)) } ?? configuration.pollInterval
                // Anybody who may connect can wake this loop, as often as he likes.
                let looksAgain = ContinuousClock.now + configuration.firstPause
                await rest(atMost: min(due, blocked, pause, configuration.pollInterval))
                try? await Task.sleep(until: looksAgain)
                pause = min(pause * 4, configuration.pollInterval)
            } catch {
                problems.note(error, while: .claim)
                await rest(atMost: configuration.errorPause)
            }
        }
    }

    /// Lets the claims rest until something wakes them.
    private func rest(atMost limit: Duration) async {
        observer(.iterated(.claims, nextWithin: limit))
        await wakeUp.wait(atMost: limit)
    }

    /// How many jobs of each kind that this worker knows may begin now.
    private func limits(_ capacity: Capacity, _ slots: Int) -> [String: Int] {
        var limits: [String: Int] = [:]
        for kind in handlers.keys { limits[kind] = max(0, min(capacity.limits[kind] ?? slots, slots)) }
        return limits
    }

    private func start(_ job: Job, in jobs: inout DiscardingTaskGroup) {
        inFlight.insert(job)
        jobs.addTask {
            // A task of its own, because a group's child cannot be cancelled alone.
            let task = Task { await self.perform(job) }
            self.inFlight.attach(task, to: job.id)
            await task.value
        }
    }

    private func perform(_ job: Job) async {
        var logger = logger
        logger[metadataKey: "job"] = "\(job.id)"
        logger.debug("job begins", metadata: ["kind": "\(job.kind)", "attempt": "\(job.attempt)"])
        let result: Result<JobOutcome, JobFailure>
        do {
            let output: JSON
            if let admission {
                output = try await admission.run(job) { try await work(on: job) }
            } else {
                output = try await work(on: job)
            }
            result = .success(JobOutcome(job, .completed, result: output))
        } catch {
            result = .failure(JobFailure(error))
        }
        let (stopReason, left) = inFlight.remove(job.id)
        // The claim loop waits for the first free slot, or for memory, the shutdown for the last job.
        if left == configuration.concurrency - 1 || left == 0 || configuration.memory != nil { wakeUp.raise() }
        switch (stopReason, result) {
        case (_, .success(let outcome)):
            // Also where the lease may be lost: if nobody has taken the job yet, it need not be done again.
            completions.add(outcome)
        case (.leaseLost, .failure):
            logger.warning("job was stopped, because this worker's lease on it is lost")
        case (.cancelled, .failure):
            completions.add(JobOutcome(job, .cancelled))
        case (.shutdown, .failure):
            completions.add(JobOutcome(job, .snooze))
        case (nil, .failure(let failure)):
            var random = SystemRandomNumberGenerator()
            let outcome = configuration.retryPolicy.outcome(of: job, failure: failure, using: &random)
            if case .snooze(let pause) = failure.retry {
                logger.debug("job waits its turn", metadata: ["pause": "\(pause)", "why": "\(failure.message)"])
            } else {
                problems.note(failure)
                // The message stays in the database: it may quote the payload.
                logger.warning(
                    "job failed; `sheetsync why \(job.id)` tells more",
                    metadata: ["attempt": "\(job.attempt)", "code": "\(failure.code)", "then": "\(outcome.kind)"])
            }
            completions.add(outcome)
        }
    }

    private func work(on job: Job) async throws -> JSON {
        if let refusal = job.refusal { throw refusal }
        guard let handler = handlers[job.kind] else {
            throw JobFailure(
                .unknownKind, "This worker asked for no job of the kind \(job.kind).", retry: .backoff)
        }
        return try await handler.run(job, reporting: reporter(for: job))
    }

    private func reporter(for job: Job) -> ProgressReporter {
        ProgressReporter(holds: { [heartbeat] in heartbeat.holdsLeases }) {
            [statements] progress async throws(JobFailure) in
            let isHeld: Bool
            do throws(PostgresError) {
                isHeld = try await statements.reportProgress(progress, of: job)
            } catch {
                throw JobFailure(error)
            }
            guard isHeld else {
                throw JobFailure(
                    .leaseLost, "The job is another worker's now; this one stopped.", retry: .backoff)
            }
        }
    }

    /// The two stages of a shutdown: running jobs may end, then they are told to.
    private func drain() async {
        let end = ContinuousClock.now + configuration.shutdownGrace
        if inFlight.count > 0, !heartbeat.isLost {
            logger.info("no more claims; waiting for running jobs", metadata: ["jobs": "\(inFlight.count)"])
        }
        while inFlight.count > 0, !heartbeat.isLost, !Task.isCancelled {
            let left = end - .now
            guard left > .zero else { break }
            await wakeUp.wait(atMost: left)
        }
        inFlight.stopAll(because: .shutdown)
    }

    // MARK: - Notifications

    private func listen() async {
        let listener = NotificationListener(
            database, channels: ["sheetsync_ready", "sheetsync_cancel", "sheetsync_sync"])
        await listener.run { [self] event in
            switch event {
            case .listening:
                heartbeat.isListening = true
                problems.end(.listen)
                // Whatever was said before was missed.
                wakeUp.raise()
                syncsChanged.raise()
                heartbeat.beatNow()
            case .notification(let notification):
                switch notification.channel {
                case "sheetsync_cancel": heartbeat.beatNow()
                case "sheetsync_sync": syncsChanged.raise()
                default: wakeUp.raise()
                }
            case .lost(let error):
                // Where the whole database is gone, that is known at once.
                if heartbeat.isListening { heartbeat.beatNow() }
                heartbeat.isListening = false
                problems.note(error.wordsWithAdvice, while: .listen)
                logger.warning("not listening for now; polling goes on: \(error)")
            }
        }
    }
}
