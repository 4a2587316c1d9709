import Synchronization

/// The leases that a worker knows it holds: from the claim's answer until the database has the job's outcome.
///
/// The database may have more, because the answer to a claim can be lost; the heartbeat lets it give those back.
final class HeldLeases: Sendable {
    private let numbers = Mutex<Set<Int>>([])

    var all: [Int] { numbers.withLock { Array($0) } }

    func insert(_ jobs: [Job]) { numbers.withLock { $0.formUnion(jobs.map(\.leaseNumber)) } }

    func remove(_ outcomes: [JobOutcome]) { numbers.withLock { $0.subtract(outcomes.map(\.leaseNumber)) } }
}
