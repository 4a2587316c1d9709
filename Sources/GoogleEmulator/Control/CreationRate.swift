/// How many new files Drive takes of an identity: a bucket that fills up with each and runs dry at an even rate.
struct CreationRate: Sendable {
    /// How many files it takes for the bucket to run over.
    private let capacity: Double
    /// How many run out in a millisecond.
    private let rate: Double
    private var level = 0.0
    private var last = Timestamp(milliseconds: 0)

    /// Makes the rate of so many files in a window, a sixth of which may come at once.
    init(limit: Int, windowSeconds: Int) {
        capacity = max(1, Double(limit) / 6)
        rate = Double(limit) / Double(windowSeconds * 1000)
    }

    /// Whether a file is taken now; one that is refused does not count.
    mutating func takes(_ now: Timestamp) -> Bool {
        level = max(0, level - Double(max(0, now.milliseconds - last.milliseconds)) * rate)
        last = max(last, now)
        guard level + 1 <= capacity else { return false }
        level += 1
        return true
    }
}
