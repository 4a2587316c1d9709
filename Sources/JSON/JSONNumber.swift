/// A number as JSON spells it.
public struct JSONNumber: Sendable, Hashable {
    /// The digits as they stood in the text, or as Swift spells the value it was made of.
    public let text: String

    /// Takes a spelling that the parser has already checked.
    init(checked text: String) { self.text = text }

    /// Makes a number from a whole number.
    public init(_ value: some BinaryInteger) { text = String(value) }

    /// Makes a number from a double; nil for one that JSON cannot say.
    ///
    /// A double that is whole is spelled without its `.0` where a 64-bit integer holds it.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        if let whole = Int64(exactly: value), whole != 0 || value.sign == .plus {
            text = String(whole)
        } else {
            text = value.description
        }
    }

    /// The value as a whole number, where it is spelled as one and fits 64 bits.
    public var int: Int? { Int(text) }

    /// The nearest double; infinite where the number is beyond every double.
    public var double: Double { Double(text) ?? .nan }

    /// Whether it is spelled without fraction and exponent.
    public var isInteger: Bool { text.utf8.allSatisfy { $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") } }
}
