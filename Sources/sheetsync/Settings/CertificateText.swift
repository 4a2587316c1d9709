import FoundationEssentials
import Google

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

/// A certificate of an authority that a setting gives.
enum CertificateSetting {
    /// The path of a file that can be read.
    case path(String)
    /// Certificates in PEM and nothing else.
    case pem(String)

    private static let largestFile = 1 << 20

    /// Reads a setting: PEM with whatever stands around it, base64, or a path; nil where it is not set.
    init?(_ name: String, of reader: SettingsReader) throws {
        guard let value = reader.text(name) else { return nil }
        if let pem = CertificateText.pem(in: value) {
            self = .pem(pem)
        } else if FileManager.default.isReadableFile(atPath: value) {
            self = .path(value)
        } else {
            // What is no path may be a secret that somebody has put into the wrong place.
            let isPath = value.hasPrefix("/") && value.utf8.count < 1024 && !value.contains(where: \.isWhitespace)
            throw SettingsError(
                name: name,
                problem: isPath
                    ? "names a file that cannot be read"
                    : "is neither a certificate (PEM, or base64) nor the path of a file that can be read",
                path: isPath ? value : nil)
        }
    }

    /// The certificates, each of which can be read, from a file too.
    func certificates(of name: String) throws -> AuthorityCertificates {
        let (text, path): (String, String?)
        switch self {
        case .pem(let pem): (text, path) = (pem, nil)
        case .path(let file):
            let size = (try? FileManager.default.attributesOfItem(atPath: file))?[.size] as? Int
            guard let data = FileManager.default.contents(atPath: file), size ?? 0 <= Self.largestFile,
                data.count <= Self.largestFile
            else {
                throw SettingsError(name: name, problem: "names no file of at most 1 MiB that can be read", path: file)
            }
            (text, path) = (CertificateText.pem(in: String(decoding: data, as: UTF8.self)) ?? "", file)
        }
        do throws(AuthorityCertificates.Refusal) { return try AuthorityCertificates(pem: text) } catch {
            throw SettingsError(name: name, problem: error.problem, path: path)
        }
    }
}
