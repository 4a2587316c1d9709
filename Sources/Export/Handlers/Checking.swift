import Dispatch

/// Runs a check that may compute for long on a thread of its own: beats, pages and other jobs have the cooperative threads.
///
/// The check asks now and then whether its task is cancelled; what it throws then is a `CancellationError`.
func checking<Result: Sendable>(_ check: @Sendable () throws -> Result) async throws -> Result {
    try await withTaskExecutorPreference(ThreadExecutor()) {
        do { return try check() } catch {
            try Task.checkCancellation()
            throw error
        }
    }
}

/// Runs what one task does on a thread beside the cooperative ones.
private final class ThreadExecutor: TaskExecutor {
    // A serial queue with no target has the threads that come beside one a core.
    private let queue = DispatchQueue(label: "sheetsync.check")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
