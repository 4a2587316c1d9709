import Foundation
import Subprocess
import TestSupport
import Testing

/// The program as a container's first process.
@Suite struct FirstProcessTests {
    private static let canTry: Bool = {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["unshare", "--pid", "--fork", "true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(.enabled(if: canTry, "no process namespaces here"), arguments: ["run", "migrate", "status"])
    func hearsSIGTERMWhileItConnects(command: String) async throws {
        do {
            let listener = try Silence()
            defer { listener.end() }
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["unshare", "--pid", "--fork", "--kill-child", Program.path, command]
            process.environment = [
                "PATH": "/usr/bin:/bin",
                "DATABASE_URL": "postgresql://u@127.0.0.1:\(listener.port)/app?connect_timeout=60",
                "GOOGLE_SHEETS_CREDENTIALS":
                    #"{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}"#,
                "SHEETSYNC_HTTP_ADDRESS": "",
            ]
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            try await wait(for: "it to connect", within: .seconds(30)) { listener.hasClient }
            // unshare passes no signal on, so its child is asked for.
            let children = try String(
                contentsOfFile: "/proc/\(process.processIdentifier)/task/\(process.processIdentifier)/children",
                encoding: .utf8)
            let child = try #require(children.split(separator: " ").first.flatMap { Int32($0) })
            kill(child, SIGTERM)
            try await wait(for: "it to end", within: .seconds(10)) { !process.isRunning }
            #expect(process.terminationStatus == 128 + SIGTERM)
        }
    }
}

/// A port that takes connections and never says a word.
private final class Silence {
    private let descriptor: Int32
    let port: Int

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = unsafe inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, length) == 0 && listen(descriptor, 5) == 0
                    && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        port = Int(UInt16(bigEndian: address.sin_port))
    }

    /// Whether somebody waits to be heard.
    var hasClient: Bool {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&ready, 1, 0) > 0
    }

    func end() { close(descriptor) }
}
