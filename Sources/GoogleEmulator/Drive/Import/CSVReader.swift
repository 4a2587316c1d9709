/// Comma-separated values (RFC 4180), read leniently.
struct CSVReader: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private let separator: UInt8
    private var position: Int

    /// Reads from bytes in UTF-8, with or without a byte-order mark.
    init(_ bytes: [UInt8], separator: UInt8) {
        self.bytes = bytes
        self.separator = separator
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The fields of the next line; nil at the end.
    mutating func next() -> [String]? {
        guard position < bytes.count else { return nil }
        var fields: [String] = []
        while true {
            fields.append(field())
            guard position < bytes.count else { return fields }
            let byte = bytes[position]
            position += 1
            if byte == separator { if position == bytes.count { return fields + [""] } else { continue } }
            if byte == 0x0D, position < bytes.count, bytes[position] == 0x0A { position += 1 }
            return fields
        }
    }

    /// Reads up to a separator or the end of the line, neither of which it takes.
    private mutating func field() -> String {
        var text: [UInt8] = []
        var isQuoted = false
        if bytes[position] == 0x22 {
            isQuoted = true
            position += 1
        }
        while position < bytes.count {
            let byte = bytes[position]
            if isQuoted {
                if byte == 0x22 {
                    if position + 1 < bytes.count, bytes[position + 1] == 0x22 {
                        position += 1
                        text.append(byte)
                    } else {
                        isQuoted = false
                    }
                } else {
                    text.append(byte)
                }
            } else {
                if byte == separator || byte == 0x0A || byte == 0x0D { break }
                text.append(byte)
            }
            position += 1
        }
        return String(decoding: text, as: UTF8.self)
    }
}
