import Logging

/// What any worker does for the queue now and then: removing old jobs, unblocking forgotten ones.
struct Maintenance {
    /// Small, because the connection is shared with the heartbeat.
    private static let batch = 500

    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let problems: WorkerProblems
    private let logger: Logger

    init(
        _ configuration: WorkerConfiguration, statements: WorkerStatements, problems: WorkerProblems, logger: Logger
    ) {
        self.configuration = configuration
        self.statements = statements
        self.problems = problems
        self.logger = logger
    }

    /// Works until it is cancelled; several workers may do so at once.
    func run() async {
        while !Task.isCancelled {
            await problems.attempt(.maintain) {
                let unblocked = try await statements.unblockOrphans()
                if unblocked > 0 { logger.info("unblocked \(unblocked) jobs that waited for a target that is free") }
                try await removeFinished()
            }
            try? await Task.sleep(for: configuration.maintenanceInterval)
        }
    }

    private func removeFinished() async throws {
        guard let retention = configuration.retention else { return }
        var removed = 0
        while !Task.isCancelled {
            let batch = try await statements.removeFinished(olderThan: retention, most: Self.batch)
            removed += batch
            guard batch == Self.batch else { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        if removed > 0 { logger.info("removed \(removed) jobs that ended longer ago than they are kept") }
    }
}
