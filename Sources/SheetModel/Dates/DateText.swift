/// Reads dates and times in the one spelling that Postgres has for them, straight from its bytes.
///
/// Everything else, such as infinity, years before Christ and beyond 9999, is not read.
enum DateText {
    static let microsecondsPerDay = 86_400_000_000
    /// The days from Sheets' day 0 (1899-12-30) to 1970-01-01.
    static let epochSerial = 25_569

    /// The days since 1970-01-01 of `2026-11-22`.
    static func days(_ text: Span<UInt8>) -> Int? {
        text.count == 10 ? days(text, at: 0) : nil
    }

    /// The microseconds since midnight of `09:30:15.25`.
    static func time(_ text: Span<UInt8>) -> Int? { time(text, from: 0, to: text.count) }

    /// The microseconds since 1970-01-01 00:00 of `2026-11-22 09:30:15.25`, or with `+00` behind it.
    static func timestamp(_ text: Span<UInt8>, inUTC: Bool) -> Int? {
        var end = text.count
        if inUTC {
            guard end >= 3, text[end - 3] == UInt8(ascii: "+"), text[end - 2] == UInt8(ascii: "0"),
                text[end - 1] == UInt8(ascii: "0")
            else { return nil }
            end -= 3
        }
        guard end >= 19, text[10] == UInt8(ascii: " "), let days = days(text, at: 0),
            let time = time(text, from: 11, to: end)
        else { return nil }
        return days * microsecondsPerDay + time
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
