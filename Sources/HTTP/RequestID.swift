import Synchronization

/// The identity of one request between its task and the client's thread, and the mark of its cancellation.
final class RequestID: Sendable {
    private let cancelled = Atomic(false)

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() { cancelled.store(true, ordering: .releasing) }
}
