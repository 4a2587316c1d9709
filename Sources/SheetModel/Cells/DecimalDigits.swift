/// A decimal number as its significant digits, to compare what a text says with what a double holds.
struct DecimalDigits: Hashable {
    /// Whether a minus stands before it; zero has none.
    let isNegative: Bool
    /// The digits without zeros at either end; none for zero.
    let digits: [UInt8]
    /// The power of ten that the digits, read as an integer, are multiplied with; 0 for zero.
    let exponent: Int

    /// Reads the spelling that JSON allows (`-12.50`, `1e6`; no plus, no leading zeros); nil for any other.
    init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { bytes.removeFirst() }
        let whole = bytes.prefix(while: Self.isDigit)
        guard let first = whole.first, first != UInt8(ascii: "0") || whole.count == 1 else { return nil }
        bytes = bytes[whole.endIndex...]
        var digits = Array(whole)
        var exponent = 0
        if bytes.first == UInt8(ascii: ".") {
            let fraction = bytes.dropFirst().prefix(while: Self.isDigit)
            guard !fraction.isEmpty else { return nil }
            digits += fraction
            exponent = -fraction.count
            bytes = bytes[fraction.endIndex...]
        }
        if let mark = bytes.first, mark | 0x20 == UInt8(ascii: "e") {
            guard let power = Self.power(bytes.dropFirst()) else { return nil }
            exponent += power
            bytes = []
        }
        guard bytes.isEmpty else { return nil }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        digits = Array(digits.drop { $0 == UInt8(ascii: "0") })
        self.isNegative = isNegative && !digits.isEmpty
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
    }

    /// The power of ten; a billion stands for every larger one, far beyond all doubles.
    private static func power(_ bytes: ArraySlice<UInt8>) -> Int? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative || bytes.first == UInt8(ascii: "+") ? bytes.dropFirst() : bytes
        guard !digits.isEmpty, digits.allSatisfy(isDigit) else { return nil }
        let size = min(Int(String(decoding: digits, as: UTF8.self)) ?? .max, 1_000_000_000)
        return isNegative ? -size : size
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    static let zero = DecimalDigits(digits: [])
    static let one = DecimalDigits(digits: [UInt8(ascii: "1")])

    private init(digits: [UInt8]) {
        isNegative = false
        self.digits = digits
        exponent = 0
    }

    /// Whether a text is a program's word for a number that is none: NaN, or infinity with or without a sign.
    static func isWordForNone(_ text: String) -> Bool {
        // The longest is -Infinity.
        text.utf8.count <= 9 && (text.lowercased() == "nan" || isInfinity(text))
    }

    /// Whether a text is a word for infinity: `Infinity`, `-Infinity`, `inf`.
    static func isInfinity(_ text: String) -> Bool {
        let word = text.utf8.count <= 9 ? text.lowercased() : ""
        return ["infinity", "inf"].contains(word.first == "-" || word.first == "+" ? word.dropFirst() : word[...])
    }

    /// Whether it has no fraction.
    var isWhole: Bool { exponent >= 0 }

    /// The double that holds every digit; nil where the nearest one says something else.
    ///
    /// A double "says" its shortest spelling that reads back as itself, and its value rounded to up to 17 digits, which is how
    /// programs write doubles: 0.1 is held although binary has no exact tenth, and so is 0.10000000000000001, but not 2^53 + 1.
    func exactDouble(spelled text: String) -> Double? {
        guard let value = Double(text), value.isFinite, value != 0 || digits.isEmpty else { return nil }
        // Fifteen digits always come back from a double.
        if digits.count <= 15, abs(exponent) < 290 { return value }
        if DecimalDigits(value.description) == self { return value }
        return digits.count <= 17 && Self.digits(of: value.magnitude, rounded: digits.count) == digits ? value : nil
    }

    /// The first digits of a double's exact value, rounded, without zeros at their end.
    private static func digits(of value: Double, rounded count: Int) -> [UInt8] {
        // The value is whole * 2^power, with digits from the last to the first: multiplied by 2, or by 5 where the power is
        // negative, which is the same but for the point.
        var digits = String(UInt64(value.significand * 0x1p52)).utf8.reversed().map { UInt64($0 - UInt8(ascii: "0")) }
        let power = Int(value.exponent) - 52
        var rest = abs(power)
        while rest > 0 {
            let step = min(rest, 20)
            var factor: UInt64 = 1
            for _ in 0..<step { factor *= power > 0 ? 2 : 5 }
            var carry: UInt64 = 0
            for index in digits.indices {
                carry += digits[index] * factor
                digits[index] = carry % 10
                carry /= 10
            }
            while carry > 0 {
                digits.append(carry % 10)
                carry /= 10
            }
            rest -= step
        }
        var first = Array(digits.reversed().prefix(count + 1))
        // Half is rounded up: a value in the middle between two decimals of so many digits is neither of them.
        if first.count > count, first.removeLast() >= 5 {
            var index = first.count - 1
            while index >= 0, first[index] == 9 {
                first[index] = 0
                index -= 1
            }
            if index >= 0 { first[index] += 1 } else { first.insert(1, at: 0) }
        }
        while first.last == 0 { first.removeLast() }
        return first.map { UInt8(ascii: "0") + UInt8($0) }
    }
}
