import FoundationEssentials

/// A moment in UTC, to the millisecond.
struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970.
    var milliseconds: Int

    /// The present moment.
    static var now: Timestamp { Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000)) }

    static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// Seconds since 1970, rounded down.
    var seconds: Int { milliseconds >= 0 ? milliseconds / 1000 : -((999 - milliseconds) / 1000) }

    /// The moment so many seconds later.
    func adding(seconds: Int) -> Timestamp { Timestamp(milliseconds: milliseconds + seconds * 1000) }

    /// The beginning of its minute.
    var minute: Timestamp { Timestamp(milliseconds: milliseconds / 60_000 * 60_000) }

    /// The moment as Drive writes it: `2026-11-22T18:25:10.123Z`.
    var rfc3339: String {
        let day = CivilDate(daysSince1970: Self.floorDivide(seconds, 86_400))
        let rest = seconds - Self.floorDivide(seconds, 86_400) * 86_400
        let fraction = milliseconds - seconds * 1000
        return "\(day.iso)T\(Self.pad(rest / 3600)):\(Self.pad(rest / 60 % 60)):\(Self.pad(rest % 60))."
            + "\(Self.pad(fraction, 3))Z"
    }

    /// The moment for people, in UTC: `2026-11-22 18:25:10`.
    var text: String { String(rfc3339.prefix(19).replacing("T", with: " ")) }

    /// The moment as HTTP's header `Date` has it: `Sun, 22 Nov 2026 18:25:10 GMT`.
    var httpDate: String {
        let days = Self.floorDivide(seconds, 86_400)
        let day = CivilDate(daysSince1970: days)
        let rest = seconds - days * 86_400
        return "\(day.weekday.prefix(3)), \(Self.pad(day.day)) \(day.monthName.prefix(3)) \(Self.pad(day.year, 4)) "
            + "\(Self.pad(rest / 3600)):\(Self.pad(rest / 60 % 60)):\(Self.pad(rest % 60)) GMT"
    }

    /// Reads RFC 3339 as Drive's queries allow it: `2012-06-04T12:00:00`, with or without fraction and offset.
    init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            return Int(String(decoding: bytes[range], as: UTF8.self))
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"), (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        var total = CivilDate(year: year, month: month, day: day).daysSince1970 * 86_400_000
        var position = 10
        if position < bytes.count {
            guard bytes[position] | 0x20 == UInt8(ascii: "t"), let hour = number(11..<13), let minute = number(14..<16),
                let second = number(17..<19), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":")
            else { return nil }
            total += (hour * 3600 + minute * 60 + second) * 1000
            position = 19
            if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
                position += 1
                var scale = 100
                while position < bytes.count, (48...57).contains(bytes[position]) {
                    total += Int(bytes[position] - 48) * scale
                    scale /= 10
                    position += 1
                }
            }
            if position < bytes.count, bytes[position] | 0x20 != UInt8(ascii: "z") {
                guard let hours = number(position + 1..<position + 3), let minutes = number(position + 4..<position + 6)
                else { return nil }
                let offset = (hours * 60 + minutes) * 60_000
                total += bytes[position] == UInt8(ascii: "-") ? offset : -offset
                position += 5
            }
            guard position == bytes.count || position + 1 == bytes.count else { return nil }
        }
        milliseconds = total
    }

    init(milliseconds: Int) { self.milliseconds = milliseconds }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
    }

    private static func pad(_ number: Int, _ width: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
