import Logging
import Postgres

/// Completes the results of jobs that ended before anybody could save what they have made.
///
/// Several workers may look for the same: a look changes nothing, and whoever reconciles a job first ends it.
struct Reconciler {
    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let handlers: [String: any JobHandler]
    private let problems: WorkerProblems
    private let logger: Logger

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, handlers: [String: any JobHandler],
        problems: WorkerProblems, logger: Logger
    ) {
        self.configuration = configuration
        self.statements = statements
        self.handlers = handlers
        self.problems = problems
        self.logger = logger
    }

    /// Works until it is cancelled, whenever a signal tells of such jobs.
    func run(upon signal: Signal) async {
        while true {
            await signal.wait(atMost: configuration.maintenanceInterval)
            if Task.isCancelled { return }
            do {
                while !Task.isCancelled, try await reconcileOne() {}
                problems.end(.reconcile)
            } catch let error as PostgresError {
                if Task.isCancelled { return }
                problems.note(error, while: .reconcile)
            } catch {
                if Task.isCancelled { return }
                // Stop after the first error: its cause is likely not this job's, and another look comes.
                logger.warning("cannot look for what an ended job has made, will try again: \(error)")
            }
        }
    }

    /// Looks for what one job has made; false where no look is due.
    private func reconcileOne() async throws -> Bool {
        guard
            let unreconciled = try await statements.claimUnreconciled(
                kinds: Array(handlers.keys), pause: configuration.reconcileInterval)
        else { return false }
        let job = unreconciled.job
        let isDone: Bool
        switch try await handlers[job.kind]?.reconcile(job, endedAgo: unreconciled.age) ?? .upToDate {
        case .upToDate: isDone = try await statements.reconcile(unreconciled, result: nil)
        case .found(let result): isDone = try await statements.reconcile(unreconciled, result: result)
        case .notYetKnown: isDone = false
        }
        logger.debug(
            "looked for what an ended job has made", metadata: ["job": "\(job.id)", "reconciled": "\(isDone)"])
        return true
    }
}
