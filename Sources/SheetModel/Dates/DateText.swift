import Arithmetic

/// Reads dates and times in the one spelling that Postgres has for them, straight from its bytes.
///
/// Everything else, such as infinity, years before Christ and beyond 9999, is not read.
enum DateText {
    static let microsecondsPerDay = 86_400_000_000
    /// The days from Sheets' day 0 (1899-12-30) to 1970-01-01.
    static let epochSerial = 25_569
    /// The microseconds since 1970-01-01 00:00 of the years 1 to 9999.
    static let years = -719_162 * microsecondsPerDay..<2_932_897 * microsecondsPerDay

    /// The serial number of a moment, of whose local time these are the microseconds since 1970-01-01 00:00.
    static func serial(ofMoment microseconds: Int) -> Double {
        // One division of whole numbers rounds once, where adding a fraction to a day would round twice.
        Double(microseconds + epochSerial * microsecondsPerDay) / Double(microsecondsPerDay)
    }

    /// The second in which a moment lies, rounded down before 1970 too.
    static func second(ofMoment microseconds: Int) -> Int {
        microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
    }

    /// The days since 1970-01-01 of `2026-11-22`.
    static func days(_ text: Span<UInt8>) -> Int? {
        text.count == 10 ? days(text, at: 0) : nil
    }

    /// The microseconds since midnight of `09:30:15.25`.
    static func time(_ text: Span<UInt8>) -> Int? { time(text, from: 0, to: text.count) }

    /// The microseconds since 1970-01-01 00:00 of `2026-11-22 09:30:15.25`; with `+05:30` behind it, of that moment in UTC.
    static func timestamp(_ text: Span<UInt8>, hasOffset: Bool) -> Int? {
        var end = text.count
        var offset = 0
        if hasOffset {
            guard let sign = signOfOffset(text), let seconds = self.offset(text, from: sign) else { return nil }
            (end, offset) = (sign, seconds)
        }
        guard end >= 19, text[10] == UInt8(ascii: " "), let days = days(text, at: 0),
            let time = time(text, from: 11, to: end)
        else { return nil }
        return days * microsecondsPerDay + time - offset * 1_000_000
    }

    /// Where an offset begins: the last plus or minus behind the date.
    private static func signOfOffset(_ text: Span<UInt8>) -> Int? {
        var index = text.count - 1
        while index > 10 {
            if text[index] == UInt8(ascii: "+") || text[index] == UInt8(ascii: "-") { return index }
            index -= 1
        }
        return nil
    }

    /// The seconds east of UTC: `+00`, `-03:30`, and `+00:53:28` for old dates.
    private static func offset(_ text: Span<UInt8>, from sign: Int) -> Int? {
        var seconds = 0
        var unit = 3600
        var index = sign + 1
        while unit > 0 {
            guard index + 2 <= text.count, let part = number(text, at: index) else { return nil }
            seconds += part * unit
            index += 2
            if index == text.count { return text[sign] == UInt8(ascii: "-") ? -seconds : seconds }
            guard text[index] == UInt8(ascii: ":") else { return nil }
            index += 1
            unit /= 60
        }
        return nil
    }

    private static func days(_ text: Span<UInt8>, at start: Int) -> Int? {
        guard text[start + 4] == UInt8(ascii: "-"), text[start + 7] == UInt8(ascii: "-"),
            let century = number(text, at: start), let years = number(text, at: start + 2),
            let month = number(text, at: start + 5), let day = number(text, at: start + 8)
        else { return nil }
        return CivilDate(year: century * 100 + years, month: month, day: day)?.daysSinceEpoch
    }

    private static func time(_ text: Span<UInt8>, from start: Int, to end: Int) -> Int? {
        guard end >= start + 8, text[start + 2] == UInt8(ascii: ":"), text[start + 5] == UInt8(ascii: ":"),
            let hours = number(text, at: start), hours < 24, let minutes = number(text, at: start + 3),
            let seconds = number(text, at: start + 6)
        else { return nil }
        var microseconds = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000
        guard end > start + 8 else { return microseconds }
        guard text[start + 8] == UInt8(ascii: "."), end > start + 9, end <= start + 15 else { return nil }
        var weight = 100_000
        for index in start + 9..<end {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            microseconds += Int(digit) * weight
            weight /= 10
        }
        return microseconds
    }

    /// Two digits.
    private static func number(_ text: Span<UInt8>, at index: Int) -> Int? {
        let tens = text[index] &- UInt8(ascii: "0")
        let ones = text[index + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens) * 10 + Int(ones) : nil
    }
}
