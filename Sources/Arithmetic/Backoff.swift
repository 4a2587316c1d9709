/// How long to wait before another try: exponentially longer, with full jitter.
///
/// The wait before try n is drawn evenly from nothing to `base` x 2^n, so that many who fail together do not come back
/// together; `ceiling` bounds it above, `floor` below.
public struct Backoff: Sendable, Hashable {
    /// The bound of the first wait.
    public var base: Duration
    /// The shortest wait.
    public var floor: Duration
    /// The longest wait, but for one that the server asks for.
    public var ceiling: Duration

    /// Makes a rule.
    public init(base: Duration, floor: Duration = .zero, ceiling: Duration) {
        self.base = base
        self.floor = floor
        self.ceiling = ceiling
    }

    /// The wait after a failure.
    ///
    /// - Parameters:
    ///   - attempt: how many waits there were before this one, from 0.
    ///   - atLeast: what the server asks for; the jitter comes on top, because others wait for the same moment.
    ///   - generator: the source of the jitter.
    public func delay(
        attempt: Int, atLeast: Duration? = nil, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        if let atLeast { return atLeast + base * Double.random(in: 0...1, using: &generator) }
        // Beyond 2^32 the ceiling has long been reached.
        let bound = min(ceiling, base * Double(UInt64(1) << UInt64(max(0, min(attempt, 32)))))
        return max(floor, bound * Double.random(in: 0...1, using: &generator))
    }
}
