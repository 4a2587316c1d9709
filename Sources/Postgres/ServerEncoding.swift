/// The encoding that a database keeps its texts in, as far as it decides which ones it takes.
public struct ServerEncoding: Sendable {
    /// Postgres's name for it, such as `UTF8` or `LATIN1`; nil where the server did not tell.
    public let name: String?

    /// What stands for a character that the database does not take.
    private static let substitute: Unicode.Scalar = "?"
    /// What stands for the signs that programs write most, in an encoding that may lack them.
    private static let plain: [Unicode.Scalar: String] = [
        "“": "'", "”": "'", "„": "'", "‘": "'", "’": "'", "…": "...", "–": "-", "—": "-", "→": "->", "•": "*",
        "€": "EUR",
    ]

    /// Whether the database takes a text as it is.
    public func takes(_ text: String) -> Bool { text.unicodeScalars.allSatisfy(takes) }

    /// The text as far as the database takes it: other characters are written plainly or become question marks, a NUL, which no
    /// database takes, among them.
    ///
    /// Also right for JSON: an escape that stands for a NUL or for a character outside of the encoding is replaced too.
    func storable(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            if takes(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += Self.plain[scalar] ?? String(Self.substitute)
            }
        }
        return result.contains("\\u") ? withoutForeignEscapes(result) : result
    }

    private func takes(_ scalar: Unicode.Scalar) -> Bool {
        switch name {
        // The latter keeps whatever bytes come.
        case "UTF8", "SQL_ASCII", nil: scalar != "\0"
        case "LATIN1": scalar != "\0" && scalar.value <= 0xFF
        // Each has other signs beyond ASCII; a sentence with a question mark is better than none.
        default: scalar != "\0" && scalar.isASCII
        }
    }

    /// Replaces `\u0000` and, where the encoding is not Unicode, each escape beyond ASCII, which Postgres would refuse.
    private func withoutForeignEscapes(_ text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            result.append(byte)
            guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else { continue }
            let digits = String(decoding: rest.prefix(4), as: UTF8.self)
            if next == UInt8(ascii: "u"), digits.utf8.count == 4, let code = UInt32(digits, radix: 16),
                code == 0 || code > 0x7F && name != "UTF8" && name != nil
            {
                result[result.count - 1] = UInt8(ascii: "?")
                rest = rest.dropFirst(4)
            } else {
                result.append(next)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
