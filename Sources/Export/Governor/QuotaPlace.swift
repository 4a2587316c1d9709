import Synchronization

/// What was set aside of the quotas for one job when it was claimed: its first call of each.
final class QuotaPlace: Sendable {
    private let left: Mutex<Set<CountedQuota>>

    init(_ quotas: Set<CountedQuota>) { left = Mutex(quotas) }

    /// What has not been used.
    var unused: Set<CountedQuota> { left.withLock(\.self) }

    /// Notes that the first call goes out.
    func use(_ quota: CountedQuota) { left.withLock { _ = $0.remove(quota) } }
}
