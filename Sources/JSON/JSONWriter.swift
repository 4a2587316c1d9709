/// Writes compact JSON straight into bytes, so that a large request never exists as a tree of values.
///
///     var writer = JSONWriter()
///     writer.object {
///         $0.member("title", "Sales")
///         $0.array("rows") { $0.element(42) }
///     }
///
/// Commas are the writer's business. It trusts its caller to use `member` in objects and `element` in arrays.
public struct JSONWriter: Sendable {
    /// What has been written so far, as UTF-8.
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Makes an empty writer with room for so many bytes.
    public init(reserving capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Writes an object as the next value: the whole text, or an element of an array.
    public mutating func object(_ content: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    /// Writes an array as the next value.
    public mutating func array(_ content: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    /// Writes a member whose value is an object.
    public mutating func object(_ name: String, _ content: (inout JSONWriter) -> Void) {
        self.name(name)
        object(content)
    }

    /// Writes a member whose value is an array.
    public mutating func array(_ name: String, _ content: (inout JSONWriter) -> Void) {
        self.name(name)
        array(content)
    }

    /// Writes a member.
    public mutating func member(_ name: String, _ value: JSON) {
        self.name(name)
        element(value)
    }

    /// Writes an element of an array, or the whole text.
    public mutating func element(_ value: JSON) {
        switch value {
        case .null: raw("null".utf8)
        case .bool(let value): raw((value ? "true" : "false").utf8)
        case .number(let number): raw(number.text.utf8)
        case .string(let text): string(text)
        case .array(let elements): array { for element in elements { $0.element(element) } }
        case .text(let text): array { for element in text { $0.element(element) } }
        case .object(let members): object { for member in members { $0.member(member.name, member.value) } }
        }
    }

    /// Writes a string as the next value, without making a `JSON` of it.
    public mutating func string(_ text: String) {
        separate()
        quote(text)
    }

    /// Writes bytes that are JSON already as the next value.
    public mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes += json
    }

    /// Writes a member's name; its value must follow.
    public mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func nest(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        separate()
        bytes.append(open)
        needsComma = false
        content(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if Self.isPlain(text.utf8Span.span) { bytes += text.utf8 } else { escape(text) }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether a text stands between quotes as it is, which nearly every text does.
    private static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            let byte = text[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
        }
        return true
    }

    private mutating func escape(_ text: String) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 0x0D: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 0x09: bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                bytes += Array("\\u".utf8) + [UInt8](repeating: UInt8(ascii: "0"), count: 4 - digits.utf8.count)
                bytes += digits.utf8
            default: bytes.append(byte)
            }
        }
    }
}

extension JSON: CustomStringConvertible {
    /// The value as compact JSON, in UTF-8.
    public var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.element(self)
        return writer.bytes
    }

    /// The value as compact JSON.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
