import Foundation
import HTTP
import HTTPTypes
import ScriptedHTTP
import Synchronization
import Testing

private let agent = "sheetsync/test (gzip)"

@Suite(.timeLimit(.minutes(1))) struct HTTPCancellationTests {
    /// A server that reads one request a connection and never answers, and counts the connections that the client closed.
    private final class SilentServer: Sendable {
        let server: ScriptedServer
        private let closed: Counter

        init() throws {
            let closed = Counter()
            self.closed = closed
            server = try ScriptedServer { connection in
                _ = try connection.readRequest()
                connection.waitForClose()
                closed.value.withLock { $0 += 1 }
            }
        }

        var connectionsClosed: Int { closed.value.withLock { $0 } }
    }

    private final class Counter: Sendable { let value = Mutex(0) }

    /// Waits for a condition, ten seconds at most.
    private func eventually(_ condition: () -> Bool) async throws -> Bool {
        for _ in 0..<1000 {
            if condition() { return true }
            try await Task.sleep(for: .milliseconds(10))
        }
        return condition()
    }

    @Test func beforeTheStart() async throws {
        let silent = try SilentServer()
        let client = try HTTPClient(userAgent: agent)
        let url = silent.server.url
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await client.send(.init(method: .get, url: url))
        }
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveReachedServer == false)
        #expect(silent.server.connections == 0)
    }

    @Test func underWay() async throws {
        let silent = try SilentServer()
        let client = try HTTPClient(userAgent: agent)
        let url = silent.server.url
        let task = Task { try await client.send(.init(method: .get, url: url)) }
        #expect(try await eventually { silent.server.requests == 1 })
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveReachedServer == true)
        #expect(try await eventually { silent.connectionsClosed == 1 })
    }

    @Test func beforeTheFirstByte() async throws {
        let silent = try SilentServer()
        let client = try HTTPClient(userAgent: agent)
        var request = HTTPClient.Request(method: .post, url: silent.server.url, body: [1])
        request.condition = { false }
        let order = request
        let error = await #expect(throws: HTTPError.self) { try await client.send(order) }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveReachedServer == false)
        #expect(silent.server.requests == 0)
    }

    /// A large body takes many pieces; what is left of it stays here once the condition no longer holds.
    @Test func betweenTwoPiecesOfTheBody() async throws {
        let silent = try SilentServer()
        let client = try HTTPClient(userAgent: agent)
        let asked = Counter()
        var request = HTTPClient.Request(
            method: .post, url: silent.server.url, body: Array(repeating: 7, count: 8 << 20))
        request.condition = {
            asked.value.withLock { count in
                count += 1
                return count < 4
            }
        }
        let order = request
        let error = await #expect(throws: HTTPError.self) { try await client.send(order) }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveReachedServer == true)
        #expect(asked.value.withLock { $0 } == 4)
        #expect(silent.server.requests == 0, "the server got the whole request")
    }

    /// Cancellations race with starts and ends; each request must come back once, whichever wins.
    @Test func atEveryMoment() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                connection.answer(body: "ok")
            }
        }
        let client = try HTTPClient(userAgent: agent)
        let url = server.url
        let tasks = (0..<300).map { number in
            Task {
                let inner = Task { try await client.send(.init(method: .get, url: url)).status.code }
                try? await Task.sleep(for: .microseconds(number * 10))
                inner.cancel()
                return await inner.result
            }
        }
        for task in tasks {
            switch await task.value {
            case .success(let status): #expect(status == 200)
            case .failure(let error): #expect((error as? HTTPError)?.code == .cancelled)
            }
        }
        #expect(try await client.send(.init(method: .get, url: url)).status == .ok)
    }

    @Test func shutdownFailsWhatWaits() async throws {
        let silent = try SilentServer()
        let client = try HTTPClient(userAgent: agent)
        let url = silent.server.url
        let tasks = (0..<10).map { _ in Task { try await client.send(.init(method: .get, url: url)) } }
        #expect(try await eventually { silent.server.requests == 10 })
        await client.shutdown()
        for task in tasks {
            let error = await #expect(throws: HTTPError.self) { try await task.value }
            #expect(error?.code == .closed)
        }
        #expect(try await eventually { silent.connectionsClosed == 10 })
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(.init(method: .get, url: url))
        }
        #expect(error?.code == .closed)
        #expect(error?.mayHaveReachedServer == false)
        await client.shutdown()
    }

    @Test func aForgottenClientClosesItsConnections() async throws {
        let closed = Counter()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            connection.answer(body: "ok")
            connection.waitForClose()
            closed.value.withLock { $0 += 1 }
        }
        do {
            let client = try HTTPClient(userAgent: agent)
            _ = try await client.send(.init(method: .get, url: server.url))
        }
        #expect(try await eventually { closed.value.withLock { $0 } == 1 })
    }
}
