import Glibc
import JSON

/// The credential files that clients of the emulator use.
struct CredentialFiles: Sendable {
    private let serviceAccountPath: String
    private let serviceAccountsPath: String
    private let authorizedUserPath: String
    private let tokenPath: String
    private let clientPath: String
    private let certificatePath: String
    private let prefix: String

    init(directory: String) {
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        self.prefix = prefix
        serviceAccountPath = prefix + "service-account.json"
        serviceAccountsPath = prefix + "service-accounts"
        authorizedUserPath = prefix + "authorized-user.json"
        tokenPath = prefix + "token.json"
        clientPath = prefix + "client-secret.json"
        certificatePath = prefix + "ca.pem"
    }

    /// The service account of a number, from 1, whose key lies there; nil where none does.
    func serviceAccount(_ number: Int) throws(EmulatorError) -> ServiceAccount? {
        let path = number == 1 ? serviceAccountPath : path(number)
        guard let json = try read(path) else { return nil }
        guard let account = ServiceAccount(file: json) else { throw foreign(path) }
        return account
    }

    /// Where the key of one of several service accounts lies: in a folder of nothing else.
    private func path(_ number: Int) -> String { "\(serviceAccountsPath)/\(number).json" }

    /// The person whose credentials lie there; nil where none do.
    func user() throws(EmulatorError) -> UserAccount? {
        guard let json = try read(authorizedUserPath) else { return nil }
        guard let user = UserAccount(file: json) else { throw foreign(authorizedUserPath) }
        return user
    }

    /// Writes all files, each at once and readable by its owner alone.
    func write(_ authority: Authority, baseURL: String) throws(EmulatorError) {
        try write(authority.serviceAccounts[0].file(baseURL: baseURL), to: serviceAccountPath)
        if authority.serviceAccounts.count > 1 {
            guard unsafe mkdir(serviceAccountsPath, 0o700) == 0 || errno == EEXIST else {
                throw failure("make", serviceAccountsPath)
            }
            for (index, account) in authority.serviceAccounts.enumerated() {
                try write(account.file(baseURL: baseURL), to: path(index + 1))
            }
        }
        try write(authority.user.file(baseURL: baseURL), to: authorizedUserPath)
        try write(authority.user.tokenFile(baseURL: baseURL), to: tokenPath)
        try write(authority.user.clientFile(baseURL: baseURL), to: clientPath)
        try writeKeyless(authority, baseURL: baseURL)
    }

    /// Writes the files of those who act as the first service account without its key, or in its name.
    private func writeKeyless(_ authority: Authority, baseURL: String) throws(EmulatorError) {
        let (federation, account) = (authority.federation, authority.serviceAccounts[0])
        try write(Array(federation.subjectToken.utf8), to: prefix + "subject-token", mode: 0o600)
        // The client may work in another folder.
        let path = prefix.hasPrefix("/") ? prefix : (Self.workingDirectory.map { "\($0)/" } ?? "") + prefix
        try write(
            federation.file(account, baseURL: baseURL, source: ["file": .string(path + "subject-token")]),
            to: prefix + "external-account.json")
        let source: JSON = [
            "url": .string(baseURL + "/idp/token"), "headers": ["Metadata": "True"],
            "format": ["type": "json", "subject_token_field_name": "id_token"],
        ]
        try write(
            federation.file(account, baseURL: baseURL, source: source), to: prefix + "external-account-url.json")
        try write(
            account.impersonatedFile(baseURL: baseURL), to: prefix + "impersonated-service-account.json")
    }

    private static var workingDirectory: String? {
        guard let path = unsafe getcwd(nil, 0) else { return nil }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// Writes the certificate that clients are to trust, which anybody may read.
    func write(_ certificate: SelfSignedCertificate) throws(EmulatorError) {
        try write(Array(certificate.pem.utf8), to: certificatePath, mode: 0o644)
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

    private func write(_ json: JSON, to path: String) throws(EmulatorError) {
        try write(json.bytes, to: path, mode: 0o600)
    }

    /// Writes beside the file and renames, so that nobody ever reads half of it.
    private func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(EmulatorError) {
        let draft = path + ".\(getpid()).new"
        unsafe unlink(draft)
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", draft) }
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
