import COpenSSL

/// Digests by OpenSSL.
enum Digest {
    /// The SHA-256 of bytes in Base64 for URLs, as code challenges have it (RFC 7636).
    static func sha256Text(_ bytes: [UInt8]) -> String {
        Base64URL.encode(unsafe digest(bytes, length: 32, EVP_sha256()))
    }

    /// The MD5 of bytes in hexadecimal digits, as Drive shows it.
    static func md5(_ bytes: [UInt8]) -> String {
        unsafe digest(bytes, length: 16, EVP_md5()).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func digest(_ bytes: [UInt8], length: Int, _ algorithm: OpaquePointer?) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        var written: UInt32 = 0
        unsafe EVP_Digest(bytes, bytes.count, &digest, &written, algorithm, nil)
        return digest
    }
}
