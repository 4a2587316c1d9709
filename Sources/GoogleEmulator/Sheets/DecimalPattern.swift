/// The part of a number format that shows a number by digits.
struct DecimalPattern: Sendable {
    private var prefix = ""
    private var suffix = ""
    private var leastIntegers = 0
    private var leastDecimals = 0
    private var mostDecimals = 0
    private var leastExponent = 0
    private var showsPlus = false
    private var isScientific = false
    private var hasDigits = false
    private var groups = false
    /// What the number is multiplied by: 100 for a percent sign, a thousandth for each comma behind the digits.
    private var factor = 1.0

    init(_ tokens: [PatternToken]) {
        var isBehindPoint = false
        var trailingCommas = 0
        for token in tokens {
            switch token {
            case .digit(let digit):
                hasDigits = true
                if trailingCommas > 0 {
                    groups = true
                    trailingCommas = 0
                }
                if isScientific {
                    leastExponent += 1
                } else if isBehindPoint {
                    mostDecimals += 1
                    if digit == "0" { leastDecimals = mostDecimals }
                } else if digit == "0" {
                    leastIntegers += 1
                }
            case .point: isBehindPoint = true
            case .comma: trailingCommas += 1
            case .percent:
                factor *= 100
                add("%")
            case .exponent(let showsPlus):
                isScientific = true
                self.showsPlus = showsPlus
            case .literal(let text): add(text)
            default: break
            }
        }
        for _ in 0..<trailingCommas { factor /= 1000 }
    }

    private mutating func add(_ text: String) {
        if hasDigits { suffix += text } else { prefix += text }
    }

    /// A number that is not negative.
    func text(_ number: Double) -> String {
        guard hasDigits else { return prefix + suffix }
        return prefix + (isScientific ? scientific(number * factor) : plain(number * factor)) + suffix
    }

    private func plain(_ number: Double) -> String {
        let halves = Decimals.text(number, least: leastDecimals, most: mostDecimals).split(separator: ".")
        var integer = String(halves[0])
        if leastIntegers == 0, integer == "0", halves.count > 1 { integer = "" }
        integer = String(repeating: "0", count: max(0, leastIntegers - integer.count)) + integer
        if groups { integer = Self.group(integer) }
        return halves.count > 1 ? integer + "." + halves[1] : integer
    }

    private func scientific(_ number: Double) -> String {
        var exponent = 0
        var mantissa = number
        while mantissa >= 10 {
            mantissa /= 10
            exponent += 1
        }
        while mantissa > 0, mantissa < 1 {
            mantissa *= 10
            exponent -= 1
        }
        let digits = String(exponent.magnitude)
        let sign = exponent < 0 ? "-" : showsPlus ? "+" : ""
        return Decimals.text(mantissa, least: leastDecimals, most: mostDecimals) + "E" + sign
            + String(repeating: "0", count: max(0, leastExponent - digits.count)) + digits
    }

    private static func group(_ digits: String) -> String {
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result
    }
}
