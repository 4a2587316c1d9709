internal import COpenSSL

/// Certificates of authorities, in PEM, that OpenSSL can read, each of them.
public struct AuthorityCertificates: Sendable, Hashable {
    /// Why a text is none, as a part of a sentence; holds nothing of the text.
    public struct Refusal: Error {
        /// What is wrong.
        public let problem: String
    }

    /// The certificates one after another.
    public let pem: String

    /// Checks every certificate of a text.
    public init(pem: String) throws(Refusal) {
        let text = Array(pem.utf8)
        let claimed = pem.split(separator: "-----BEGIN", omittingEmptySubsequences: false).count - 1
        guard claimed > 0 else { throw Refusal(problem: "holds no certificate") }
        ERR_clear_error()
        let count = unsafe text.withUnsafeBytes { buffer in
            let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count))
            defer { unsafe BIO_free(bio) }
            var count = 0
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
                unsafe X509_free(certificate)
                count += 1
            }
            return count
        }
        ERR_clear_error()
        guard count == claimed else {
            throw Refusal(problem: "has a certificate that is damaged or cut off: number \(count + 1) of \(claimed)")
        }
        self.pem = pem
    }
}
