import Foundation
import HTTP
import HTTPTypes
import ScriptedHTTP
import Synchronization
import Testing

private let agent = "sheetsync/test (gzip)"

/// Each way in which an exchange breaks, and whether the server may have acted on the request.
@Suite(.timeLimit(.minutes(1))) struct HTTPFaultTests {
    /// Sends one small POST and expects it to fail.
    private func failure(
        at url: String, timeout: Duration = .seconds(15), largestAnswer: Int = 1 << 20
    ) async throws -> HTTPError {
        let client = try HTTPClient(userAgent: agent)
        let request = HTTPClient.Request(
            method: .post, url: url, body: Array("{}".utf8), timeout: timeout, largestAnswer: largestAnswer)
        return try #require(await #expect(throws: HTTPError.self) { _ = try await client.send(request) })
    }

    @Test func aNameWithoutAddress() async throws {
        let error = try await failure(at: "http://no-such-host.invalid/")
        #expect(error.code == .resolve)
        #expect(!error.mayHaveReachedServer)
        #expect(error.description.contains("no-such-host.invalid"))
    }

    @Test func aRefusedConnection() async throws {
        let error = try await failure(at: "http://127.0.0.1:1/")
        #expect(error.code == .connect)
        #expect(!error.mayHaveReachedServer)
    }

    @Test func aServerWithoutTLS() async throws {
        let server = try ScriptedServer { connection in
            connection.send("HTTP/1.1 400 This is not TLS\r\n\r\n")
            connection.waitForClose()
        }
        let error = try await failure(at: "https://127.0.0.1:\(server.port)/")
        #expect(error.code == .tls)
        #expect(!error.mayHaveReachedServer)
    }

    @Test func aTimeoutWhileConnectingIsNoRequest() async throws {
        // The connection stands, but the server never says a word of the handshake.
        let server = try ScriptedServer { $0.waitForClose() }
        let error = try await failure(at: "https://127.0.0.1:\(server.port)/", timeout: .milliseconds(300))
        #expect(error.code == .connect)
        #expect(!error.mayHaveReachedServer)
    }

    @Test(arguments: ["", "nonsense", "ftp://127.0.0.1/x", "file:///etc/hostname", "http://", "http://a b/"])
    func aBadURL(url: String) async throws {
        let error = try await failure(at: url)
        #expect(error.code == .invalidURL, "\(error)")
        #expect(!error.mayHaveReachedServer)
    }

    @Test func noAnswerInTime() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.waitForClose()
        }
        let error = try await failure(at: server.url, timeout: .milliseconds(300))
        #expect(error.code == .timedOut)
        #expect(error.mayHaveReachedServer)
    }

    @Test func anAnswerTooSlow() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in 0..<100 {
                connection.send("x")
                Thread.sleep(forTimeInterval: 0.05)
            }
        }
        let error = try await failure(at: server.url, timeout: .milliseconds(500))
        #expect(error.code == .timedOut)
        #expect(error.mayHaveReachedServer)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo",
    ])
    func theConnectionEndsOrBreaks(sent: String) async throws {
        for reset in [false, true] {
            let server = try ScriptedServer { connection in
                _ = try connection.readRequest()
                connection.send(sent)
                if reset { connection.reset() }
            }
            let error = try await failure(at: server.url)
            #expect(error.code == .connectionLost, "\(error)")
            #expect(error.mayHaveReachedServer)
            #expect(server.requests == 1)
        }
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "\0\0\u{12}\u{4}\0\0\0\0\0\0\0\0\0\0\0\0"])
    func somethingThatIsNotHTTP(sent: String) async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.send(sent)
        }
        let error = try await failure(at: server.url)
        #expect(error.code == .badAnswer, "\(error)")
        #expect(error.mayHaveReachedServer)
    }

    @Test func brokenGzip() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(200, ["Content-Encoding": "gzip"], body: "this is not gzip at all")
        }
        let error = try await failure(at: server.url)
        #expect(error.code == .badAnswer, "\(error)")
    }

    @Test func anAnswerTooLarge() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(body: [UInt8](repeating: 0x20, count: 2_000_000))
        }
        let error = try await failure(at: server.url, largestAnswer: 1_999_999)
        #expect(error.code == .answerTooLarge)
        #expect(error.mayHaveReachedServer)
    }

    @Test func headerFieldsWithoutEnd() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.send("HTTP/1.1 200 OK\r\n")
            for number in 0..<2_000 {
                connection.send("X-\(number): \(String(repeating: "x", count: 1000))\r\n")
            }
            connection.waitForClose()
        }
        #expect(try await failure(at: server.url).code == .answerTooLarge)
    }

    /// libcurl's own repetition would make a second spreadsheet: the server may have done the work before it broke off.
    @Test func aPostOnAReusedConnectionIsNotRepeated() async throws {
        let later = Mutex(0)
        let server = try ScriptedServer { connection in
            guard connection.number == 1 else {
                return later.withLock { $0 += connection.waitForClose() }
            }
            _ = try connection.readRequest()
            connection.answer(body: "first")
            _ = try connection.readRequest()
        }
        let client = try HTTPClient(userAgent: agent)
        let request = HTTPClient.Request(method: .post, url: server.url, body: Array("{}".utf8))
        #expect(try await client.send(request).body == Array("first".utf8))
        let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
        #expect(error?.code == .connectionLost)
        #expect(error?.mayHaveReachedServer == true)
        #expect(server.requests == 2)
        await client.shutdown()
        try await Task.sleep(for: .milliseconds(50))
        #expect(later.withLock { $0 } == 0, "bytes sent on another connection")
    }

    /// A server may close a connection that nothing runs on at any time.
    @Test func aConnectionClosedWhileIdleIsReplaced() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(body: "ok")
        }
        let client = try HTTPClient(userAgent: agent)
        let request = HTTPClient.Request(method: .post, url: server.url, body: Array("{}".utf8))
        for _ in 0..<3 {
            _ = try await client.send(request)
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(server.connections == 3)
    }
}
