import Arithmetic

/// A rule for all years, as the POSIX variable `TZ` spells it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct PosixTimeZone: Sendable {
    private let standardOffset: Int
    private let summer: Summer?

    private struct Summer {
        let offset: Int
        let start: Moment
        let end: Moment
    }

    /// A moment of each year on the clock that runs until then.
    private struct Moment {
        enum Day {
            /// 1 to 365; 29 February is never counted.
            case julian(Int)
            /// 0 to 365.
            case ofYear(Int)
            /// Week 5 is the last one, weekday 0 is Sunday.
            case weekday(month: Int, week: Int, weekday: Int)
        }
        var day: Day
        var secondsSinceMidnight = 2 * 3600
    }

    /// Reads a rule; nil for what is none.
    init?(_ text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard scanner.name(), let standard = scanner.time() else { return nil }
        // POSIX counts west of Greenwich.
        standardOffset = -standard
        if scanner.isAtEnd {
            summer = nil
            return
        }
        guard scanner.name() else { return nil }
        var offset = standardOffset + 3600
        if scanner.next != UInt8(ascii: ",") {
            guard let time = scanner.time() else { return nil }
            offset = -time
        }
        guard scanner.take(","), let start = scanner.moment(), scanner.take(","), let end = scanner.moment(),
            scanner.isAtEnd
        else { return nil }
        summer = Summer(offset: offset, start: start, end: end)
    }

    /// The seconds east of UTC at an instant.
    func offset(at instant: Int64) -> Int {
        guard let summer else { return standardOffset }
        // The calendar repeats itself, weekdays and all, after 400 years: 146,097 days.
        let instant = instant % (146_097 * 86_400)
        // The last change before the instant decides, wherever in the year summer lies; the years around it are enough.
        let year = Self.year(of: instant + Int64(standardOffset))
        var latest = Int64.min
        var offset = standardOffset
        for year in year - 1...year + 1 {
            let start = Self.instant(of: summer.start, in: year) - Int64(standardOffset)
            let end = Self.instant(of: summer.end, in: year) - Int64(summer.offset)
            // A start at the very instant of the last end means that summer goes on.
            if end <= instant, end > latest { (latest, offset) = (end, standardOffset) }
            if start <= instant, start >= latest { (latest, offset) = (start, summer.offset) }
        }
        return offset
    }

    private static func year(of seconds: Int64) -> Int {
        // Off by one at most near New Year, which the neighbouring years make good.
        1970 + Int((Double(seconds) / 31_556_952).rounded(.down))
    }

    private static func instant(of moment: Moment, in year: Int) -> Int64 {
        let newYear = days(year, 1, 1)
        let day: Int =
            switch moment.day {
            case .julian(let number): newYear + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
            case .ofYear(let number): newYear + number
            case .weekday(let month, let week, let weekday): Self.day(year, month, week, weekday)
            }
        return Int64(day) * 86_400 + Int64(moment.secondsSinceMidnight)
    }

    private static func day(_ year: Int, _ month: Int, _ week: Int, _ weekday: Int) -> Int {
        let first = days(year, month, 1)
        let next = month == 12 ? days(year + 1, 1, 1) : days(year, month + 1, 1)
        // 1970-01-01 was a Thursday.
        let firstWeekday = ((first + 4) % 7 + 7) % 7
        var day = first + (weekday - firstWeekday + 7) % 7 + (week - 1) * 7
        while day >= next { day -= 7 }
        return day
    }

    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        CivilDate(year: year, month: month, day: day)?.daysSinceEpoch ?? 0
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }
        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func take(_ character: Character) -> Bool {
            guard next == character.asciiValue else { return false }
            position += 1
            return true
        }

        /// An abbreviation of three letters or more, or anything between angle brackets.
        mutating func name() -> Bool {
            let start = position
            if take("<") {
                while let byte = next, byte != UInt8(ascii: ">") { position += 1 }
                return take(">")
            }
            while let byte = next, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) { position += 1 }
            return position - start >= 3
        }

        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            var value = 0
            let start = position
            while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), position - start < 4 {
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
                position += 1
            }
            return position > start && range.contains(value) ? value : nil
        }

        /// Seconds from `[+-]hh[:mm[:ss]]`.
        mutating func time() -> Int? {
            let isNegative = next == UInt8(ascii: "-")
            _ = take("+") || take("-")
            guard let hours = number(0...167) else { return nil }
            var seconds = hours * 3600
            for weight in [60, 1] where take(":") {
                guard let part = number(0...59) else { return nil }
                seconds += part * weight
            }
            return isNegative ? -seconds : seconds
        }

        mutating func moment() -> Moment? {
            var moment: Moment
            if take("M") {
                guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                    let weekday = number(0...6)
                else { return nil }
                moment = Moment(day: .weekday(month: month, week: week, weekday: weekday))
            } else if take("J") {
                guard let day = number(1...365) else { return nil }
                moment = Moment(day: .julian(day))
            } else {
                guard let day = number(0...365) else { return nil }
                moment = Moment(day: .ofYear(day))
            }
            if take("/") {
                guard let time = time() else { return nil }
                moment.secondsSinceMidnight = time
            }
            return moment
        }
    }
}
