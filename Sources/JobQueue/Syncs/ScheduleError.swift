/// Why a text is no schedule.
public struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong and what was expected, as a sentence without its full stop.
    public let description: String
}
