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

    /// Whether it has no fraction.
    var isWhole: Bool { exponent >= 0 }

    /// The double that holds every digit; nil where the nearest one says something else.
    ///
    /// A double "says" its shortest spelling that reads back as itself: 0.1 is held although binary has no exact tenth.
    func exactDouble(spelled text: String) -> Double? {
        guard let value = Double(text), value.isFinite, value != 0 || digits.isEmpty else { return nil }
        // Fifteen digits always come back from a double.
        if digits.count <= 15, abs(exponent) < 290 { return value }
        return DecimalDigits(value.description) == self ? value : nil
    }
}
