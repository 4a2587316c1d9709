public import JSON
public import JobQueue

/// Runs jobs of kind `noop`.
public struct NoopHandler: JobHandler {
    /// Makes a handler.
    public init() {}

    /// Sleeps for as long as the payload says.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let payload = try NoopPayload(job.payload)
            if payload.sleepMilliseconds > 0 {
                try await Task.sleep(for: .milliseconds(payload.sleepMilliseconds))
            }
            return [:]
        }
    }
}
