/// Decimal digits of a number that is not negative.
enum Decimals {
    /// The number rounded half away from zero to at most so many decimals, with at least so many.
    static func text(_ number: Double, least: Int, most: Int) -> String {
        guard number.isFinite else { return "#NUM!" }
        let (digits, scale) = decimal(number)
        var integer: [UInt8]
        var fraction: [UInt8]
        if scale >= 0 {
            integer = digits + [UInt8](repeating: 0, count: scale)
            fraction = []
        } else if digits.count > -scale {
            integer = Array(digits.dropLast(-scale))
            fraction = Array(digits.suffix(-scale))
        } else {
            integer = [0]
            fraction = [UInt8](repeating: 0, count: -scale - digits.count) + digits
        }
        if fraction.count > most {
            let roundsUp = fraction[most] >= 5
            fraction.removeLast(fraction.count - most)
            if roundsUp { increment(&integer, &fraction) }
        }
        while fraction.count > least, fraction.last == 0 { fraction.removeLast() }
        while fraction.count < least { fraction.append(0) }
        let text = String(decoding: integer.map { $0 + 48 }, as: UTF8.self)
        return fraction.isEmpty ? text : text + "." + String(decoding: fraction.map { $0 + 48 }, as: UTF8.self)
    }

    /// The shortest digits that mean the number, and the power of ten behind them.
    private static func decimal(_ number: Double) -> (digits: [UInt8], scale: Int) {
        var digits: [UInt8] = []
        var scale = 0
        var isFraction = false
        let text = number.description
        let mantissa = text.prefix { $0 != "e" }
        for byte in mantissa.utf8 {
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else {
                digits.append(byte - 48)
                if isFraction { scale -= 1 }
            }
        }
        scale += Int(text.dropFirst(mantissa.count + 1)) ?? 0
        while digits.count > 1, digits.last == 0 {
            digits.removeLast()
            scale += 1
        }
        while digits.count > 1, digits.first == 0 { digits.removeFirst() }
        return (digits, scale)
    }

    private static func increment(_ integer: inout [UInt8], _ fraction: inout [UInt8]) {
        var all = integer + fraction
        var index = all.count - 1
        while index >= 0 {
            if all[index] < 9 {
                all[index] += 1
                break
            }
            all[index] = 0
            index -= 1
        }
        if index < 0 { all.insert(1, at: 0) }
        fraction = Array(all.suffix(fraction.count))
        integer = Array(all.dropLast(fraction.count))
    }
}
