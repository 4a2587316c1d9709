import Google

/// The calls of one resource that this worker may make now, from its last grant.
///
/// A value without clock and database: the governor does what it says.
struct QuotaPool {
    /// What a call does next.
    enum Step: Equatable {
        /// It goes out.
        case go
        /// It asks the ledger for more.
        case ask
        /// It waits until then; nothing is free before.
        case wait(until: ContinuousClock.Instant)
    }

    private var grant: Int?
    private var left = 0
    private var expires = ContinuousClock.now
    /// When something may be free again; nothing is before.
    private var shortUntil: ContinuousClock.Instant?
    /// Whether the last grant was less than was asked for, so that jobs are worth a grant before they are claimed.
    private(set) var isScarce = false
    /// How many calls wait for the quota.
    var waiting = 0

    /// How many calls may go out at once.
    func available(at now: ContinuousClock.Instant) -> Int { now < expires ? left : 0 }

    /// How long nothing more is to be had, as far as is known.
    func pause(at now: ContinuousClock.Instant) -> Duration { max((shortUntil ?? now) - now, .milliseconds(20)) }

    /// What is left of the grant and may go back.
    var unused: (grant: Int, amount: Int)? { grant.flatMap { left > 0 ? ($0, left) : nil } }

    /// What the next call would do.
    func step(at now: ContinuousClock.Instant) -> Step {
        if available(at: now) > 0 { return .go }
        if let shortUntil, now < shortUntil { return .wait(until: shortUntil) }
        return .ask
    }

    /// Lets a call go out.
    mutating func use() { left -= 1 }

    /// Takes a grant that was asked for at a time; returns when what is left of it has to go back.
    mutating func take(
        _ new: QuotaLedger.Grant, wanted: Int, askedAt: ContinuousClock.Instant, now: ContinuousClock.Instant,
        lifetime: Duration
    ) {
        grant = new.number
        left = new.amount
        expires = askedAt + lifetime
        isScarce = new.amount < wanted
        // A grant may come from a dead worker at any time, so nobody waits for long without looking.
        shortUntil = new.amount == 0 ? now + min(max(new.wait, .milliseconds(20)), .seconds(60)) : nil
    }

    /// Forgets what is left, because it went back or is no more good; returns it.
    mutating func drain() -> (grant: Int, amount: Int)? {
        defer { left = 0 }
        return unused
    }

    /// Google refused a call: nothing is free for so long.
    mutating func close(until: ContinuousClock.Instant) {
        left = 0
        isScarce = true
        shortUntil = max(shortUntil ?? until, until)
    }
}
