import Glibc

/// The user that a server runs as: this process's own, or for root an unprivileged one.
struct Account: Sendable {
    private let identity: (user: uid_t, group: gid_t)?

    static func unprivileged() throws -> Account {
        guard geteuid() == 0 else { return Account(identity: nil) }
        for name in ["postgres", "nobody"] {
            if let entry = unsafe getpwnam(name) {
                return unsafe Account(identity: (entry.pointee.pw_uid, entry.pointee.pw_gid))
            }
        }
        throw PostgresServerError(description: "a server cannot run as root, and there is neither postgres nor nobody")
    }

    /// The command line that runs a command as this user.
    ///
    /// The change of user is left to setpriv: a child that does it itself must be forked, and a fork of a process with
    /// threads has been seen to hang before it runs the program.
    func commandLine(_ command: [String]) -> [String] {
        guard let identity else { return command }
        return ["setpriv", "--reuid=\(identity.user)", "--regid=\(identity.group)", "--clear-groups"] + command
    }

    /// Makes a folder that only this user may enter.
    func makeTemporaryDirectory(in place: String?) throws -> String {
        // A socket's path has at most 107 bytes, its own name included.
        let lengths = 1...60
        let usual = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? ""
        let base = place ?? (lengths.contains(usual.utf8.count) ? usual : "/tmp")
        guard lengths.contains(base.utf8.count) else {
            throw PostgresServerError(description: "the path \(base) is too long for a server's socket in it")
        }
        var template = Array("\(base)/sheetsync-postgres-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let path = buffer.baseAddress, unsafe mkdtemp(path) != nil else { return nil }
            return unsafe String(cString: path)
        }
        guard let made else {
            throw PostgresServerError(description: "cannot make a folder in \(base) (error \(errno))")
        }
        if let identity, unsafe chown(made, identity.user, identity.group) != 0 {
            throw PostgresServerError(description: "cannot give \(made) to the server's user (error \(errno))")
        }
        return made
    }

    /// Writes a file that this user alone may read.
    func write(_ text: String, to path: String) throws {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw PostgresServerError(description: "cannot write \(path) (error \(errno))") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard unsafe Glibc.write(file, bytes, bytes.count) == bytes.count,
            identity.map({ fchown(file, $0.user, $0.group) == 0 }) ?? true
        else { throw PostgresServerError(description: "cannot write \(path) (error \(errno))") }
    }
}

/// A TCP port of the loopback interface that nobody listens on at the moment.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
        }
    }
    guard bound else { throw PostgresServerError(description: "no free TCP port on 127.0.0.1 (error \(errno))") }
    return Int(UInt16(bigEndian: address.sin_port))
}
