import Glibc

/// A TCP connection to the loopback address that says what it likes.
final class RawConnection {
    private let descriptor: CInt

    /// Connects.
    ///
    /// - Parameter host: The last part of the client's own address, 127.0.0.x; nil for whatever the system gives.
    init(port: Int, from host: UInt8? = nil) {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if let host {
            var own = sockaddr_in()
            own.sin_family = sa_family_t(AF_INET)
            own.sin_addr.s_addr = in_addr_t((0x7F00_0000 + UInt32(host)).bigEndian)
            _ = unsafe withUnsafePointer(to: &own) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = in_addr_t(UInt32(0x7F00_0001).bigEndian)
        _ = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close(descriptor) }

    /// Sends bytes; false where the other side has closed.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return unsafe Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count
    }

    /// What comes until the other side closes; nil where it does not close in time.
    func rest(within limit: Duration = .seconds(5)) -> String? {
        var received: [UInt8] = []
        let end = ContinuousClock.now + limit
        while true {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = max(CInt((end - .now) / .milliseconds(1)), 0)
            guard unsafe poll(&wait, 1, left) == 1 else { return nil }
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            // A connection that is cut off with bytes unread ends by an error.
            if count <= 0 { return String(decoding: received, as: UTF8.self) }
            received += buffer[..<count]
        }
    }
}
