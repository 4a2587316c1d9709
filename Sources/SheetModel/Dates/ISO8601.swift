/// Reads dates and times as ISO 8601 and Postgres spell them, into the serial numbers of Sheets.
///
/// A serial number counts days since 1899-12-30, and goes on evenly below zero: noon of the day before is -0.5.
/// Years are 0001 to 9999; fractions of a second count to the microsecond.
enum ISO8601 {
    /// A date: `2026-11-22`.
    static func date(_ text: String) -> Double? {
        var scanner = Scanner(text)
        guard let day = scanner.date(), scanner.isAtEnd else { return nil }
        return Double(day.daysSinceEpoch + epochSerial)
    }

    /// A time of day as a fraction of a day: `09:30`, `09:30:15.25`.
    static func time(_ text: String) -> Double? {
        var scanner = Scanner(text)
        guard let time = scanner.time(), scanner.isAtEnd else { return nil }
        return Double(time) / microsecondsPerDay
    }

    /// A date and a time with `T` or a space between; with `Z` or an offset, the time that clocks in the zone show then.
    static func datetime(_ text: String, in zone: TimeZoneRules) -> Double? {
        var scanner = Scanner(text)
        guard let day = scanner.date(), scanner.separator(), let time = scanner.time() else { return nil }
        var microseconds = day.daysSinceEpoch * 86_400_000_000 + time
        if !scanner.isAtEnd {
            guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
            microseconds -= offset * 1_000_000
            // Rounded down, below 1970 too.
            let seconds = microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
            microseconds += zone.offset(at: Int64(seconds)) * 1_000_000
        }
        // One division of whole numbers rounds once, where adding a fraction to a day would round twice.
        return Double(microseconds + epochSerial * 86_400_000_000) / microsecondsPerDay
    }

    private static let epochSerial = 25_569
    private static let microsecondsPerDay = 86_400_000_000.0

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

        mutating func separator() -> Bool { take("T") || take("t") || take(" ") }

        /// Microseconds since midnight.
        mutating func time() -> Int? {
            guard let hour = number(digits: 2, in: 0...23), take(":"), let minute = number(digits: 2, in: 0...59) else {
                return nil
            }
            var microseconds = (hour * 60 + minute) * 60_000_000
            guard take(":") else { return microseconds }
            guard let second = number(digits: 2, in: 0...59) else { return nil }
            microseconds += second * 1_000_000
            guard take(".") else { return microseconds }
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
