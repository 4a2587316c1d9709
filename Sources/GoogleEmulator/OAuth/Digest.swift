import COpenSSL

/// Digests by OpenSSL.
enum Digest {
    /// The SHA-256 of bytes in Base64 for URLs, as code challenges have it (RFC 7636).
    static func sha256Text(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        return Base64URL.encode(digest)
    }

    /// The MD5 of bytes in hexadecimal digits, as Drive shows it.
    static func md5(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 16)
        var length: UInt32 = 0
        unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_md5(), nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
