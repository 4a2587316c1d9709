import COpenSSL

/// RSA keys and RS256 signatures (RFC 7518) by OpenSSL.
enum RS256 {
    /// A new RSA key of 2048 bits as PKCS#8 in PEM; nil where OpenSSL has no entropy.
    static func generateKey() -> String? { KeyHandle.generate()?.pem }

    /// Whether a text is a private key of at least 2048 bits in PEM.
    static func isPrivateKey(_ pem: String) -> Bool { KeyHandle(pem: pem) != nil }

    /// Whether a signature over a message was made with a private key.
    static func verifies(_ signature: [UInt8], of message: [UInt8], keyInPEM pem: String) -> Bool {
        KeyHandle(pem: pem)?.verifies(signature, of: message) == true
    }
}

/// OpenSSL's key, freed with its owner.
@safe private struct KeyHandle: ~Copyable {
    private let key: OpaquePointer

    private init(owning key: OpaquePointer) { unsafe self.key = key }

    init?(pem: String) {
        let bytes = Array(pem.utf8)
        guard let bio = unsafe bytes.withUnsafeBytes({ unsafe BIO_new_mem_buf($0.baseAddress, Int32($0.count)) }) else {
            return nil
        }
        // The buffer is only borrowed, so the bytes are read while they live.
        defer { unsafe BIO_free_all(bio) }
        let read = unsafe withExtendedLifetime(bytes) { unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil) }
        guard let read = unsafe read else {
            ERR_clear_error()
            return nil
        }
        guard unsafe EVP_PKEY_is_a(read, "RSA") == 1, unsafe EVP_PKEY_get_bits(read) >= 2048 else {
            unsafe EVP_PKEY_free(read)
            return nil
        }
        unsafe self.init(owning: read)
    }

    deinit { unsafe EVP_PKEY_free(key) }

    static func generate() -> KeyHandle? {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1,
            unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key
        else { return nil }
        return unsafe KeyHandle(owning: key)
    }

    /// The key as PKCS#8.
    var pem: String? {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
        defer { unsafe BIO_free_all(bio) }
        guard unsafe PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe BIO_read(bio, $0.baseAddress, Int32($0.count)) }
        return count > 0 ? String(decoding: bytes.prefix(Int(count)), as: UTF8.self) : nil
    }

    borrowing func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { return false }
        let result = unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count)
        ERR_clear_error()
        return result == 1
    }
}
