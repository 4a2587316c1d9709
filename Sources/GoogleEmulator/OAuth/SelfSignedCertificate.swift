import COpenSSL

/// A certificate for the loopback address that signs itself, so that clients trust it by having it as their authority.
struct SelfSignedCertificate: Sendable {
    /// The certificate in PEM.
    let pem: String
    /// Its private key as PKCS#8 in PEM.
    let key: String

    /// Makes a certificate for a host, localhost and 127.0.0.1; nil where OpenSSL cannot make one.
    init?(host: String) {
        guard let key = RS256.generateKey(), let pem = RS256.selfSignedCertificate(keyInPEM: key, host: host) else {
            return nil
        }
        self.key = key
        self.pem = pem
    }
}
