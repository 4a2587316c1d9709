import Foundation
import HTTP
import HTTPTypes
import ScriptedHTTP
import Synchronization
import Testing

private let agent = "sheetsync/test (gzip)"

@Suite(.timeLimit(.minutes(1))) struct HTTPClientTests {
    @Test func sendsWhatWasAskedAndReceivesWhatWasAnswered() async throws {
        let seen = Mutex<ScriptedServer.Request?>(nil)
        let server = try ScriptedServer { connection in
            let request = try connection.readRequest()
            seen.withLock { $0 = request }
            connection.send("HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n")
            connection.answer(
                201, ["X-Twice": "a", "x-twice ": "ignored", "Content-Type": "text/plain  "], body: "done")
        }
        let client = try HTTPClient(userAgent: agent)
        var request = HTTPClient.Request(method: .patch, url: "\(server.url)/a/../b?q=1%202", body: Array("body".utf8))
        request.fields[.contentType] = "text/plain"
        request.fields[.authorization] = "Bearer x"
        request.fields[try #require(HTTPField.Name("X-Empty"))] = ""
        let response = try await client.send(request)

        #expect(response.status.code == 201)
        #expect(response.fields[.contentType] == "text/plain")
        #expect(response.fields[try #require(HTTPField.Name("Link"))] == nil)
        #expect(response.body == Array("done".utf8))
        let sent = try #require(seen.withLock { $0 })
        #expect(sent.line == "PATCH /a/../b?q=1%202 HTTP/1.1")
        #expect(sent.body == Array("body".utf8))
        #expect(sent.fields["content-type"] == "text/plain")
        #expect(sent.fields["authorization"] == "Bearer x")
        #expect(sent.fields["x-empty"] == "")
        #expect(sent.fields["user-agent"] == agent)
        #expect(sent.fields["accept-encoding"] == "gzip")
        #expect(sent.fields["expect"] == nil)
    }

    @Test(arguments: [HTTPRequest.Method.get, .delete, .post, .put, .head])
    func everyMethodWorksWithoutABody(method: HTTPRequest.Method) async throws {
        let server = try ScriptedServer { connection in
            while true {
                let request = try connection.readRequest()
                if request.line.hasPrefix("HEAD") {
                    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
                } else {
                    let length = request.fields["content-length"] ?? "none"
                    connection.answer(body: "\(request.line.prefix { $0 != " " }) \(length)")
                }
            }
        }
        let client = try HTTPClient(userAgent: agent)
        let response = try await client.send(.init(method: method, url: server.url))
        let length = method == .get || method == .delete ? "none" : "0"
        #expect(String(decoding: response.body, as: UTF8.self) == (method == .head ? "" : "\(method) \(length)"))
    }

    @Test func aLargeBodyArrivesWhole() async throws {
        let server = try ScriptedServer { connection in
            let request = try connection.readRequest()
            connection.answer(body: request.body)
        }
        let client = try HTTPClient(userAgent: agent)
        let body = (0..<9_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        #expect(try await client.send(.init(method: .post, url: server.url, body: body)).body == body)
    }

    @Test func decompressesGzip() async throws {
        // `printf 'hello hello hello' | gzip -n | base64`
        let packed = try #require(Data(base64Encoded: "H4sIAAAAAAAAA8tIzcnJV8hAkACAiPnlEQAAAA=="))
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(200, ["Content-Encoding": "gzip"], body: Array(packed))
        }
        let client = try HTTPClient(userAgent: agent)
        let response = try await client.send(.init(method: .get, url: server.url))
        #expect(String(decoding: response.body, as: UTF8.self) == "hello hello hello")
    }

    @Test func takesAnErrorPageForAnAnswer() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(502, ["Content-Type": "text/html"], body: "<html>Bad Gateway</html>")
        }
        let client = try HTTPClient(userAgent: agent)
        let response = try await client.send(.init(method: .get, url: server.url))
        #expect(response.status == .badGateway)
        #expect(response.body == Array("<html>Bad Gateway</html>".utf8))
    }

    @Test func doesNotFollowRedirects() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(302, ["Location": "/elsewhere"])
        }
        let client = try HTTPClient(userAgent: agent)
        #expect(try await client.send(.init(method: .get, url: server.url)).status == .found)
        #expect(server.requests == 1)
    }

    @Test func reusesAConnection() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                connection.answer(body: "ok")
            }
        }
        let client = try HTTPClient(userAgent: agent)
        for _ in 0..<20 { _ = try await client.send(.init(method: .post, url: server.url, body: [1, 2, 3])) }
        #expect(server.connections == 1)
        #expect(server.requests == 20)
    }

    @Test func twoHundredAtOnce() async throws {
        let server = try ScriptedServer { connection in
            while true {
                let request = try connection.readRequest()
                Thread.sleep(forTimeInterval: 0.01)
                connection.answer(body: request.body)
            }
        }
        let client = try HTTPClient(userAgent: agent)
        let right = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let body = [UInt8](repeating: UInt8(number), count: number + 1)
                    return try await client.send(.init(method: .post, url: server.url, body: body)).body == body
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(right == 200)
        #expect(server.requests == 200)
    }

    /// The body of a broken description would show here: nothing of the request but its host may appear.
    @Test func errorsTellTheHostAndNoSecret() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.reset()
        }
        let client = try HTTPClient(userAgent: agent)
        var request = HTTPClient.Request(
            method: .post, url: "http://secret1:secret2@127.0.0.1:\(server.port)/secret3?secret4",
            body: Array("secret5".utf8))
        request.fields[.authorization] = "secret6"
        let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
        let text = try #require(error).description
        #expect(text.contains("127.0.0.1:\(server.port)"))
        #expect(!text.contains("secret"))
    }
}
