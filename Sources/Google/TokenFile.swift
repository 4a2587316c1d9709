internal import Glibc
import JSON

/// The file that keeps a user's refresh token, in the JSON form of Google's own Python library.
public struct TokenFile: Sendable {
    /// Where the file is.
    public let path: String

    /// Names a file.
    public init(path: String) { self.path = path }

    /// Puts a new refresh token into the file; its other members stay.
    ///
    /// The file is replaced as a whole, with mode 0600: a reader, and a machine that loses power, sees the old one or the
    /// new one. A symbolic link stays one.
    public func replaceRefreshToken(_ token: Secret) throws(CredentialsError) {
        let file = try CredentialsFile(path: path)
        guard var members = (try? JSON(parsing: file.text))?.object else {
            throw CredentialsError(.notJSON, path, "is not a JSON object")
        }
        members["refresh_token"] = .string(token.text)
        try replace(with: JSON.object(members).bytes)
    }

    /// Writes a user's token, where there was none or another user's; with mode 0600, as a whole.
    ///
    /// - Throws: `CredentialsError` where the file is something else, such as a service account's key, which stays as it is.
    public func store(_ token: Secret) throws(CredentialsError) {
        try requireReplaceable()
        try replace(with: Array(token.text.utf8))
    }

    /// Makes sure that the file is a user's token, or empty, or not there.
    public func requireReplaceable() throws(CredentialsError) {
        var info = stat()
        guard unsafe stat(path, &info) == 0 || errno != ENOENT else { return }
        let file = try CredentialsFile(path: path)
        guard !file.text.allSatisfy(\.isWhitespace) else { return }
        let fields = (try? JSON(parsing: file.text))?.object ?? JSONObject()
        let type = fields["type"]?.string
        guard fields["refresh_token"] != nil, type == nil || type == "authorized_user" else {
            let what = type == "service_account" ? "is a service account's key" : "is no user's token"
            throw CredentialsError(
                .notWritten, path, "\(what) and stays as it is; name another file for the token by --token")
        }
    }

    /// Takes the file away; where its folder does not let that, empties it.
    public func remove() throws(CredentialsError) {
        let target = Self.resolved(path)
        guard unsafe unlink(target) != 0 else { return }
        let code = errno
        guard code != ENOENT else { return }
        let descriptor = unsafe open(target, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CredentialsError(
                .notWritten, path, "can neither be removed nor emptied: \(String(systemError: code))")
        }
        fsync(descriptor)
        close(descriptor)
    }

    private func replace(with bytes: [UInt8]) throws(CredentialsError) {
        let target = Self.resolved(path)
        let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
        let draft = "\(folder).sheetsync-token-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(errno) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            written += count
        }
        let isSafe = written == bytes.count && fsync(descriptor) == 0
        let code = errno
        close(descriptor)
        guard isSafe, unsafe rename(draft, target) == 0 else {
            let error = failure(isSafe ? errno : code)
            unsafe unlink(draft)
            throw error
        }
        // The new name is on the disk only when the folder is.
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private func failure(_ code: Int32) -> CredentialsError {
        CredentialsError(
            .notWritten, path, "the refresh token could not be stored: \(String(systemError: code))")
    }

    /// The path behind symbolic links.
    private static func resolved(_ path: String) -> String {
        guard let real = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(real) }
        return unsafe String(cString: real)
    }
}
