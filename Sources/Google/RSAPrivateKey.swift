internal import COpenSSL

/// An RSA private key held by OpenSSL, which signs with SHA-256 (RS256).
///
/// OpenSSL allows one key to sign on several threads at once as long as nobody changes it, and nobody can.
@safe public final class RSAPrivateKey: @unchecked Sendable {
    private let raw: OpaquePointer

    /// Why a text is no usable key, as a part of a sentence; holds nothing of the text.
    struct Refusal: Error { let problem: String }

    /// Reads a PEM text, PKCS#8 or PKCS#1.
    ///
    /// Line ends spelled as the two characters `\n`, as environment variables often hold them, are repaired.
    init(pem: String) throws(Refusal) {
        let text = pem.replacing("\\r", with: "").replacing("\\n", with: "\n")
        guard text.contains("-----BEGIN ") else { throw Refusal(problem: "is not a PEM text") }
        guard text.contains("-----END ") else { throw Refusal(problem: "is cut off: its END line is missing") }
        if text.contains("ENCRYPTED") { throw Refusal(problem: "is encrypted; store it without a passphrase") }

        ERR_clear_error()
        var bytes = Array(text.utf8)
        // The callback keeps OpenSSL from asking for a passphrase on the terminal.
        let key: OpaquePointer? = unsafe bytes.withUnsafeMutableBytes { buffer in
            let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
            defer { unsafe BIO_free(bio) }
            return unsafe PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key = unsafe key else {
            throw Refusal(problem: "cannot be read; it is damaged or cut off (\(Self.drainErrors()))")
        }
        guard unsafe EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            unsafe EVP_PKEY_free(key)
            throw Refusal(problem: "is not an RSA key, and Google's service accounts have no other")
        }
        unsafe raw = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    /// The RS256 signature of a message.
    func signature(of message: [UInt8]) throws(Refusal) -> [UInt8] {
        ERR_clear_error()
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var length = Int(unsafe EVP_PKEY_get_size(raw))
        var signature = [UInt8](repeating: 0, count: length)
        guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, raw) == 1,
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { throw Refusal(problem: "did not sign (\(Self.drainErrors()))") }
        return Array(signature.prefix(length))
    }

    /// Takes OpenSSL's errors of this thread, in its words.
    private static func drainErrors() -> String {
        var reasons: [String] = []
        while case let code = ERR_get_error(), code != 0 {
            if let reason = unsafe ERR_reason_error_string(code) { reasons.append(unsafe String(cString: reason)) }
        }
        return reasons.isEmpty ? "OpenSSL gives no reason" : "OpenSSL: \(reasons.joined(separator: ", "))"
    }
}
