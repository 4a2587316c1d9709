import Arithmetic

/// Reads dates and times as ISO 8601 and Postgres spell them, into the serial numbers of Sheets.
///
/// A serial number counts days since 1899-12-30, and goes on evenly below zero: noon of the day before is -0.5.
/// Years are 0001 to 9999; fractions of a second count to the microsecond.
enum ISO8601 {
    /// A date: `2026-11-22`.
    static func date(_ text: String) -> Double? {
        var scanner = Scanner(text)
        guard let day = scanner.date(), scanner.isAtEnd else { return nil }
        return Double(day.daysSinceEpoch + DateText.epochSerial)
    }

    /// A date, or a date and time at midnight as it is spelled, whatever the offset: `2026-11-22T00:00:00.000Z`.
    static func midnight(_ text: String) -> Double? {
        var scanner = Scanner(text)
        guard let (day, time, _) = scanner.dateAndTime(), time == 0, scanner.isAtEnd else { return nil }
        return Double(day.daysSinceEpoch + DateText.epochSerial)
    }

    /// A time of day or a duration, in days: `09:30`, `09:30:15.25`, `-126:30:00`, `2 days 06:30:00` (an interval of
    /// Postgres) and `P2DT6H30M`.
    static func time(_ text: String) -> Double? {
        var scanner = Scanner(text)
        guard let time = scanner.duration(), scanner.isAtEnd else { return nil }
        return Double(time) / Double(DateText.microsecondsPerDay)
    }

    /// A date and a time with `T` or a space between, or a date alone, which is its midnight; with `Z` or an offset, the time
    /// that clocks in the zone show then.
    static func datetime(_ text: String, in zone: TimeZoneRules) -> Double? {
        guard let moment = moment(text, in: zone), DateText.years.contains(moment) else { return nil }
        return DateText.serial(ofMoment: moment)
    }

    /// The microseconds from 1970-01-01 00:00 to what clocks in the zone show.
    private static func moment(_ text: String, in zone: TimeZoneRules) -> Int? {
        var scanner = Scanner(text)
        guard let (day, time, offset) = scanner.dateAndTime(), scanner.isAtEnd else { return nil }
        var microseconds = day.daysSinceEpoch * 86_400_000_000 + time
        if let offset {
            microseconds -= offset * 1_000_000
            microseconds += zone.offset(at: Int64(DateText.second(ofMoment: microseconds))) * 1_000_000
        }
        return microseconds
    }

    /// Whether a text is a date that no sheet holds: before the year 1, beyond 9999 (as clocks in the zone show it), or with a
    /// sign or an era.
    static func isBeyondSheets(_ text: String, in zone: TimeZoneRules) -> Bool {
        if let moment = moment(text, in: zone) { return !DateText.years.contains(moment) }
        var scanner = Scanner(text)
        return scanner.isDateOfAnyYear() && (scanner.isBeyondSheets || text.hasSuffix(" BC"))
    }

    /// What is wrong with a text that looks like a date; nil for one that does not.
    static func fault(in text: String) -> String? {
        var scanner = Scanner(text)
        guard scanner.isDateOfAnyYear() else { return nil }
        scanner = Scanner(text)
        guard scanner.date() != nil else { return "a day that the calendar does not have" }
        scanner = Scanner(text)
        guard scanner.dateAndTime() != nil, scanner.isAtEnd else { return "a date with something else behind it" }
        return "a date with a time of day that is not midnight, which the type datetime takes"
    }

    private struct Scanner {
        private let bytes: [UInt8]
        private var position = 0

        init(_ text: String) { bytes = Array(text.utf8) }

        var isAtEnd: Bool { position == bytes.count }
        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func take(_ byte: Character) -> Bool {
            guard next == byte.asciiValue else { return false }
            position += 1
            return true
        }

