import Synchronization

/// The leases that a worker knows it holds: from the claim's answer until it is written how the job ended.
///
/// The database may know of more, because the answer to a claim can be lost; the claims that follow hand those out again.
final class HeldLeases: Sendable {
    private let numbers = Mutex<Set<Int>>([])

    var all: [Int] { numbers.withLock { Array($0) } }

    func insert(_ jobs: [Job]) { numbers.withLock { $0.formUnion(jobs.map(\.leaseNumber)) } }

    func remove(_ endings: [JobEnding]) { numbers.withLock { $0.subtract(endings.map(\.leaseNumber)) } }
}
