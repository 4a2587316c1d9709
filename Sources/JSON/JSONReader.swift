extension JSON {
    /// Reads one JSON text (RFC 8259) that fills all the bytes.
    ///
    /// Refused: invalid UTF-8, a lone surrogate, nesting deeper than 256, anything behind the value.
    ///
    /// - Parameters:
    ///   - mostValues: How many values there may be, those within others too. The tree of a text of two bytes a value
    ///     takes some forty times as much memory as the text.
    ///   - longestTree: The length in bytes from which an array stays text.
    public init(parsing bytes: [UInt8], mostValues: Int = .max, longestTree: Int = .max) throws(JSONError) {
        var reader = JSONReader(bytes)
        reader.valuesLeft = mostValues
        reader.longestTree = longestTree
        self = try reader.value()
        try reader.end()
    }

    /// Reads one JSON text.
    public init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

/// Reads JSON piece by piece, so that a large text need never exist as a tree of values.
///
///     var reader = JSONReader(bytes)
///     try reader.beginObject()
///     while let name = try reader.nextMember() {
///         if name == "title" { title = try reader.string() } else { other[name] = try reader.value() }
///     }
///     try reader.end()
///
/// Each member and each element that is announced must be read before the next is asked for.
public struct JSONReader: Sendable {
    /// A place between two values, to which a reader can go back.
    public struct Place: Sendable {
        fileprivate var offset = 0
        fileprivate var depth = 0
        /// Whether an object or array has just begun, so that no comma stands before what comes next.
        fileprivate var isFirst = true
    }

    private static let greatestDepth = 256

    private let bytes: [UInt8]
    /// Where the reader stands; setting it goes back to where it stood.
    public var place = Place()
    private var names = NameTable()
    /// How many elements the last array had.
    private var lastLength = 0
    /// How many values may become a tree yet.
    fileprivate var valuesLeft = Int.max
    /// The length in bytes from which an array stays text.
    var longestTree = Int.max

    /// Makes a reader that stands before the first value.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads a whole value.
    public mutating func value() throws(JSONError) -> JSON {
        guard valuesLeft > 0 else { throw failure(JSONError.tooManyValues) }
        valuesLeft -= 1
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [JSONObject.Member] = []
            try beginObject()
            while let name = try nextMember() { members.append(.init(name: name, value: try value())) }
            return .object(JSONObject(members))
        case UInt8(ascii: "["):
            var elements: [JSON] = []
            let start = place
            // An array is mostly as long as the one before it. Each length serves once, so that together they promise no more
            // than there is.
            elements.reserveCapacity(lastLength)
            lastLength = 0
            try beginArray()
            while try nextElement() {
                elements.append(try value())
                guard place.offset - start.offset >= longestTree else { continue }
                let count = elements.count
                elements = []
                return .text(
                    JSONText(bytes, from: start, count: try skipElements(behind: count), longestTree: longestTree))
            }
            lastLength = elements.count
            return .array(elements)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool(try bool())
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return .number(try number())
        case nil: throw failure("the text ends where a value should be")
        default: throw failure("no value begins like this")
        }
    }

    /// Checks the rest of an array; returns how many elements it has.
    private mutating func skipElements(behind count: Int) throws(JSONError) -> Int {
        var count = count
        while try nextElement() {
            try skip()
            count += 1
        }
        return count
    }

    /// Checks a whole value without making one of it.
    private mutating func skip() throws(JSONError) {
        switch peek() {
        case UInt8(ascii: "{"):
            try beginObject()
            while try nextMember() != nil { try skip() }
        case UInt8(ascii: "["):
            try beginArray()
            _ = try skipElements(behind: 0)
        case UInt8(ascii: "\""): _ = try string()
        default: _ = try value()
        }
    }

    /// The first byte of the next value, which tells its kind; nil at the end of the text.
    public mutating func peek() -> UInt8? {
        skipSpace()
        return next
    }

    /// Goes into an object; `nextMember` leaves it.
    public mutating func beginObject() throws(JSONError) { try begin(UInt8(ascii: "{"), "expected an object") }

    /// Goes into an array; `nextElement` leaves it.
    public mutating func beginArray() throws(JSONError) { try begin(UInt8(ascii: "["), "expected an array") }

    /// The name of an object's next member, whose value comes next; nil behind the last.
    public mutating func nextMember() throws(JSONError) -> String? {
        guard try advance(to: UInt8(ascii: "}"), "expected a comma or the end of the object") else { return nil }
        guard next == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
        let name = try text(isName: true)
        guard peek() == UInt8(ascii: ":") else { throw failure("expected a colon") }
        place.offset += 1
        return name
    }

    /// Whether one more element of an array comes next.
    public mutating func nextElement() throws(JSONError) -> Bool {
        try advance(to: UInt8(ascii: "]"), "expected a comma or the end of the array")
    }

    /// Makes sure that nothing stands behind what was read.
    public mutating func end() throws(JSONError) {
        guard peek() == nil else { throw failure("something stands behind the value") }
    }

    /// Reads a string.
    public mutating func string() throws(JSONError) -> String {
        guard peek() == UInt8(ascii: "\"") else { throw failure("expected a string") }
        return try text(isName: false)
    }

    /// Reads a boolean.
    public mutating func bool() throws(JSONError) -> Bool {
        let isTrue = peek() == UInt8(ascii: "t")
        try word(isTrue ? "true" : "false")
        return isTrue
    }

    /// Reads a number.
    public mutating func number() throws(JSONError) -> JSONNumber {
        skipSpace()
        let start = place.offset
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place.offset += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        return JSONNumber(checked: String(decoding: bytes[start..<place.offset], as: UTF8.self))
    }

    private func failure(_ reason: String) -> JSONError { JSONError(reason: reason, offset: place.offset) }

    private var next: UInt8? { place.offset < bytes.count ? bytes[place.offset] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            place.offset += 1
        }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        place.offset += 1
        return true
    }

    private mutating func begin(_ bracket: UInt8, _ reason: String) throws(JSONError) {
        guard peek() == bracket else { throw failure(reason) }
        place.offset += 1
        place.depth += 1
        place.isFirst = true
        guard place.depth <= Self.greatestDepth else { throw failure("nested deeper than \(Self.greatestDepth)") }
    }

    /// Goes over a comma to what comes next; false where the bracket closes instead.
    private mutating func advance(to bracket: UInt8, _ reason: String) throws(JSONError) -> Bool {
        let byte = peek()
        if byte == bracket {
            place.offset += 1
            place.depth -= 1
            place.isFirst = false
            return false
        }
        if !place.isFirst {
            guard byte == UInt8(ascii: ",") else { throw failure(reason) }
            place.offset += 1
            skipSpace()
        }
        place.isFirst = false
        return true
    }

    private mutating func word(_ word: String) throws(JSONError) {
        for expected in word.utf8 {
            guard next == expected else { throw failure("expected \(word)") }
            place.offset += 1
        }
    }

    private mutating func digits() throws(JSONError) {
        let start = place.offset
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place.offset += 1 }
        guard place.offset > start else { throw failure("expected a digit") }
    }

    /// Reads what stands between two quotes.
    private mutating func text(isName: Bool) throws(JSONError) -> String {
        place.offset += 1
        let start = place.offset
        place.offset = endOfPlainText()
        guard next != UInt8(ascii: "\"") else {
            let utf8 = start..<place.offset
            place.offset += 1
            if isName, let name = names.name(bytes.span.extracting(utf8)) { return name }
            let text = try text(bytes.span.extracting(utf8))
            if isName { names.keep(text) }
            return text
        }
        var unescaped: [UInt8] = []
        var plain = start
        while true {
            guard let byte = next else { throw failure("the text ends inside a string") }
            unescaped += bytes[plain..<place.offset]
            switch byte {
            case UInt8(ascii: "\""):
                place.offset += 1
                return try text(unescaped.span)
            case UInt8(ascii: "\\"):
                place.offset += 1
                try escape(into: &unescaped)
            default: throw failure("a \(byte == 0 ? "NUL" : "control character") stands in a string")
            }
            plain = place.offset
            place.offset = endOfPlainText()
        }
    }

    /// Where the next quote, backslash or control character stands, or the text ends.
    private func endOfPlainText() -> Int {
        let span = bytes.span
        var offset = place.offset
        while offset < span.count {
            let byte = span[offset]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            offset += 1
        }
        return offset
    }

    private func text(_ bytes: Span<UInt8>) throws(JSONError) -> String {
        let utf8: UTF8Span
        do { utf8 = try UTF8Span(validating: bytes) } catch { throw failure("a string is not UTF-8") }
        return String(copying: utf8)
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
        guard let byte = next else { throw failure("the text ends inside a string") }
        place.offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): unescaped += Array(String(Character(try scalar())).utf8)
        default: throw failure("an unknown escape stands in a string")
        }
    }

    private mutating func scalar() throws(JSONError) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw failure("a lone surrogate stands in a string")
        }
        let second = try hexadecimal()
        guard UTF16.isTrailSurrogate(second) else { throw failure("a lone surrogate stands in a string") }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        let end = place.offset + 4
        guard end <= bytes.count,
            bytes[place.offset..<end].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: bytes[place.offset..<end], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        place.offset = end
        return unit
    }
}
