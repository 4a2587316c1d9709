/// Reads an XML document from front to back, as much of XML as Office files use: no DTD, UTF-8 only.
struct XMLReader {
    enum Event {
        /// An element begins; names come without their namespace's prefix.
        case begin(String, [String: String])
        case end(String)
        case text(String)
    }

    private let bytes: [UInt8]
    private var position = 0
    /// The end that an element without content still owes.
    private var pendingEnd: String?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next event; nil at the end or where the document is damaged.
    mutating func next() -> Event? {
        if let name = pendingEnd {
            pendingEnd = nil
            return .end(name)
        }
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "<") else { return .text(text()) }
            if skip("<?", to: "?>") || skip("<!--", to: "-->") { continue }
            if starts(with: "<![CDATA[") {
                let start = position + 9
                guard skip("<![CDATA[", to: "]]>") else { return nil }
                return .text(String(decoding: bytes[start..<position - 3], as: UTF8.self))
            }
            if skip("<!", to: ">") { continue }
            return tag()
        }
        return nil
    }

    private func starts(with text: StaticString) -> Bool {
        bytes[position...].starts(with: text.description.utf8)
    }

    /// Passes over what begins and ends so; false where it does not.
    private mutating func skip(_ start: String, to end: String) -> Bool {
        guard bytes[position...].starts(with: start.utf8) else { return false }
        var current = position + start.utf8.count
        while current < bytes.count {
            if bytes[current...].starts(with: end.utf8) {
                position = current + end.utf8.count
                return true
            }
            current += 1
        }
        position = bytes.count
        return true
    }

    private mutating func text() -> String {
        let end = bytes[position...].firstIndex(of: UInt8(ascii: "<")) ?? bytes.count
        defer { position = end }
        return Self.unescape(bytes[position..<end])
    }

    private mutating func tag() -> Event? {
        position += 1
        let isEnd = position < bytes.count && bytes[position] == UInt8(ascii: "/")
        if isEnd { position += 1 }
        let name = self.name()
        var attributes: [String: String] = [:]
        while true {
            skipSpace()
            guard position < bytes.count, !name.isEmpty else { return nil }
            switch bytes[position] {
            case UInt8(ascii: ">"):
                position += 1
                return isEnd ? .end(name) : .begin(name, attributes)
            case UInt8(ascii: "/"):
                position += 2
                pendingEnd = name
                return .begin(name, attributes)
            default:
                let key = self.name()
                skipSpace()
                guard !key.isEmpty, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "=") else { return nil }
                position += 1
                skipSpace()
                guard position < bytes.count else { return nil }
                let quote = bytes[position]
                guard quote == 0x22 || quote == 0x27,
                    let end = bytes[(position + 1)...].firstIndex(of: quote)
                else { return nil }
                attributes[key] = Self.unescape(bytes[position + 1..<end])
                position = end + 1
            }
        }
    }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    /// A name without its prefix; attributes such as `r:id` keep theirs apart by it only where two would be the same.
    private mutating func name() -> String {
        var start = position
        while position < bytes.count, bytes[position] > 0x20, !"=/>".utf8.contains(bytes[position]) {
            if bytes[position] == UInt8(ascii: ":") { start = position + 1 }
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func unescape(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "&")) else { return String(decoding: bytes, as: UTF8.self) }
        var result = ""
        var rest = String(decoding: bytes, as: UTF8.self)[...]
        while let ampersand = rest.firstIndex(of: "&") {
            result += rest[..<ampersand]
            guard let end = rest[ampersand...].firstIndex(of: ";") else { return result + rest[ampersand...] }
            let name = rest[rest.index(after: ampersand)..<end]
            result += entity(name) ?? String(rest[ampersand...end])
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> String? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHex = name.dropFirst().first == "x"
            let number = isHex ? UInt32(name.dropFirst(2), radix: 16) : UInt32(name.dropFirst())
            return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
        }
    }
}
