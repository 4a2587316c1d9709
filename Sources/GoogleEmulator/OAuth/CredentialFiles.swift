import Glibc
import JSON

/// The credential files that clients of the emulator use.
struct CredentialFiles: Sendable {
    private let serviceAccount: String
    private let authorizedUser: String
    private let token: String

    init(directory: String) {
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        serviceAccount = prefix + "service-account.json"
        authorizedUser = prefix + "authorized-user.json"
        token = prefix + "token.json"
    }

    /// Takes over the accounts whose files are there.
    func read(into authority: inout Authority) throws(EmulatorError) {
        if let json = try read(serviceAccount) {
            guard let account = ServiceAccount(file: json) else { throw foreign(serviceAccount) }
            authority.serviceAccount = account
        }
        if let json = try read(authorizedUser) {
            guard let user = UserAccount(file: json) else { throw foreign(authorizedUser) }
            authority.user = user
        }
    }

    /// Writes all files, each at once and readable by its owner alone.
    func write(_ authority: Authority, baseURL: String) throws(EmulatorError) {
        try write(authority.serviceAccount.file(baseURL: baseURL), to: serviceAccount)
        try write(authority.user.file(baseURL: baseURL), to: authorizedUser)
        try write(authority.user.tokenFile(baseURL: baseURL), to: token)
    }

    private func foreign(_ path: String) -> EmulatorError {
        EmulatorError(
            code: .credentialsFailed,
            description: "\(path) is not a credential file of the emulator. Move it away or choose another directory.")
    }

    private func read(_ path: String) throws(EmulatorError) -> JSON? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read", path)
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        guard let json = try? JSON(parsing: bytes) else { throw foreign(path) }
        return json
    }

    /// Writes beside the file and renames, so that nobody ever reads half of it.
    private func write(_ json: JSON, to path: String) throws(EmulatorError) {
        let draft = path + ".\(getpid()).new"
        unsafe unlink(draft)
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", draft) }
        let bytes = json.bytes
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(descriptor) == 0, close(descriptor) == 0, unsafe rename(draft, path) == 0
        else {
            let error = failure("write", path)
            unsafe unlink(draft)
            throw error
        }
    }

    private func failure(_ verb: String, _ path: String) -> EmulatorError {
        let reason = unsafe String(cString: strerror(errno))
        return EmulatorError(
            code: .credentialsFailed,
            description: "The emulator cannot \(verb) \(path): \(reason). Check that the directory is there and yours.")
    }
}
