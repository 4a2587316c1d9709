import Glibc

/// A socket that hears what a service says, as systemd and the journal have one.
///
/// A datagram that nobody takes stays in it.
public final class DatagramReceiver: Sendable {
    private let descriptor: CInt
    /// Where it hears.
    public let path: String

    /// Binds a path, or behind a `@` an abstract name.
    public init(_ path: String) {
        self.path = path
        descriptor = socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        precondition(bound == 0, "cannot bind \(path)")
    }

    deinit {
        close(descriptor)
        unsafe unlink(path)
    }

    /// The next datagram; nil where none comes in time.
    public func next(within limit: Duration = .seconds(5)) -> [UInt8]? {
        var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&wait, 1, CInt(limit / .milliseconds(1))) == 1 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
        return count >= 0 ? Array(buffer[..<count]) : nil
    }

    /// The next datagram as text.
    public func text(within limit: Duration = .seconds(5)) -> String? {
        next(within: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// All that is there, as text.
    public func all() -> [String] {
        var texts: [String] = []
        while let text = text(within: .zero) { texts.append(text) }
        return texts
    }
}
