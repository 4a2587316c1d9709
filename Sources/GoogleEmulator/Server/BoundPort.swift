import Synchronization

/// The port that the emulator is bound to, for whoever waits for it.
final class BoundPort: Sendable {
    private enum State {
        case waiting([UInt64: CheckedContinuation<Int, any Error>], nextID: UInt64)
        case settled(Result<Int, any Error>)
    }

    private let state = Mutex<State>(.waiting([:], nextID: 0))

    /// The port, as soon as it is known; throws where binding failed, the emulator has stopped, or the waiting task was
    /// cancelled.
    var value: Int {
        get async throws {
            let id = state.withLock { state -> UInt64 in
                guard case .waiting(let waiters, let id) = state else { return 0 }
                state = .waiting(waiters, nextID: id + 1)
                return id
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in wait(id, continuation) }
            } onCancel: {
                cancel(id)
            }
        }
    }

    /// Says how binding ended; what is said later counts for those who ask later.
    func settle(_ result: Result<Int, any Error>) {
        let waiters = state.withLock { state -> [CheckedContinuation<Int, any Error>] in
            defer { state = .settled(result) }
            guard case .waiting(let waiters, _) = state else { return [] }
            return Array(waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }

    private func wait(_ id: UInt64, _ continuation: CheckedContinuation<Int, any Error>) {
        let result = state.withLock { state -> Result<Int, any Error>? in
            switch state {
            case .settled(let result): return result
            case .waiting(var waiters, let nextID):
                if Task.isCancelled { return .failure(CancellationError()) }
                waiters[id] = continuation
                state = .waiting(waiters, nextID: nextID)
                return nil
            }
        }
        if let result { continuation.resume(with: result) }
    }

    private func cancel(_ id: UInt64) {
        let waiter = state.withLock { state -> CheckedContinuation<Int, any Error>? in
            guard case .waiting(var waiters, let nextID) = state else { return nil }
            defer { state = .waiting(waiters, nextID: nextID) }
            return waiters.removeValue(forKey: id)
        }
        waiter?.resume(throwing: CancellationError())
    }
}
