internal import CCurl
internal import Glibc

/// The certificates of authorities that a client trusts: the system's and some of its own, for a proxy or a server that shows
/// certificates of a company's authority.
///
/// libcurl takes such a list in place of the system's file, so it holds that file's text too. The system's folder of certificates
/// is trusted beside it.
@safe final class TrustStore: @unchecked Sendable {
    private static let largestFile = 16 << 20

    /// Certificates in PEM, written once, before anybody else knows of them.
    private let bytes: UnsafeMutableRawBufferPointer

    /// Puts certificates, in PEM, beside the system's.
    init(adding pem: String) {
        let text = Self.systemBundle() + [UInt8(ascii: "\n")] + pem.utf8
        unsafe bytes = .allocate(byteCount: text.count, alignment: 1)
        unsafe bytes.copyBytes(from: text)
    }

    /// All of it.
    var text: String { unsafe String(decoding: bytes, as: UTF8.self) }

    deinit { unsafe bytes.deallocate() }

    /// Makes a transfer trust them, for servers and for a proxy that is reached by TLS.
    func apply(to easy: UnsafeMutableRawPointer) {
        for option in [CURLOPT_CAINFO_BLOB, CURLOPT_PROXY_CAINFO_BLOB] {
            unsafe ccurl_set_blob(easy, option, bytes.baseAddress, bytes.count)
        }
    }

    /// The system's file of certificates; empty where there is none.
    private static func systemBundle() -> [UInt8] {
        guard let path = unsafe ccurl_default_cainfo() else { return [] }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < largestFile {
            let count = unsafe read(descriptor, &piece, piece.count)
            guard count > 0 else { break }
            bytes += piece[..<count]
        }
        return bytes
    }
}
