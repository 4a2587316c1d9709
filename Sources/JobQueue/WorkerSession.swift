import JSON
import Logging
import Postgres

/// A worker's life under one identity: from its entry to its leaving, or until it was taken for dead.
final class WorkerSession: Sendable {
    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let handlers: [String: any JobHandler]
    private let admission: (any Admission)?
    private let logger: Logger
    private let observer: @Sendable (WorkerEvent) -> Void
    /// The daemon is told to stop; stays set over all sessions.
    private let stopping: Flag
    /// Wakes the claim loop: a notification, a free slot, the end.
    private let news: Signal
    /// Says that it is not known what some ended jobs have made.
    private let doubts = Signal()
    private let inFlight = JobsInFlight()
    private let held = HeldLeases()
    private let endings: EndingWriter
    private let problems: WorkerProblems
    private let fitness: SchemaFitness
    private let heartbeat: Heartbeat

    init(
        configuration: WorkerConfiguration, schema: Schema,
        statements: WorkerStatements,
        handlers: [String: any JobHandler], admission: (any Admission)?, logger: Logger,
        observer: @escaping @Sendable (WorkerEvent) -> Void, stopping: Flag, stop: Signal
    ) {
        self.configuration = configuration
        self.statements = statements
        self.handlers = handlers
        self.admission = admission
        self.logger = logger
        self.observer = observer
        self.stopping = stopping
        news = stop
        endings = EndingWriter(
            statements: statements, held: held, opened: stop, keepPayloads: configuration.keepPayloads, logger: logger,
            observer: observer)
        problems = WorkerProblems(logger: logger, observer: observer)
        fitness = SchemaFitness(of: schema, on: statements.control, changed: stop, logger: logger, observer: observer)
        heartbeat = Heartbeat(
            configuration, statements: statements, inFlight: inFlight, endings: endings, problems: problems,
            fitness: fitness, news: stop, doubts: doubts, logger: logger, observer: observer)
    }

    private var isOver: Bool { stopping.isSet || heartbeat.isLost || misfit != nil }

    /// Why this program must not work on the schema any more, once that has turned out.
    var misfit: String? { fitness.misfit }

    func run() async {
        guard await enter() else { return }
        // Not child tasks: a cancelled daemon must still end its jobs and write how they ended.
        let listening = Task { await listen() }
        let beating = Task { await heartbeat.beat() }
        let watching = Task { await heartbeat.watch() }
        let upkeep = Task { await Upkeep(configuration, statements: statements, logger: logger).run() }
        let settling = Task {
            await Settlement(configuration, statements: statements, handlers: handlers, logger: logger).run(
                upon: doubts)
        }
        // On a schema that it does not fit, a program cannot count on the next try either.
        let writing = Task {
            await endings.run { self.misfit != nil || self.heartbeat.isLost && self.stopping.isSet }
        }
        // A discarding group, because the other kind would remember every job that ever ended.
        await withDiscardingTaskGroup { jobs in
            await claim(into: &jobs)
            await drain()
        }
        endings.close()
        await writing.value
        listening.cancel()
        beating.cancel()
        watching.cancel()
        upkeep.cancel()
        settling.cancel()
        await listening.value
        await beating.value
        await watching.value
        await upkeep.value
        await settling.value
        if !heartbeat.isLost {
            await problems.attempt(.signOff) { try await statements.leave() }
        }
        await statements.claims.close()
        await statements.endings.close()
    }

    /// Signs in, and again until the database lets it or the daemon is told to stop.
    private func enter() async -> Bool {
        defer { observer(.turned(.entry, rest: nil)) }
        while !isOver {
            observer(.turned(.entry, rest: .zero))
            await fitness.check()
            if misfit != nil { break }
            heartbeat.begin()
            let entered = await problems.attempt(.signIn) {
                try await statements.enter(
                    name: configuration.name, version: configuration.version, concurrency: configuration.concurrency,
                    kinds: Array(handlers.keys))
            }
            if entered {
                logger.info("worker is ready", metadata: ["epoch": "\(statements.epoch)"])
                observer(.entered)
                return true
            }
            observer(.turned(.entry, rest: configuration.errorPause))
            await news.wait(atMost: configuration.errorPause)
        }
        return false
    }

    // MARK: - Claiming

