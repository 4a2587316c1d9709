import Glibc

/// A Unix datagram socket that sends to one address.
///
/// Everything unsafe of the two protocols stands in this file. A receiver that takes nothing holds a sender for seconds and
/// no longer.
struct DatagramSocket: ~Copyable, Sendable {
    private static let longestWait = timeval(tv_sec: 5, tv_usec: 0)

    private let descriptor: CInt
    private let address: sockaddr_un
    private let length: socklen_t

    /// Makes a socket; nil for a path that is no socket's address.
    ///
    /// - Parameter path: A file, or behind a `@` a name of Linux's abstract namespace.
    init?(to path: String) {
        var bytes = Array(path.utf8)
        var address = sockaddr_un()
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard isAbstract || bytes.first == UInt8(ascii: "/"), bytes.count > 1,
            bytes.count < MemoryLayout.size(ofValue: address.sun_path)
        else { return nil }
        // An abstract name begins with NUL and has no end but the address's own.
        if isAbstract { bytes[0] = 0 } else { bytes.append(0) }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var wait = Self.longestWait
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout.size(ofValue: wait)))
        self.descriptor = descriptor
        self.address = address
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    }

    deinit { close(descriptor) }

    /// Sends one datagram; false where nobody takes it.
    func send(_ bytes: [UInt8]) -> Bool {
        var address = address
        let sent = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
                unsafe bytes.withUnsafeBytes { body in
                    unsafe sendto(descriptor, body.baseAddress, body.count, CInt(MSG_NOSIGNAL), target, length)
                }
            }
        }
        return sent == bytes.count
    }
}

/// The clock that systemd compares a reload's time with, in microseconds.
func monotonicMicroseconds() -> Int {
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// The device and the inode of standard error, as `JOURNAL_STREAM` writes them.
func identityOfStandardError() -> String? {
    var status = stat()
    guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return nil }
    return "\(status.st_dev):\(status.st_ino)"
}
