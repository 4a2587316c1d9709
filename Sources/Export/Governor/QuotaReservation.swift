import Synchronization

/// What is reserved of the quotas for one job from its claim on: its first call of each.
final class QuotaReservation: Sendable {
    private let left: Mutex<Set<QuotaKind>>

    init(_ quotas: Set<QuotaKind>) { left = Mutex(quotas) }

    /// What has not been used.
    var unused: Set<QuotaKind> { left.withLock(\.self) }

    /// Notes that the first call goes out.
    func use(_ quota: QuotaKind) { left.withLock { _ = $0.remove(quota) } }
}