        private mutating func number(digits: Int, in range: ClosedRange<Int>) -> Int? {
            guard position + digits <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[position..<position + digits] {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            position += digits
            return range.contains(value) ? value : nil
        }

        mutating func date() -> CivilDate? {
            guard let year = number(digits: 4, in: 1...9999), take("-"), let month = number(digits: 2, in: 1...12),
                take("-"), let day = number(digits: 2, in: 1...31)
            else { return nil }
            return CivilDate(year: year, month: month, day: day)
        }

        /// A date, microseconds since its midnight, and the seconds east of UTC where an offset stands there.
        mutating func dateAndTime() -> (day: CivilDate, time: Int, offset: Int?)? {
            guard let day = date() else { return nil }
            if isAtEnd { return (day, 0, nil) }
            guard separator(), let time = time() else { return nil }
            if isAtEnd { return (day, time, nil) }
            return offset().map { (day, time, $0) }
        }

        /// Whether the year that was read is one that no sheet holds.
        private(set) var isBeyondSheets = false

        /// Reads a date without asking whether the calendar has it, and whether anything stands behind it.
        mutating func isDateOfAnyYear() -> Bool {
            let hasSign = take("+") || take("-")
            let start = position
            while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
            let year = bytes[start..<position]
            isBeyondSheets = hasSign || year.count > 4 || year.allSatisfy { $0 == UInt8(ascii: "0") }
            return year.count >= 4 && take("-") && number(digits: 2, in: 0...99) != nil && take("-")
                && number(digits: 2, in: 0...99) != nil && (isAtEnd || separator())
        }

        /// Microseconds, in any of the spellings of a duration.
        mutating func duration() -> Int? {
            let start = position
            let isNegative = take("-")
            if take("P") { return parts().map { isNegative ? -$0 : $0 } }
            position = start
            var microseconds = 0
            if let days = signed(), take(" "), take("d"), take("a"), take("y") {
                _ = take("s")
                microseconds = days * 86_400_000_000
                if isAtEnd { return microseconds }
                // Python writes a comma.
                _ = take(",")
                guard take(" ") else { return nil }
            } else {
                position = start
            }
            return clock().map { microseconds + $0 }
        }

        /// `126:30`, `-2:30:00.5`.
        private mutating func clock() -> Int? {
            let isNegative = next == UInt8(ascii: "-")
            guard let hours = signed(), take(":"), let rest = minutesAndSeconds() else { return nil }
            return hours * 3_600_000_000 + (isNegative ? -rest : rest)
        }

        /// What stands behind the `P` of `P2DT6H30M15.5S`; months and years have no length of their own.
        private mutating func parts() -> Int? {
            var microseconds = 0
            var units: [(Character, Int)] = [("W", 7 * 86_400), ("D", 86_400), ("H", 3600), ("M", 60), ("S", 1)]
            var hasPart = false
            var isTime = false
            while !isAtEnd {
                if !isTime, take("T") {
                    isTime = true
                    units.removeAll { $0.1 >= 86_400 }
                }
                let isNegative = next == UInt8(ascii: "-")
                guard let whole = signed(), let rest = fraction() else { return nil }
                guard let index = units.firstIndex(where: { take($0.0) }), isTime || units[index].1 >= 86_400 else {
                    return nil
                }
                microseconds += (whole * 1_000_000 + (isNegative ? -rest : rest)) * units[index].1
                units.removeSubrange(...index)
                hasPart = true
            }
            return hasPart ? microseconds : nil
        }

        /// A whole number of up to seven digits, perhaps with a sign.
        private mutating func signed() -> Int? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            var value = 0
            var digits = 0
            while let digit = number(digits: 1, in: 0...9) {
                value = value * 10 + digit
                digits += 1
                guard digits <= 7 else { return nil }
            }
            guard digits > 0 else { return nil }
            return isNegative ? -value : value
        }

        mutating func separator() -> Bool { take("T") || take("t") || take(" ") }

        /// Microseconds since midnight.
        mutating func time() -> Int? {
            guard let hour = number(digits: 2, in: 0...23), take(":"), let rest = minutesAndSeconds() else {
                return nil
            }
            return hour * 3_600_000_000 + rest
        }

        private mutating func minutesAndSeconds() -> Int? {
            guard let minute = number(digits: 2, in: 0...59) else { return nil }
            guard take(":") else { return minute * 60_000_000 }
            guard let second = number(digits: 2, in: 0...59), let fraction = fraction() else { return nil }
            return (minute * 60 + second) * 1_000_000 + fraction
        }

        /// The millionths that stand behind a point; none without one.
        private mutating func fraction() -> Int? {
            guard take(".") else { return 0 }
            var microseconds = 0
            var digits = 0
            var weight = 100_000
            while let digit = number(digits: 1, in: 0...9) {
                microseconds += digit * weight
                weight /= 10
                digits += 1
            }
            return digits > 0 ? microseconds : nil
        }

        /// Seconds east of UTC: `Z`, `+02`, `+0200`, `+02:00`, and seconds as Postgres writes them for old dates.
        mutating func offset() -> Int? {
            if take("Z") || take("z") { return 0 }
            let isWest = next == UInt8(ascii: "-")
            guard take("+") || take("-"), let hours = number(digits: 2, in: 0...23) else { return nil }
            var seconds = hours * 3600
            if !isAtEnd {
                let isExtended = take(":")
                guard let minutes = number(digits: 2, in: 0...59) else { return nil }
                seconds += minutes * 60
                if isExtended, take(":") {
                    guard let rest = number(digits: 2, in: 0...59) else { return nil }
                    seconds += rest
                }
            }
            return isWest ? -seconds : seconds
        }
    }
}
