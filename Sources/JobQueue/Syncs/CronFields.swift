import Arithmetic

/// Minute, hour, day of the month, month and weekday of a cron schedule.
///
/// As in Vixie cron and cronie: where both day fields are limited, a day that either of them names counts; where one of them begins
/// with `*`, a day must be in both. Sunday is 0 and 7.
struct CronFields: Sendable, Hashable {
    private let minutes: [Int]
    private let hours: [Int]
    private let daysOfMonth: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// Whether the hour field begins with `*`: the schedule then follows the clock as it runs, through an hour that comes twice, and
    /// makes nothing up for one that does not come.
    private let followsClock: Bool
    private let needsBothDays: Bool

    /// One of the five fields.
    private struct Field {
        let name: String
        let values: ClosedRange<Int>
        var names: [Substring] = []
    }

    private static let fields = [
        Field(name: "minute", values: 0...59), Field(name: "hour", values: 0...23),
        Field(name: "day of the month", values: 1...31),
        Field(
            name: "month", values: 1...12,
            names: "jan feb mar apr may jun jul aug sep oct nov dec".split(separator: " ")),
        Field(name: "weekday", values: 0...7, names: "sun mon tue wed thu fri sat".split(separator: " ")),
    ]

    /// The calendar's weekdays and leap years come round after 28 years, and once more where a century lies in between.
    private static let daysOfSearch = 41 * 366

    /// Reads the fields, in lower case.
    init(_ texts: [Substring]) throws(ScheduleError) {
        guard texts.count == Self.fields.count else {
            throw ScheduleError(
                description:
                    "a schedule has five fields (minute, hour, day of the month, month, weekday) or is `every N` "
                    + "seconds, minutes, hours or days")
        }
        var values: [Set<Int>] = []
        for (field, text) in zip(Self.fields, texts) { values.append(try Self.values(of: text, in: field)) }
        minutes = values[0].sorted()
        hours = values[1].sorted()
        daysOfMonth = values[2]
        months = values[3]
        weekdays = Set(values[4].map { $0 % 7 })
        followsClock = texts[1].hasPrefix("*")
        needsBothDays = texts[2].hasPrefix("*") || texts[4].hasPrefix("*")
        guard (0..<Self.daysOfSearch).contains(where: matches) else {
            throw ScheduleError(description: "no such day ever comes, as 30 February")
        }
    }

    /// The first time after an instant, in seconds since 1970-01-01 00:00 UTC.
    ///
    /// A time that a clock set forward jumps over counts right behind the gap, one that a clock set back shows twice counts the first
    /// time, unless the schedule follows the clock.
    func next(after instant: Int64, on clock: ZoneClock) -> Int64 {
        let today = Int((instant + clock.offset(at: instant)) / 86_400)
        // From the day before on, because a clock set back shortly after midnight shows that day once more; the next day may begin before
        // that, so it is looked at too.
        for day in today - 1...today + Self.daysOfSearch where matches(day) {
            let times = instants(on: day, clock).filter { $0 > instant }
            guard let first = times.min() else { continue }
            let others = matches(day + 1) ? instants(on: day + 1, clock).filter { $0 > instant } : []
            return others.min().map { min($0, first) } ?? first
        }
        return .max
    }

    /// The instants of a day, by its number since 1970-01-01.
    private func instants(on day: Int, _ clock: ZoneClock) -> [Int64] {
        hours.flatMap { hour in
            minutes.flatMap { minute in
                let time = Int64(day * 86_400 + hour * 3600 + minute * 60)
                return followsClock ? clock.instants(showing: time) : [clock.firstInstant(showing: time)]
            }
        }
    }

    private func matches(_ day: Int) -> Bool {
        let date = CivilDate(daysSinceEpoch: day)
        guard months.contains(date.month) else { return false }
        let isDay = daysOfMonth.contains(date.day)
        // 1970-01-01 was a Thursday.
        let isWeekday = weekdays.contains(((day + 4) % 7 + 7) % 7)
        return needsBothDays ? isDay && isWeekday : isDay || isWeekday
    }

    private static func values(of text: Substring, in field: Field) throws(ScheduleError) -> Set<Int> {
        var values: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = range(part, in: field) else {
                throw ScheduleError(
                    description: "the field \(field.name) cannot have `\(part)`: it takes *, numbers from "
                        + "\(field.values.lowerBound) to \(field.values.upperBound)"
                        + (field.names.isEmpty ? "" : ", names such as \(field.names[1])")
                        + ", ranges such as 1-5, steps behind * or a range such as */2, and commas between")
            }
            values.formUnion(range)
        }
        return values
    }

    /// The values of `*`, `5`, `1-5`, `*/2` or `1-5/2`; nil for anything else.
    private static func range(_ part: Substring, in field: Field) -> StrideThrough<Int>? {
        let halves = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let ends = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        var (low, high) = (field.values.lowerBound, field.values.upperBound)
        if halves[0] == "*" {
            // Sunday is in it once.
            if field.values == 0...7 { high = 6 }
        } else {
            guard let first = number(ends[0], in: field) else { return nil }
            (low, high) = (first, first)
            if ends.count == 2 {
                guard let last = number(ends[1], in: field) else { return nil }
                // The week may also end with Sunday.
                high = field.values == 0...7 && last == 0 && low > 0 ? 7 : last
            }
        }
        guard low <= high else { return nil }
        guard halves.count == 2 else { return stride(from: low, through: high, by: 1) }
        guard halves[0] == "*" || ends.count == 2, let step = digits(halves[1]),
            (1...field.values.upperBound - field.values.lowerBound).contains(step)
        else { return nil }
        return stride(from: low, through: high, by: step)
    }

    private static func number(_ text: Substring, in field: Field) -> Int? {
        if let place = field.names.firstIndex(of: text) { return field.values.lowerBound + place }
        return digits(text).flatMap { field.values.contains($0) ? $0 : nil }
    }

    /// The number of one or two digits.
    private static func digits(_ text: Substring) -> Int? {
        text.utf8.count <= 2 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            ? Int(text) : nil
    }
}
