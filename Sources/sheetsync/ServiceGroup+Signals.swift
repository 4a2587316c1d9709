import ServiceLifecycle
import UnixSignals

extension ServiceGroup {
    /// Runs the services until SIGTERM or SIGINT, which lets them end in peace; a second signal cancels them.
    ///
    /// The group itself knows signals too, but not one that means more when it comes again.
    func runUntilSignalled() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await self.run() }
            tasks.addTask {
                var isFirst = true
                for await _ in signals {
                    guard isFirst else { return }
                    isFirst = false
                    await self.triggerGracefulShutdown()
                }
            }
            // Either the services have ended, or there was a second signal.
            try await tasks.next()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }
}
