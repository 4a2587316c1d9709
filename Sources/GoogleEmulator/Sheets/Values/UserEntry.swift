import JSON

/// What Sheets makes of a text that a person types into a cell.
struct UserEntry: Sendable {
    let value: CellValue
    /// The number format that comes with the spelling; nil for none.
    private(set) var format: (type: String, pattern: String)?

    /// Takes a value as it is.
    init(unparsed value: CellValue) { self.init(value) }

    private init(_ value: CellValue, _ type: String? = nil, _ pattern: String = "") {
        self.value = value
        format = type.map { ($0, pattern) }
    }

    /// Reads a text: a formula, a number, a percentage, an amount of money, a date, a time, a truth value, or else text.
    ///
    /// - Parameters:
    ///   - dayFirst: whether `1/2/2026` is in February
    init(_ text: String, dayFirst: Bool = false) {
        if text.isEmpty {
            self.init(.empty)
        } else if text.first == "'" {
            self.init(text.utf8.count == 1 ? .empty : .text(String(text.dropFirst())))
        } else if text.first == "=", text.utf8.count > 1 {
            self.init(.formula(text))
        } else {
            let trimmed = Self.trimmed(text)
            self = Self.number(trimmed) ?? Self.truth(trimmed) ?? Self.moment(trimmed, dayFirst) ?? .init(.text(text))
        }
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...]
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }

    private static func truth(_ text: Substring) -> UserEntry? {
        switch text.lowercased() {
        case "true": UserEntry(.boolean(true))
        case "false": UserEntry(.boolean(false))
        default: nil
        }
    }

    private static func number(_ text: Substring) -> UserEntry? {
        guard text.utf8.contains(where: A1.isDigit) else { return nil }
        var rest = text
        var sign = 1.0
        var currency: Character?
        if rest.first == "(", rest.last == ")" {
            rest = rest.dropFirst().dropLast()
            sign = -1
        } else if let first = rest.first, first == "-" || first == "+" {
            rest.removeFirst()
            sign = first == "-" ? -1 : 1
        }
        if let first = rest.first, "$€£¥".contains(first) {
            rest.removeFirst()
            currency = first
        }
        let isPercent = rest.last == "%"
        if isPercent { rest.removeLast() }
        guard let (magnitude, isGrouped, decimals, isScientific) = magnitude(rest) else { return nil }
        guard !isPercent || currency == nil else { return nil }
        let number = sign * magnitude
        if isPercent { return UserEntry(.number(number / 100), "PERCENT", decimals > 0 ? "0.00%" : "0%") }
        if let currency {
            let symbol = currency == "$" ? "$" : "[$\(currency)]"
            return UserEntry(.number(number), "CURRENCY", symbol + (decimals > 0 ? "#,##0.00" : "#,##0"))
        }
        if isScientific { return UserEntry(.number(number), "SCIENTIFIC", "0.00E+00") }
        if isGrouped { return UserEntry(.number(number), "NUMBER", decimals > 0 ? "#,##0.00" : "#,##0") }
        return UserEntry(.number(number))
    }

    /// Digits with groups of three, decimals and a power of ten.
    private static func magnitude(
        _ text: Substring
    ) -> (number: Double, isGrouped: Bool, decimals: Int, isScientific: Bool)? {
        let halves = text.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
        if halves.count == 2 {
            let digits = halves[1].drop { $0 == "+" || $0 == "-" }
            guard !digits.isEmpty, halves[1].count - digits.count <= 1, digits.utf8.allSatisfy(A1.isDigit) else {
                return nil
            }
        }
        let parts = halves[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let groups = parts[0].split(separator: ",", omittingEmptySubsequences: false)
        let decimals = parts.count > 1 ? parts[1] : ""
        guard groups.allSatisfy({ $0.utf8.allSatisfy(A1.isDigit) }), decimals.utf8.allSatisfy(A1.isDigit),
            groups.count == 1 || (!groups[0].isEmpty && groups.dropFirst().allSatisfy { $0.utf8.count == 3 }),
            !(parts[0].isEmpty && decimals.isEmpty)
        else { return nil }
        var digits = groups.joined()
        if digits.isEmpty { digits = "0" }
        let exponent = halves.count == 2 ? "e" + halves[1] : ""
        guard let number = Double(digits + "." + (decimals.isEmpty ? "0" : String(decimals)) + exponent),
            number.isFinite
        else { return nil }
        return (number, groups.count > 1, decimals.utf8.count, halves.count == 2)
    }

    private static func moment(_ text: Substring, _ dayFirst: Bool) -> UserEntry? {
        let parts = text.split(maxSplits: 1) { $0 == " " || $0 == "T" }
        guard let first = parts.first else { return nil }
        if let (days, pattern) = date(first, dayFirst) {
            guard parts.count > 1 else { return UserEntry(.number(Double(days)), "DATE", pattern) }
            guard let (fraction, timePattern) = time(parts[1]) else { return nil }
            return UserEntry(.number(Double(days) + fraction), "DATE_TIME", pattern + " " + timePattern)
        }
        return time(text).map { UserEntry(.number($0.fraction), "TIME", $0.pattern) }
    }

    /// `2026-11-22`, `11/22/2026` or `22.11.2026` as days since 1899-12-30.
    private static func date(_ text: Substring, _ dayFirst: Bool) -> (days: Int, pattern: String)? {
        guard let mark = text.first(where: { "-/.".contains($0) }) else { return nil }
        let parts = text.split(separator: mark, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy(A1.isDigit) ? Int($0) : nil }
        guard parts.count == 3, numbers.count == 3 else { return nil }
        let isISO = parts[0].utf8.count == 4
        guard isISO || (parts[2].utf8.count == 4 || parts[2].utf8.count == 2) else { return nil }
        let isDayFirst = mark == "." || dayFirst
        var year = isISO ? numbers[0] : numbers[2]
        if year < 100, !isISO { year += year < 30 ? 2000 : 1900 }
        let month = isISO ? numbers[1] : isDayFirst ? numbers[1] : numbers[0]
        let day = isISO ? numbers[2] : isDayFirst ? numbers[0] : numbers[1]
        guard (1...12).contains(month), (1...31).contains(day) else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        // A day that the month does not have comes back as one of the next month.
        guard CivilDate(daysSince1970: days).day == day else { return nil }
        if isISO, mark == "-" { return (days + 25_569, "yyyy-mm-dd") }
        let separator = String(mark)
        let order = isISO ? ["yyyy", "m", "d"] : isDayFirst ? ["dd", "mm", "yyyy"] : ["m", "d", "yyyy"]
        return (days + 25_569, order.joined(separator: separator))
    }

    /// `18:25`, `18:25:10.5` or `6:25 pm` as a part of a day.
    private static func time(_ text: Substring) -> (fraction: Double, pattern: String)? {
        var rest = text.lowercased()[...]
        let half = ["am", "pm"].first { rest.hasSuffix($0) }
        if half != nil { rest = rest.dropLast(2) }
        while rest.last == " " { rest.removeLast() }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0].utf8.allSatisfy(A1.isDigit), parts[1].utf8.count == 2,
            var hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, minute >= 0,
            let second = parts.count > 2 ? Double(parts[2]) : 0, (0..<60).contains(second)
        else { return nil }
        if let half {
            guard (1...12).contains(hour) else { return nil }
            hour = hour % 12 + (half == "pm" ? 12 : 0)
        }
        let pattern = (parts.count > 2 ? "h:mm:ss" : "h:mm") + (half == nil ? "" : " am/pm")
        return ((Double(hour * 3600 + minute * 60) + second) / 86_400, pattern)
    }
}
