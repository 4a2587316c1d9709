/// How far the clocks of a time zone stand from UTC; whoever makes a worker brings the rules.
public struct ZoneClock: Sendable {
    private let rule: @Sendable (Int64) -> Int

    /// The clock of UTC.
    public static let utc = ZoneClock { _ in 0 }

    /// Makes a clock of a rule: the seconds east of UTC at an instant, in seconds since 1970-01-01 00:00 UTC.
    public init(_ rule: @escaping @Sendable (Int64) -> Int) { self.rule = rule }

    func offset(at instant: Int64) -> Int64 { Int64(rule(instant)) }

    /// The instants at which the clock shows a time, given in seconds since 1970-01-01 00:00 of that clock: one; two, ascending, where it
    /// is set back over that time; none where it is set forward.
    func instants(showing time: Int64) -> [Int64] {
        // No clock stands further than a day from UTC.
        let (before, after) = (offset(at: time - Self.day), offset(at: time + Self.day))
        let instants = before == after ? [time - before] : [time - before, time - after]
        return instants.filter { offset(at: $0) == time - $0 }.sorted()
    }

    /// The first instant at which the clock shows a time or a later one: behind the gap where the time does not exist.
    func firstInstant(showing time: Int64) -> Int64 {
        if let first = instants(showing: time).first { return first }
        // The clock jumps over the time between these two.
        var (low, high) = (time - Self.day, time + Self.day)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if middle + offset(at: middle) < time { low = middle } else { high = middle }
        }
        return high
    }

    private static let day: Int64 = 86_400
}
