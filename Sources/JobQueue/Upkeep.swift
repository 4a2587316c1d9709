import Logging

/// What any worker does for the queue now and then: removing old jobs, opening forgotten ones.
struct Upkeep {
    /// Small, because the connection is shared with the signs of life.
    private static let batch = 500

    private let configuration: WorkerConfiguration
    private let statements: WorkerStatements
    private let logger: Logger

    init(_ configuration: WorkerConfiguration, statements: WorkerStatements, logger: Logger) {
        self.configuration = configuration
        self.statements = statements
        self.logger = logger
    }

    /// Works until it is cancelled; several workers may do so at once.
    func run() async {
        while !Task.isCancelled {
            do {
                let opened = try await statements.openForgotten()
                if opened > 0 { logger.info("opened \(opened) jobs that waited for a target that is free") }
                try await removeFinished()
            } catch {
                logger.warning("the upkeep of the queue failed, will try again: \(error)")
            }
            try? await Task.sleep(for: configuration.upkeepInterval)
        }
    }

    private func removeFinished() async throws {
        guard let retention = configuration.retention else { return }
        var (removed, since) = (0, "-infinity")
        while !Task.isCancelled {
            let batch = try await statements.removeFinished(olderThan: retention, since: since, most: Self.batch)
            removed += batch.removed
            since = batch.until
            guard batch.removed == Self.batch else { break }
            try? await Task.sleep(for: .milliseconds(100))
        }
        if removed > 0 { logger.info("removed \(removed) jobs that ended longer ago than they are kept") }
    }
}
