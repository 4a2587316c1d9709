import Arithmetic
import Glibc

/// A point in time as Google's headers and bodies spell it, to the millisecond.
public struct Timestamp: Sendable, Hashable {
    /// Milliseconds since the beginning of 1970, UTC.
    public let milliseconds: Int

    /// The seconds of the years 1 to 9999, which dates of four digits can say.
    private static let range = -62_135_596_800...253_402_300_799

    /// Makes a point in time from whole seconds since the beginning of 1970, UTC; what lies beyond the years 1 to 9999 becomes
    /// the nearest of them, so that times can be added and subtracted.
    public init(seconds: Int) {
        milliseconds = min(max(seconds, Self.range.lowerBound), Self.range.upperBound) * 1000
    }

    /// Whole seconds since the beginning of 1970, UTC.
    public var seconds: Int { milliseconds / 1000 }

    /// The system's clock, to the second.
    public static func now() -> Timestamp { Timestamp(seconds: time(nil)) }

    /// Reads RFC 3339, such as `2026-09-30T12:34:56.789Z` or with an offset such as `+02:00`.
    public init?(rfc3339 text: String) {
        let utf8 = Array(text.utf8)
        guard utf8.count >= 20, utf8[10] | 0x20 == UInt8(ascii: "t"),
            let year = Self.number(utf8[0..<4]), let month = Self.number(utf8[5..<7]),
            let day = Self.number(utf8[8..<10]), let clock = Self.clock(utf8[11..<19])
        else { return nil }
        var rest = utf8[19...]
        var fraction = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { Self.isDigit($0) }
            let padded = digits.prefix(3) + [UInt8](repeating: UInt8(ascii: "0"), count: max(0, 3 - digits.count))
            guard !digits.isEmpty, let value = Self.number(padded) else { return nil }
            fraction = value
            rest = rest[digits.endIndex...]
        }
        guard let offset = Self.offset(rest), let days = Self.days(year: year, month: month, day: day) else {
            return nil
        }
        milliseconds = (days * 86400 + clock - offset) * 1000 + fraction
    }

    /// Reads the date of an HTTP header in the form that servers send: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public init?(httpDate text: String) {
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, let day = Int(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = Int(parts[3]), let clock = Self.clock(Array(parts[4].utf8)[...]),
            let days = Self.days(year: year, month: month + 1, day: day)
        else { return nil }
        self.init(seconds: days * 86400 + clock)
    }

    /// RFC 3339 in UTC, to the second: `2026-09-30T12:34:56Z`.
    public var rfc3339: String {
        // Of the day, before 1970 too.
        let second = (seconds % 86_400 + 86_400) % 86_400
        let clock = [second / 3600, second / 60 % 60, second % 60].map { $0.padded(to: 2) }.joined(separator: ":")
        return "\(CivilDate(daysSinceEpoch: (seconds - second) / 86_400).iso8601)T\(clock)Z"
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func number(_ digits: some Collection<UInt8>) -> Int? {
        // Longer ones mean nothing in a date and would not fit a machine's number.
        guard (1...9).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    /// The seconds of `hh:mm:ss`; a leap second counts as the one after it.
    private static func clock(_ utf8: ArraySlice<UInt8>) -> Int? {
        let parts = utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map { number($0) }
        guard parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    /// The seconds of `Z`, `+hh:mm` or `-hh:mm`.
    private static func offset(_ utf8: ArraySlice<UInt8>) -> Int? {
        guard let first = utf8.first else { return nil }
        if first | 0x20 == UInt8(ascii: "z") { return utf8.count == 1 ? 0 : nil }
        let sign = first == UInt8(ascii: "+") ? 1 : first == UInt8(ascii: "-") ? -1 : 0
        guard sign != 0, let value = clock(utf8.dropFirst() + Array(":00".utf8)) else { return nil }
        return sign * value
    }

    /// Days since the beginning of 1970 of a date in the Gregorian calendar.
    private static func days(year: Int, month: Int, day: Int) -> Int? {
        guard (1...9999).contains(year) else { return nil }
        return CivilDate(year: year, month: month, day: day)?.daysSinceEpoch
    }
}

extension Timestamp: Comparable {
    /// Orders from past to future.
    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }
}
