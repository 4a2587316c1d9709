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

extension RS256 {
    /// A certificate in PEM for ten years that a key signs itself; nil where OpenSSL refuses.
    static func selfSignedCertificate(keyInPEM pem: String, host: String) -> String? {
        KeyHandle(pem: pem)?.certificate(names: "DNS:localhost,IP:127.0.0.1,IP:::1", host: host)
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
        return unsafe Self.text(bio)
    }

    borrowing func certificate(names: String, host: String) -> String? {
        guard let certificate = unsafe X509_new() else { return nil }
        defer { unsafe X509_free(certificate) }
        let isAddress = host.allSatisfy { $0.isHexDigit || $0 == "." || $0 == ":" }
        let isListed = host == "localhost" || host == "127.0.0.1"
        let allNames = isListed ? names : names + (isAddress ? ",IP:" : ",DNS:") + host
        guard unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...(1 << 62))) == 1,
            unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nil,
            unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), 10 * 365 * 86_400) != nil,
            unsafe X509_set_pubkey(certificate, key) == 1,
            unsafe X509_NAME_add_entry_by_txt(
                X509_get_subject_name(certificate), "CN", 0x1000 | 1, "Google emulator", -1, -1, 0) == 1,
            unsafe X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1,
            unsafe Self.add(NID_subject_alt_name, allNames, to: certificate),
            unsafe Self.add(NID_basic_constraints, "critical,CA:TRUE", to: certificate),
            unsafe X509_sign(certificate, key, EVP_sha256()) > 0, let bio = unsafe BIO_new(BIO_s_mem())
        else { return nil }
        defer { unsafe BIO_free_all(bio) }
        guard unsafe PEM_write_bio_X509(bio, certificate) == 1 else { return nil }
        return unsafe Self.text(bio)
    }

    private static func add(_ kind: Int32, _ value: String, to certificate: OpaquePointer) -> Bool {
        guard let added = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
        defer { unsafe X509_EXTENSION_free(added) }
        return unsafe X509_add_ext(certificate, added, -1) == 1
    }

    /// What was written to a buffer in memory.
    private static func text(_ bio: OpaquePointer) -> String? {
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
