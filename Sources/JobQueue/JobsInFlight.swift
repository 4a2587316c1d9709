import Synchronization

/// The jobs that a worker runs at the moment, and why some of them were told to stop.
final class JobsInFlight: Sendable {
    /// Why a running job was told to stop.
    enum StopReason: Sendable {
        /// Somebody cancelled it.
        case cancelled
        /// The daemon shuts down.
        case shutdown
        /// The lease is somebody else's now.
        case leaseLost
    }

    private struct Entry {
        let payloadBytes: Int
        var task: Task<Void, Never>?
        var reason: StopReason?
    }

    private let entries = Mutex<[Int: Entry]>([:])

    var count: Int { entries.withLock { $0.count } }

    /// Whether a job runs.
    func contains(_ id: Int) -> Bool { entries.withLock { $0[id] != nil } }

    /// Counts a job in; its task follows with `attach`.
    func insert(_ job: Job) { entries.withLock { $0[job.id] = Entry(payloadBytes: job.payloadBytes) } }

    /// Says which task runs a job; one that was told to stop before is cancelled now.
    func attach(_ task: Task<Void, Never>, to id: Int) {
        let stopped = entries.withLock { entries in
            entries[id]?.task = task
            return entries[id]?.reason != nil
        }
        if stopped { task.cancel() }
    }

    /// How many bytes further payloads may have together; nil where no memory is set.
    func room(within memory: Int?) -> Int? {
        guard let memory else { return nil }
        let (count, bytes) = entries.withLock { ($0.count, $0.values.reduce(0) { $0 + $1.payloadBytes }) }
        return MemoryBudget(limit: memory).room(beside: count, payloadBytes: bytes)
    }

    /// Tells a job to stop; the first reason stays, except that a lost lease outweighs the others.
    func stop(_ id: Int, because reason: StopReason) {
        entries.withLock { entries -> Task<Void, Never>? in
            guard let entry = entries[id] else { return nil }
            if entry.reason == nil || reason == .leaseLost { entries[id]?.reason = reason }
            return entry.task
        }?.cancel()
    }

    /// Tells every job to stop.
    func stopAll(because reason: StopReason) {
        for id in entries.withLock({ Array($0.keys) }) { stop(id, because: reason) }
    }

    /// Counts a job out; returns why it was told to stop, if it was, and how many jobs are left.
    func remove(_ id: Int) -> (reason: StopReason?, left: Int) {
        entries.withLock { (reason: $0.removeValue(forKey: id)?.reason, left: $0.count) }
    }
}
