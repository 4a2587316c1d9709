import Synchronization

/// Lets one task sleep until another has news for it; a signal raised while nobody waits is kept for the next wait.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: (number: Int, continuation: CheckedContinuation<Void, Never>)?
        var waits = 0
        var ended = 0
    }

    private let state = Mutex(State())

    /// Wakes the task that waits, or the next one that will.
    func raise() {
        state.withLock { state in
            let waiter = state.waiter
            state.waiter = nil
            state.isRaised = waiter == nil
            return waiter
        }?.continuation.resume()
    }

    /// Waits until the signal is raised, the time is over or the task is cancelled; only one task may wait at a time.
    func wait(atMost limit: Duration? = nil) async {
        let number = state.withLock { state in
            state.waits += 1
            return state.waits
        }
        let alarm = limit.map { limit in
            Task {
                try? await Task.sleep(for: limit)
                self.wake(number)
            }
        }
        defer { alarm?.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.isRaised || state.ended >= number {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = (number, continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            wake(number)
        }
    }

    /// Ends one particular wait without raising the signal.
    private func wake(_ number: Int) {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            // The alarm of an earlier wait may come late.
            state.ended = max(state.ended, number)
            guard state.waiter?.number == number else { return nil }
            defer { state.waiter = nil }
            return state.waiter?.continuation
        }?.resume()
    }
}
