import Logging
import Postgres

/// Completes the results of jobs that ended before anybody could save what they have made.
///
/// Several workers may look for the same: a look changes nothing, and whoever settles a job first ends it.
struct Settlement {
    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let handlers: [String: any JobHandler]
    private let logger: Logger

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, handlers: [String: any JobHandler],
        logger: Logger
    ) {
        self.configuration = configuration
        self.statements = statements
        self.handlers = handlers
        self.logger = logger
    }

    /// Works until it is cancelled, whenever there is news of such jobs.
    func run(upon news: Signal) async {
        // Goes on where it was, and now and then from the beginning.
        var since = "-infinity"
        var looksBack = ContinuousClock.now
        while true {
            await news.wait(atMost: configuration.upkeepInterval)
            if Task.isCancelled { return }
            if looksBack <= .now {
                since = "-infinity"
                looksBack = .now + configuration.upkeepInterval
            }
            do {
                while !Task.isCancelled, let dueAt = try await settleOne(since: since) { since = dueAt }
            } catch {
                if Task.isCancelled { return }
                // What one look met with, the next would meet with too.
                logger.warning("cannot look for what an ended job has made, will try again: \(error)")
            }
        }
    }

    /// Looks for what one job has made, and returns when that was due; nil where no look is.
    private func settleOne(since: String) async throws -> String? {
        guard
            let unsettled = try await statements.takeUnsettled(
                kinds: Array(handlers.keys), pause: configuration.lookInterval, since: since)
        else { return nil }
        let job = unsettled.job
        let remains = try await handlers[job.kind]?.remains(of: job, endedFor: unsettled.age) ?? .saved
        let isSettled: Bool
        switch remains {
        case .saved: isSettled = try await statements.settle(unsettled, result: nil)
        case .known(let result): isSettled = try await statements.settle(unsettled, result: result)
        case .uncertain: isSettled = false
        }
        logger.debug(
            "looked for what an ended job has made", metadata: ["job": "\(job.id)", "settled": "\(isSettled)"])
        return unsettled.wasDueAt
    }
}
