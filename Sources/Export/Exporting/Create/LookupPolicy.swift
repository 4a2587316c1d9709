import Google

/// How long a spreadsheet is looked for before it counts as not made.
///
/// Drive's lists are late at times; one that is later than this costs a second spreadsheet, which the job warns of.
public struct LookupPolicy: Sendable, Hashable {
    /// How often a folder is looked through at least.
    public var looks: Int
    /// How much time has passed since the call at the last look, at least.
    public var time: Duration

    /// Makes a patience; by default three looks within a minute.
    public init(looks: Int = 3, time: Duration = .seconds(60)) {
        self.looks = looks
        self.time = time
    }

    /// The pause until the next look.
    var pause: Duration { time / max(1, looks - 1) }

    /// Whether a spreadsheet that was not found at the last look was not made.
    func isOver(for create: UncertainCreate, now: Timestamp) -> Bool {
        // More than, because both times are cut to the second.
        create.looks >= looks && .milliseconds(now.milliseconds - create.since.milliseconds) > time
    }
}
