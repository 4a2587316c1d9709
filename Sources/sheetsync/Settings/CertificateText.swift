import FoundationEssentials

/// Certificates in a setting's text, however somebody brought them there.
enum CertificateText {
    private static let begin = "-----BEGIN CERTIFICATE-----"
    private static let end = "-----END CERTIFICATE-----"

    /// The certificates as PEM and nothing else; nil where there is none.
    ///
    /// From PEM with comments around it, in quotes, with its line breaks written as `\n` or as spaces; from the same in base64; from
    /// a DER certificate in base64.
    static func pem(in value: String) -> String? {
        let text = value.replacing("\\r", with: "").replacing("\\n", with: "\n")
        if text.contains("-----BEGIN") {
            let blocks = text.split(separator: begin).dropFirst(text.hasPrefix(begin) ? 0 : 1).compactMap { piece in
                piece.firstRange(of: end).map { block(String(piece[..<$0.lowerBound])) }
            }
            // What is broken stays as it is, so that whoever reads it next can say so.
            return blocks.isEmpty ? text + "\n" : blocks.joined()
        }
        guard text.utf8.count > 100, let data = Data(base64Encoded: compact(text)) else { return nil }
        let inner = String(decoding: data, as: UTF8.self)
        if inner.contains(begin) { return pem(in: inner) }
        // A DER certificate is a sequence with its length in two bytes.
        return data.prefix(2) == Data([0x30, 0x82]) ? block(compact(text)) : nil
    }

    private static func compact(_ text: String) -> String {
        String(text.filter { !$0.isWhitespace && $0 != "\"" && $0 != "'" && $0 != "\\" })
    }

    private static func block(_ base64: String) -> String {
        var lines = [begin]
        var rest = compact(base64)[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + [end, ""]).joined(separator: "\n")
    }
}
