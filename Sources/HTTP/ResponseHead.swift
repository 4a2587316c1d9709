import HTTPTypes

/// Gathers an answer's status and header fields from their lines.
struct ResponseHead {
    /// The most bytes that all the lines of one answer may have together.
    private static let largestSize = 256 << 10

    private(set) var status: HTTPResponse.Status?
    private(set) var fields = HTTPFields()
    /// Whether the empty line behind the final answer's fields has come: without it the connection broke.
    private(set) var isComplete = false
    private var size = 0

    /// Takes a line as it came, with its line end; false when the head grows too large.
    ///
    /// A status line begins anew: interim answers (1xx) come before the final one.
    mutating func take(line: some Collection<UInt8>) -> Bool {
        size += line.count
        guard size <= Self.largestSize else { return false }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            let code = text.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0.prefix(3)) }
            status = code.flatMap { (100...999).contains($0) ? HTTPResponse.Status(code: $0) : nil }
            fields = HTTPFields()
            isComplete = false
        } else if text == "\r\n" || text == "\n" {
            isComplete = true
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(text[..<colon]))
        {
            var value = text.utf8[colon...].dropFirst()
            while let first = value.first, Self.isSpace(first) { value.removeFirst() }
            while let last = value.last, Self.isSpace(last) { value.removeLast() }
            fields.append(HTTPField(name: name, value: String(Substring(value))))
        }
        return true
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
}