    private func claim(into jobs: inout DiscardingTaskGroup) async {
        // The flag may be up from somebody's earlier life.
        var mayBeArmed = true
        // Until when a queue that has become empty is worth another look.
        var busyUntil = ContinuousClock.now
        var last: String?
        var looksBack = ContinuousClock.now
        var lastLook = Duration.zero
        var pause = configuration.firstPause
        // Whether a claim's answer may have been lost. Such a claim may go on at the server until its statement's time is
        // over, so the claims of the next minute ask for what it took.
        var unansweredUntil = ContinuousClock.now
        defer { observer(.turned(.claims, rest: nil)) }
        while !isOver {
            observer(.turned(.claims, rest: .zero))
            let free = configuration.concurrency - inFlight.count
            guard free > 0 else {
                await rest(atMost: configuration.beatInterval)
                continue
            }
            // As long as nobody can be told how jobs end, none begins.
            if endings.isStuck || endings.isBehind {
                await rest(atMost: endings.isStuck ? configuration.errorPause : configuration.firstPause)
                continue
            }
            let began = ContinuousClock.now
            let isDue = looksBack <= began
            do {
                let openings = await admission?.openings(slots: free) ?? Openings()
                let claimed = try await statements.claim(
                    free, rooms: rooms(openings, free), after: last,
                    held: unansweredUntil > .now ? held.all : nil, lookingBack: isDue)
                if isDue {
                    let look = ContinuousClock.now - began
                    looksBack = .now + configuration.lookBackInterval(after: min(look, lastLook))
                    lastLook = look
                }
                // Jobs that come when the identity is lost are left to others.
                guard !heartbeat.isLost else { break }
                held.insert(claimed)
                await admission?.claimed(claimed, within: openings)
                last = claimed.last?.kind ?? last
                for job in claimed { start(job, in: &jobs) }
                if !claimed.isEmpty {
                    // Notifications are for sleepers; a worker that is busy will look by itself.
                    if mayBeArmed { mayBeArmed = try await !statements.disarm() }
                    problems.end(.claim)
                    busyUntil = .now + configuration.lingerTime
                    pause = configuration.firstPause
                    continue
                }
                if .now < busyUntil {
                    await rest(atMost: configuration.lingerTime / 3)
                    continue
                }
                let (untilDue, lookAgain) = try await statements.arm()
                problems.end(.claim)
                mayBeArmed = true
                if lookAgain { continue }
                // A job that is due may be locked by somebody's open transaction: look again soon, but do not spin.
                let due = untilDue.map { max($0, .milliseconds(50)) } ?? configuration.pollInterval
                let closed = openings.reopensIn.map { max($0, .milliseconds(10)) } ?? configuration.pollInterval
                // What came may lie where this claim did not look.
                let late = isDue ? pause : max(looksBack - .now, .milliseconds(10))
                if isDue { pause = min(pause * 4, configuration.pollInterval) }
                await rest(atMost: min(due, closed, late, configuration.pollInterval))
            } catch {
                problems.note(error, while: .claim)
                // Where looking back takes too long, claims that do not must have their turn.
                if isDue { looksBack = .now + configuration.pollInterval }
                unansweredUntil = .now + .seconds(60)
                await rest(atMost: configuration.errorPause)
            }
        }
    }

    /// Lets the claims rest until there is news.
    private func rest(atMost limit: Duration) async {
        observer(.turned(.claims, rest: limit))
        await news.wait(atMost: limit)
    }

    /// How many jobs of each kind that this worker knows may begin now.
    private func rooms(_ openings: Openings, _ slots: Int) -> [String: Int] {
        var rooms: [String: Int] = [:]
        for kind in handlers.keys { rooms[kind] = max(0, min(openings.limits[kind] ?? slots, slots)) }
        return rooms
    }

    private func start(_ job: Job, in jobs: inout DiscardingTaskGroup) {
        inFlight.insert(job.id)
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
        let outcome: Result<JobEnding, JobFailure>
        do {
            let result: JSON
            if let admission {
                result = try await admission.run(job) { try await work(on: job) }
            } else {
                result = try await work(on: job)
            }
            outcome = .success(JobEnding(job, .completed, result: result))
        } catch {
            outcome = .failure(JobFailure(error))
        }
        let (stopReason, left) = inFlight.remove(job.id)
        // The claim loop waits for the first free slot, the shutdown for the last job.
        if left == configuration.concurrency - 1 || left == 0 { news.raise() }
        switch (stopReason, outcome) {
        case (_, .success(let ending)):
            // Also where the lease may be lost: if nobody has taken the job yet, it need not be done again.
            endings.add(ending)
        case (.leaseLost, .failure):
            logger.warning("job was stopped, because this worker's lease on it is lost")
        case (.cancelled, .failure):
            endings.add(JobEnding(job, .cancelled))
        case (.shutdown, .failure):
            endings.add(JobEnding(job, .release))
        case (nil, .failure(let failure)):
            var random = SystemRandomNumberGenerator()
            let ending = configuration.retryPolicy.ending(of: job, failure: failure, using: &random)
            if case .deferred(let pause) = failure.retry {
                logger.debug("job waits its turn", metadata: ["pause": "\(pause)", "why": "\(failure.message)"])
            } else {
                problems.note(failure)
                // The message stays in the database: it may quote the payload.
                logger.warning(
                    "job failed; `sheetsync why \(job.id)` tells more",
                    metadata: ["attempt": "\(job.attempt)", "code": "\(failure.code)", "then": "\(ending.kind)"])
            }
            endings.add(ending)
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
                isHeld = try await statements.report(progress, of: job)
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
            await news.wait(atMost: left)
        }
        inFlight.stopAll(because: .shutdown)
    }

    // MARK: - Notifications

    private func listen() async {
        let listener = NotificationListener(
            on: statements.endings, channels: ["sheetsync_ready", "sheetsync_cancel"])
        await listener.run { [self] event in
            switch event {
            case .listening:
                // Whatever was said before was missed.
                news.raise()
                heartbeat.hurry()
            case .notification(let notification):
                if notification.channel == "sheetsync_cancel" { heartbeat.hurry() } else { news.raise() }
            case .lost(let error): logger.warning("not listening for now; polling goes on: \(error)")
            }
        }
    }
}
