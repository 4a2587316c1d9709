/// A recursive-descent parser of field masks.
struct FieldMaskParser {
    private static let greatestDepth = 64

    private let text: [UInt8]
    private var position = 0

    init(_ text: String) { self.text = Array(text.utf8) }

    /// The mask that fills the whole text; nil where there is none.
    mutating func parse() -> FieldMask? {
        guard let mask = list(depth: 0), position == text.count else { return nil }
        return mask
    }

    private mutating func list(depth: Int) -> FieldMask? {
        guard depth < Self.greatestDepth else { return nil }
        var fields: [String: FieldMask] = [:]
        repeat {
            guard let (name, mask) = path(depth: depth) else { return nil }
            fields[name] = fields[name].map { $0.union(mask) } ?? mask
        } while take(UInt8(ascii: ","))
        return FieldMask(children: fields)
    }

    private mutating func path(depth: Int) -> (String, FieldMask)? {
        guard depth < Self.greatestDepth else { return nil }
        skipSpace()
        let start = position
        while position < text.count, Self.isName(text[position]) { position += 1 }
        guard position > start else { return nil }
        let name = String(decoding: text[start..<position], as: UTF8.self)
        skipSpace()
        if take(UInt8(ascii: "/")) || take(UInt8(ascii: ".")) {
            guard let (child, mask) = path(depth: depth + 1) else { return nil }
            return (name, FieldMask(children: [child: mask]))
        }
        if take(UInt8(ascii: "(")) {
            guard let mask = list(depth: depth + 1), take(UInt8(ascii: ")")) else { return nil }
            skipSpace()
            return (name, mask)
        }
        return (name, .all)
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < text.count, text[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while position < text.count, text[position] == 0x20 { position += 1 }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "*"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
