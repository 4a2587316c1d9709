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
    @usableFromInline var storage: [UInt8] = []
    private var needsComma = false

    /// What has been written so far, as UTF-8.
    public var bytes: [UInt8] { storage }
    /// How many bytes that is.
    public var count: Int { storage.count }

    /// Makes an empty writer with room for so many bytes.
    public init(reserving capacity: Int = 0) { storage.reserveCapacity(capacity) }

    /// Forgets what has been written, and keeps the room for it.
    public mutating func removeAll() {
        storage.removeAll(keepingCapacity: true)
        needsComma = false
    }

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
        storage += json
    }

    /// Writes a member's name; its value must follow.
    public mutating func name(_ name: String) {
        separate()
        quote(name)
        storage.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func nest(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        separate()
        storage.append(open)
        needsComma = false
        content(&self)
        storage.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { storage.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func quote(_ text: String) { append(string: text.utf8Span.span) }
}

/// Pieces of JSON as they are, for a writer that must not make a value of each cell; commas are the caller's business.
extension JSONWriter {
    /// Writes a byte.
    @inlinable
    public mutating func append(_ byte: UInt8) { storage.append(byte) }

    /// Writes bytes.
    @inlinable
    public mutating func append(_ text: Span<UInt8>) {
        unsafe text.withUnsafeBytes { bytes in unsafe copy(bytes) }
    }

    /// Writes a word; inlined, because a word of known length is no call but a few moves.
    @inlinable @inline(__always)
    public mutating func append(_ word: StaticString) {
        unsafe copy(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }

    /// Writes bytes between two words, which is quicker than one after another.
    @inlinable @inline(__always)
    public mutating func append(_ before: StaticString, _ text: Span<UInt8>, _ behind: StaticString) {
        let lengths = (before.utf8CodeUnitCount, text.count, behind.utf8CodeUnitCount)
        let length = lengths.0 + lengths.1 + lengths.2
        storage.append(addingCapacity: length) { span in
            unsafe span.withUnsafeMutableBufferPointer { room, count in
                let room = UnsafeMutableRawBufferPointer(room)
                unsafe room.copyMemory(from: UnsafeRawBufferPointer(start: before.utf8Start, count: lengths.0))
                unsafe text.withUnsafeBytes { bytes in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: room[lengths.0...]).copyMemory(from: bytes)
                }
                unsafe UnsafeMutableRawBufferPointer(rebasing: room[(lengths.0 + lengths.1)...])
                    .copyMemory(from: UnsafeRawBufferPointer(start: behind.utf8Start, count: lengths.2))
                count = length
            }
        }
    }

    @inlinable @inline(__always)
    mutating func copy(_ bytes: UnsafeRawBufferPointer) {
        storage.append(addingCapacity: bytes.count) { span in
            unsafe span.withUnsafeMutableBufferPointer { room, count in
                unsafe UnsafeMutableRawBufferPointer(room).copyMemory(from: bytes)
                count = bytes.count
            }
        }
    }

    /// Writes UTF-8 as a string.
    public mutating func append(string text: Span<UInt8>) {
        // Nearly every text stands between quotes as it is.
        if Self.isPlain(text) { return append("\"", text, "\"") }
        storage.append(UInt8(ascii: "\""))
        var start = 0
        for index in text.indices {
            let byte = text[index]
            if Self.isPlain(byte) { continue }
            append(text.extracting(start..<index))
            start = index + 1
            escape(byte)
        }
        append(text.extracting(start..<text.count))
        storage.append(UInt8(ascii: "\""))
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where !isPlain(text[index]) { return false }
        return true
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append(#"\""#)
        case UInt8(ascii: "\\"): append(#"\\"#)
        case 0x0A: append(#"\n"#)
        case 0x0D: append(#"\r"#)
        case 0x09: append(#"\t"#)
        default:
            append(#"\u00"#)
            append(UInt8(ascii: "0") + byte >> 4)
            append((byte & 15) + (byte & 15 < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
        }
    }

    /// Writes a whole number.
    public mutating func append(integer number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        appendDigits(number.magnitude, atLeast: 1)
    }

    /// Writes a double with as few digits as tell it from its neighbours.
    public mutating func append(double number: Double) {
        let whole = number.rounded(.towardZero)
        // From 2^13 on neighbours differ by more than 1.8e-12, so twelve digits behind the point tell them apart.
        guard whole >= 8192, whole < 0x1p31 else {
            if number == whole, number.magnitude < 0x1p53 { return append(integer: Int(number)) }
            return append(number.description.utf8Span.span)
        }
        append(integer: Int(whole))
        var fraction = UInt(((number - whole) * 1e12).rounded())
        guard fraction > 0 else { return }
        var digits = 12
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        append(UInt8(ascii: "."))
        appendDigits(fraction, atLeast: digits)
    }

    private mutating func appendDigits(_ number: UInt, atLeast least: Int) {
        var length = 1
        var rest = number / 10
        while rest > 0 {
            rest /= 10
            length += 1
        }
        length = max(length, least)
        let start = storage.count
        for _ in 0..<length { storage.append(UInt8(ascii: "0")) }
        var place = start + length
        rest = number
        var out = storage.mutableSpan
        while place > start {
            place -= 1
            out[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
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
