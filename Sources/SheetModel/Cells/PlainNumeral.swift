/// A number's text that is spelled as a double of the same value is, but perhaps for zeros at its end.
///
/// Nearly every number is, and says so without ever being made a double.
struct PlainNumeral {
    /// The bytes to take: without the zeros that end a fraction, and without the point where none is left.
    let count: Int
    /// How many of them come before the point, with the sign.
    let wholeCount: Int

    /// Looks at a number as JSON spells it; nil where its double may be spelled otherwise.
    init?(_ text: Span<UInt8>) {
        // Fifteen digits always come back from a double, and none so short is spelled with an exponent, but for the tiny ones.
        guard text.count <= 15 else { return nil }
        let first = text[0] == UInt8(ascii: "-") ? 1 : 0
        var point = text.count
        for index in first..<text.count where text[index] &- UInt8(ascii: "0") > 9 {
            guard text[index] == UInt8(ascii: "."), point == text.count else { return nil }
            point = index
        }
        var end = text.count
        if point < end {
            while text[end - 1] == UInt8(ascii: "0") { end -= 1 }
            if end == point + 1 { end = point }
        }
        if text[first] == UInt8(ascii: "0") {
            // Minus zero is one, and so is what may be below a ten thousandth.
            guard end == point ? first == 0 : text[point + 1] != UInt8(ascii: "0") else { return nil }
        }
        count = end
        wholeCount = point
    }
}
