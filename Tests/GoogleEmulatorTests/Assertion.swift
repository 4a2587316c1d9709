import COpenSSL
import Foundation
import JSON

/// A signed assertion (RFC 7523), made by OpenSSL as a client would make it.
struct Assertion {
    var header: JSON = ["alg": "RS256", "typ": "JWT"]
    var claims: JSONObject

    init(
        keyFile: JSON,
        scope: String? = "https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets"
    ) {
        let now = Int(Date().timeIntervalSince1970)
        claims = JSONObject()
        claims["iss"] = keyFile["client_email"]
        claims["aud"] = keyFile["token_uri"]
        claims["iat"] = JSON(now - 30)
        claims["exp"] = JSON(now + 3000)
        claims["scope"] = scope.map(JSON.string)
    }

    /// The assertion's text, signed with a key in PEM.
    func signed(with pem: String) throws -> String {
        let message = Self.base64URL(header.bytes) + "." + Self.base64URL(JSON.object(claims).bytes)
        return message + "." + Self.base64URL(try Self.sign(Array(message.utf8), pem))
    }

    struct SigningFailed: Error {}

    private static func sign(_ message: [UInt8], _ pem: String) throws -> [UInt8] {
        let bytes = Array(pem.utf8)
        let bio = unsafe bytes.withUnsafeBytes { source -> OpaquePointer? in
            let bio = unsafe BIO_new(BIO_s_mem())
            unsafe BIO_write(bio, source.baseAddress, Int32(source.count))
            return unsafe bio
        }
        defer { unsafe BIO_free_all(bio) }
        let key = unsafe PEM_read_bio_PrivateKey(bio, nil, nil, nil)
        defer { unsafe EVP_PKEY_free(key) }
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 1024)
        var length = signature.count
        guard unsafe key != nil, unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1
        else { throw SigningFailed() }
        return Array(signature.prefix(length))
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
