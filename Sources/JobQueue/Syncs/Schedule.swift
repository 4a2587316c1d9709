import Arithmetic

/// When a sync runs: five cron fields in a time zone, or `every 10 minutes`.
///
/// The database function `schedule_fault` refuses what this refuses.
public struct Schedule: Sendable, Hashable {
    private enum Rule: Sendable, Hashable {
        case cron(CronFields)
        case every(seconds: Int)
    }

    private let rule: Rule

    /// The bytes of the longest text.
    static let longestText = 200
    /// Seconds of the shortest and the longest interval.
    static let intervals = 10...366 * 86_400

    /// Reads a schedule; upper and lower case are the same, blanks and tabs separate.
    public init(_ text: String) throws(ScheduleError) {
        guard text.utf8.count <= Self.longestText else {
            throw ScheduleError(description: "a schedule has at most \(Self.longestText) characters")
        }
        let words = text.lowercased().split { $0 == " " || $0 == "\t" }
        rule =
            words.first == "every"
            ? .every(seconds: try Self.interval(words)) : .cron(try CronFields(words))
    }

    private static func interval(_ words: [Substring]) throws(ScheduleError) -> Int {
        let units = ["second": 1, "minute": 60, "hour": 3600, "day": 86_400]
        guard words.count == 3, words[1].utf8.count <= 9, words[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let count = Int(words[1]),
            let unit = units[words[2].hasSuffix("s") ? String(words[2].dropLast()) : String(words[2])]
        else {
            throw ScheduleError(description: "an interval is `every N` seconds, minutes, hours or days")
        }
        let seconds = count * unit
        guard seconds >= intervals.lowerBound else {
            throw ScheduleError(description: "the shortest interval is 10 seconds")
        }
        guard seconds <= intervals.upperBound else {
            throw ScheduleError(description: "the longest interval is 366 days")
        }
        return seconds
    }

    /// The first time after an instant; both are in seconds since 1970-01-01 00:00 UTC.
    ///
    /// - Parameters:
    ///   - name: Whose schedule it is: intervals begin at a time of their own for each name, so that not all begin at once.
    ///   - clock: The clock that the cron fields speak of; intervals follow none.
    public func next(after instant: Int64, of name: String, on clock: ZoneClock) -> Int64 {
        switch rule {
        case .cron(let fields): return fields.next(after: instant, on: clock)
        case .every(let seconds):
            var hash = FNV1a()
            hash.add(Array(name.utf8).span)
            let interval = Int64(seconds)
            let offset = Int64(hash.value % UInt64(seconds))
            let (quotient, remainder) = (instant - offset).quotientAndRemainder(dividingBy: interval)
            return (quotient + (remainder < 0 ? 0 : 1)) * interval + offset
        }
    }
}
