internal import Glibc

/// A small file that holds a secret.
struct CredentialsFile {
    private static let largestSize = 1 << 20

    let text: String
    /// What the operator should know although the file can be used; nil for nothing.
    let warning: String?

    /// Reads a file whole, unless others than its owner may write it.
    init(path: String) throws(CredentialsError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.unreadable(path, errno) }
        defer { close(descriptor) }
        var info = stat()
        guard unsafe fstat(descriptor, &info) == 0 else { throw Self.unreadable(path, errno) }
        guard info.st_mode & S_IFMT == S_IFREG, info.st_size <= Self.largestSize else {
            throw CredentialsError(.unreadable, path, "is not a regular file of at most 1 MiB")
        }
        let mode = info.st_mode & 0o777
        guard mode & 0o022 == 0 else {
            throw CredentialsError(
                .writableByOthers, path,
                "others than its owner may write this file (mode \(String(mode, radix: 8))), so it is not trusted; "
                    + "run chmod 600 on it")
        }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            if count == 0 { break }
            guard count > 0, bytes.count <= Self.largestSize else { throw Self.unreadable(path, errno) }
            bytes += piece[..<count]
        }
        text = String(decoding: bytes, as: UTF8.self)
        if mode & 0o004 != 0 {
            warning =
                "\(path): every user of this machine may read this file (mode \(String(mode, radix: 8))); run chmod 600 on it"
        } else if info.st_uid != geteuid(), info.st_uid != 0 {
            warning =
                "\(path): this file belongs to user \(info.st_uid), who may replace it at any time; make it this program's "
                + "user's or root's"
        } else {
            warning = nil
        }
    }

    private static func unreadable(_ path: String, _ code: Int32) -> CredentialsError {
        CredentialsError(.unreadable, path, "cannot be read: \(String(systemError: code))")
    }
}
