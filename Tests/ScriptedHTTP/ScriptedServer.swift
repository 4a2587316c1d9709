import Foundation
import Synchronization

/// A TCP server on the loopback that does to each connection what a test says, byte by byte.
///
/// Each connection has a thread of its own, so that a script can block; every read gives up after 20 s.
package final class ScriptedServer: Sendable {
    package let port: Int
    private let listener: Int32
    private let state = Mutex((connections: 0, requests: 0))

    /// Starts to listen and runs the script on each connection.
    package init(_ script: @escaping @Sendable (Connection) throws -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, length) == 0 && listen(listener, 512) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard bound else { throw Failure(reason: "cannot listen") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let socket = accept(listener, nil, nil)
                guard socket >= 0 else { break }
                let number = self?.state.withLock { state in
                    state.connections += 1
                    return state.connections
                }
                let connection = Connection(socket, number: number ?? 0) { self?.state.withLock { $0.requests += 1 } }
                Thread.detachNewThread {
                    try? script(connection)
                    connection.close()
                }
            }
            Glibc.close(listener)
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    package var url: String { "http://127.0.0.1:\(port)" }
    /// The connections accepted so far.
    package var connections: Int { state.withLock(\.connections) }
    /// The requests read so far, on all connections.
    package var requests: Int { state.withLock(\.requests) }

    package struct Failure: Error { package let reason: String }

    /// What came in.
    package struct Request {
        package let line: String
        /// Names in small letters.
        package let fields: [String: String]
        package let body: [UInt8]
    }

    /// One accepted connection, used by its own thread alone.
    package final class Connection: @unchecked Sendable {
        /// 1 for the first that the server accepted.
        package let number: Int
        private let socket: Int32
        private let onRequest: () -> Void
        private var buffer: [UInt8] = []

        init(_ socket: Int32, number: Int, onRequest: @escaping () -> Void) {
            self.number = number
            self.socket = socket
            self.onRequest = onRequest
            var limit = timeval(tv_sec: 20, tv_usec: 0)
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        }

        /// Reads more; false at the end of the stream.
        private func fill() -> Bool {
            var piece = [UInt8](repeating: 0, count: 65536)
            let count = unsafe recv(socket, &piece, piece.count, 0)
            guard count > 0 else { return false }
            buffer += piece[..<count]
            return true
        }

        /// Reads one request whole; throws at the end of the stream.
        package func readRequest() throws -> Request {
            let end = Array("\r\n\r\n".utf8)
            var head = buffer.firstRange(of: end)
            while head == nil {
                guard fill() else { throw Failure(reason: "the client closed") }
                head = buffer.firstRange(of: end)
            }
            guard let head else { throw Failure(reason: "no head") }
            let lines = String(decoding: buffer[..<head.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                let parts = line.split(separator: ":", maxSplits: 1)
                fields[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
            }
            buffer.removeSubrange(..<head.upperBound)
            let length = Int(fields["content-length"] ?? "0") ?? 0
            while buffer.count < length { guard fill() else { throw Failure(reason: "the client closed") } }
            let body = Array(buffer[..<length])
            buffer.removeSubrange(..<length)
            onRequest()
            return Request(line: lines[0], fields: fields, body: body)
        }

        /// Sends bytes as they are.
        package func send(_ bytes: [UInt8]) {
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes[sent...].withUnsafeBytes { rest in
                    unsafe Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { return }
                sent += count
            }
        }

        /// Sends text as it is.
        package func send(_ text: String) { send(Array(text.utf8)) }

        /// Sends a whole answer that keeps the connection.
        package func answer(_ status: Int = 200, _ fields: [String: String] = [:], body: [UInt8]) {
            let head = fields.map { "\($0): \($1)\r\n" }.joined()
            send(Array("HTTP/1.1 \(status) Scripted\r\nContent-Length: \(body.count)\r\n\(head)\r\n".utf8) + body)
        }

        /// Sends a whole answer that keeps the connection.
        package func answer(_ status: Int = 200, _ fields: [String: String] = [:], body: String = "") {
            answer(status, fields, body: Array(body.utf8))
        }

        /// Waits until the client closes, or the read's limit, and tells how many bytes came.
        @discardableResult package func waitForClose() -> Int {
            while fill() {}
            return buffer.count
        }

        /// Ends the connection with a reset in place of a proper end.
        package func reset() {
            var linger = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
            close()
        }

        private var isClosed = false

        package func close() {
            guard !isClosed else { return }
            isClosed = true
            Glibc.close(socket)
        }
    }
}
