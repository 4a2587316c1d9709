/// The part of a number format that shows a number as a date and a time.
///
/// The number counts days since 1899-12-30, its fraction is the time of the day.
struct DatePattern: Sendable {
    private let tokens: [PatternToken]
    private let hasHalfDay: Bool
    /// The decimals of the seconds.
    private let decimals: Int

    init(_ tokens: [PatternToken]) {
        var tokens = tokens
        // An m is a minute beside hours or seconds, else a month.
        let dates = tokens.indices.filter { tokens[$0].isDate }
        for (place, index) in dates.enumerated() {
            guard case .date("m", let count) = tokens[index], count <= 2 else { continue }
            let isAfterHour = place > 0 && Self.isLetter(tokens[dates[place - 1]], "h")
            let isBeforeSecond = place + 1 < dates.count && Self.isLetter(tokens[dates[place + 1]], "s")
            if isAfterHour || isBeforeSecond { tokens[index] = .date("n", count: count) }
        }
        self.tokens = tokens
        hasHalfDay = tokens.contains {
            if case .halfDay = $0 { return true }
            return false
        }
        decimals = tokens.count { if case .digit = $0 { true } else { false } }
    }

    private static func isLetter(_ token: PatternToken, _ letter: Character) -> Bool {
        switch token {
        case .date(letter, _), .elapsed(letter, _): true
        default: false
        }
    }

    /// The number as a date and a time.
    func text(_ number: Double) -> String {
        guard number.isFinite, number.magnitude < 3_000_000 else { return "#NUM!" }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let ticks = Int((number * 86_400 * Double(scale)).rounded())
        let perDay = 86_400 * scale
        let days = ticks >= 0 ? ticks / perDay : -((perDay - 1 - ticks) / perDay)
        let rest = ticks - days * perDay
        // 25,569 days lie between 1899-12-30 and 1970-01-01.
        let day = CivilDate(daysSince1970: days - 25_569)
        let second = rest / scale
        var result = ""
        var shownDecimals = 0
        for token in tokens {
            switch token {
            case .literal(let text): result += text
            case .halfDay(let isShort):
                result += second < 43_200 ? (isShort ? "A" : "AM") : isShort ? "P" : "PM"
            case .date(let letter, let count): result += part(letter, count, day, second)
            case .elapsed(let letter, let count):
                let seconds = ticks.magnitude / UInt(scale)
                let value = letter == "h" ? seconds / 3600 : letter == "m" ? seconds / 60 : seconds
                result += (ticks < 0 ? "-" : "") + pad(Int(value), count)
            case .point: result += "."
            case .comma: result += ","
            case .digit:
                shownDecimals += 1
                let digits = pad(rest % scale, decimals)
                result.append(digits[digits.index(digits.startIndex, offsetBy: shownDecimals - 1)])
            case .percent: result += "%"
            case .exponent, .general: break
            }
        }
        return result
    }

    private func part(_ letter: Character, _ count: Int, _ day: CivilDate, _ second: Int) -> String {
        switch letter {
        case "y": return count <= 2 ? pad(day.year % 100, 2) : pad(day.year, 4)
        case "m":
            switch count {
            case 1, 2: return pad(day.month, count)
            case 3: return String(day.monthName.prefix(3))
            case 5: return String(day.monthName.prefix(1))
            default: return day.monthName
            }
        case "d":
            switch count {
            case 1, 2: return pad(day.day, count)
            case 3: return String(day.weekday.prefix(3))
            default: return day.weekday
            }
        case "h":
            let hour = second / 3600
            return pad(hasHalfDay ? (hour + 11) % 12 + 1 : hour, min(count, 2))
        case "n": return pad(second / 60 % 60, count)
        default: return pad(second % 60, min(count, 2))
        }
    }

    private func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
