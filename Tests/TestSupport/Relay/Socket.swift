import Foundation
import Glibc

/// A TCP socket on the loopback interface with blocking calls; it is closed with its last user.
final class Socket: Sendable {
    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    static func listening(on port: Int) throws -> Socket {
        let made = Socket(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var yes: Int32 = 1
        unsafe setsockopt(made.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe made.withAddress(port, { unsafe bind(made.descriptor, $0, $1) }) == 0,
            listen(made.descriptor, 64) == 0
        else { throw SocketError(description: "cannot listen on port \(port) (error \(errno))") }
        return made
    }

    static func connected(to port: Int) throws -> Socket {
        let made = Socket(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        guard unsafe made.withAddress(port, { unsafe connect(made.descriptor, $0, $1) }) == 0 else {
            throw SocketError(description: "cannot connect to port \(port) (error \(errno))")
        }
        made.sendAtOnce()
        return made
    }

    func port() throws -> Int {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe getsockname(descriptor, generic, &length)
            }
        }
        guard result == 0 else { throw SocketError(description: "a socket without a name (error \(errno))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Waits for a client; nil when the socket was shut down.
    func accept() -> Socket? {
        while true {
            let accepted = Glibc.accept(descriptor, nil, nil)
            if accepted >= 0 {
                let client = Socket(accepted)
                client.sendAtOnce()
                return client
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }

    /// Waits for bytes; nil at the end.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { return Array(buffer.prefix(count)) }
            guard count < 0, errno == EINTR else { return nil }
        }
    }

    /// Sends all bytes; false where the other side is gone.
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else if errno != EINTR { return false }
        }
        return true
    }

    /// Ends both directions and wakes up who waits.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func sendAtOnce() {
        var yes: Int32 = 1
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    private func withAddress(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe body(generic, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// Why there is no socket.
struct SocketError: Error, CustomStringConvertible {
    let description: String
}
