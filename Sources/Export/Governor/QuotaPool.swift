/// What this worker may use of one quota now, from its last grant.
///
/// A value without clock and database: the governor does what it says.
struct QuotaPool {
    /// What a grant holds that nobody has used.
    struct Rest: Sendable {
        let amount: Int
        /// When it was granted, by the database's clock.
        let grantedAt: Double
    }

    private var left = 0
    private(set) var grantedAt = 0.0
    private var expires = ContinuousClock.now
    /// When there may be more; there is not before.
    private(set) var shortUntil: ContinuousClock.Instant?
    /// How much is reserved for jobs that were claimed and have not made their first call.
    var reserved = 0
    /// How much other calls wait for.
    var waiting = 0

    /// What a call may use: one with a reservation all there is.
    func available(at now: ContinuousClock.Instant, isReserved: Bool) -> Int {
        now < expires ? left - (isReserved ? 0 : reserved) : 0
    }

    /// What is left for jobs that are not claimed yet; below zero where others wait already.
    func free(at now: ContinuousClock.Instant) -> Int { available(at: now, isReserved: false) - waiting }

    /// Whether there is nothing to be had for some time, as far as is known.
    func isShort(at now: ContinuousClock.Instant) -> Bool { shortUntil.map { now < $0 } ?? false }

    /// How long until there may be more.
    func pause(at now: ContinuousClock.Instant) -> Duration { max((shortUntil ?? now) - now, .milliseconds(20)) }

    /// Lets a call go out.
    mutating func use(_ amount: Int) { left -= amount }

    /// Takes a grant that was asked for at a time.
    mutating func take(
        _ grant: QuotaLedger.Grant, askedAt: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) {
        left = grant.amount
        grantedAt = grant.at
        expires = askedAt + grant.goodFor
        // A grant of another worker may come back at any time, so nobody waits for long without looking.
        shortUntil = grant.wait.map { now + min(max($0, .milliseconds(10)), .seconds(60)) }
    }

    /// Takes out all that is left, or what is not reserved, to give it back; nil for nothing.
    mutating func drain(at now: ContinuousClock.Instant, onlyFree: Bool = false) -> Rest? {
        let amount = onlyFree ? free(at: now) : left
        guard now < expires, amount > 0 else { return nil }
        left -= amount
        return Rest(amount: amount, grantedAt: grantedAt)
    }

    /// Google refused a call: nothing is to be had for so long.
    mutating func close(until: ContinuousClock.Instant) {
        left = 0
        shortUntil = max(shortUntil ?? until, until)
    }
}
