import COpenSSL

/// A key made for the tests, in the spellings in which keys come.
@safe final class TestKey: @unchecked Sendable {
    /// One RSA key for all tests, because making one takes a while.
    static let rsa = TestKey(EVP_PKEY_RSA)
    static let otherRSA = TestKey(EVP_PKEY_RSA)
    static let ellipticCurve = TestKey(EVP_PKEY_EC)

    private let raw: OpaquePointer

    private init(_ type: Int32) {
        let context = unsafe EVP_PKEY_CTX_new_id(type, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        unsafe EVP_PKEY_keygen_init(context)
        if type == EVP_PKEY_RSA {
            unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
        } else {
            unsafe EVP_PKEY_CTX_set_group_name(context, "P-256")
        }
        var key: OpaquePointer?
        unsafe EVP_PKEY_keygen(context, &key)
        guard let key = unsafe key else { fatalError("OpenSSL made no key") }
        unsafe raw = unsafe key
    }

    deinit { unsafe EVP_PKEY_free(raw) }

    var pkcs8: String { unsafe pem { unsafe PEM_write_bio_PKCS8PrivateKey($0, raw, nil, nil, 0, nil, nil) } }
    var pkcs1: String { unsafe pem { unsafe PEM_write_bio_PrivateKey_traditional($0, raw, nil, nil, 0, nil, nil) } }
    var encrypted: String {
        unsafe pem { unsafe PEM_write_bio_PKCS8PrivateKey($0, raw, EVP_aes_128_cbc(), "passphrase", 10, nil, nil) }
    }

    private func pem(_ write: (OpaquePointer?) -> Int32) -> String {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        guard unsafe write(bio) == 1 else { fatalError("OpenSSL wrote no key") }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
    }

    /// Whether a signature (RS256) of a message was made with this key.
    func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        return unsafe EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, raw) == 1
            && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }
}
