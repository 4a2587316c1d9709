import Foundation
import HTTP
import HTTPTypes
import JSON
import ScriptedHTTP
import Synchronization
import Testing

@testable import Google

@Suite(.timeLimit(.minutes(1))) struct APIClientTests {
    private static let read = APIRequest(.sheets, .get, "/v4/x", query: [("a b", "c&d")], fields: "id,name(x)")
    private static let write = APIRequest(.drive, .post, "/drive/v3/x", fields: "id", body: Array("{}".utf8))

    private func failure(_ answer: FakeGoogle.Answer, _ request: APIRequest) async throws -> GoogleError {
        let google = try FakeGoogle(api: { _, _ in answer })
        let api = try google.api()
        let error = try #require(await #expect(throws: GoogleError.self) { try await api.call(request) })
        #expect(google.apiRequests.count == (answer.status == 401 ? 2 : 1), "a call was repeated")
        return error
    }

    @Test func everyCallCarriesTokenFieldsAndCompactAnswers() async throws {
        let google = try FakeGoogle(api: { _, _ in FakeGoogle.Answer(body: #"{"id":7}"#) })
        let api = try google.api()
        #expect(try await api.call(Self.read) == ["id": 7])
        #expect(try await api.call(Self.write) == ["id": 7])
        let (read, write) = (google.apiRequests[0], google.apiRequests[1])
        #expect(read.line.hasPrefix("GET /v4/x?"))
        #expect(read.query == ["a b": "c&d", "fields": "id,name(x)", "prettyPrint": "false"])
        #expect(read.fields["authorization"] == "Bearer token-0")
        #expect(read.fields["content-type"] == nil)
        #expect(write.method == "POST")
        #expect(write.fields["content-type"] == "application/json; charset=utf-8")
        #expect(write.body == Array("{}".utf8))
        #expect(google.tokenRequests.count == 1)
    }

    @Test func anEmptyAnswerIsNull() async throws {
        let google = try FakeGoogle(api: { _, _ in FakeGoogle.Answer(status: 204, body: "") })
        #expect(try await google.api().call(Self.write) == .null)
    }

    @Test func aRefusedTokenIsReplacedOnce() async throws {
        let google = try FakeGoogle(api: { _, request in
            request.fields["authorization"] == "Bearer token-0"
                ? .error(401, "UNAUTHENTICATED", "Request had invalid credentials.") : FakeGoogle.Answer(body: "{}")
        })
        let calls = Mutex<[APICall]>([])
        let api = try google.api().observed { call in calls.withLock { $0.append(call) } }
        _ = try await api.call(Self.write)
        _ = try await api.call(Self.read)
        #expect(
            google.apiRequests.map { $0.fields["authorization"] } == [
                "Bearer token-0", "Bearer token-1", "Bearer token-1",
            ])
        #expect(calls.withLock { $0.map(\.status) } == [401, 200, 200])
        #expect(calls.withLock { $0.map(\.isWrite) } == [true, true, false])
        #expect(calls.withLock { $0[0].requestSize } == 2)
    }

    @Test func aTokenRefusedTwiceIsAnError() async throws {
        let error = try await failure(.error(401, "UNAUTHENTICATED", "no"), Self.write)
        #expect(error.code == .unauthenticated)
        #expect(!error.mayHaveTakenEffect)
    }

    @Test(arguments: [
        (FakeGoogle.Answer.error(503, "UNAVAILABLE", "no"), GoogleError.Code.unavailable),
        (FakeGoogle.Answer(status: 502, body: "<html>"), .unavailable),
        (FakeGoogle.Answer(body: "<html>"), .badAnswer),
        (FakeGoogle.Answer(body: #"{"id":"#), .badAnswer),
        (FakeGoogle.Answer(body: #"{"id":"cut off"}"#, cutAt: 6), .connectionLost),
    ])
    func anUnclearEndIsCalledSoForWritesAlone(answer: FakeGoogle.Answer, code: GoogleError.Code) async throws {
        for request in [Self.read, Self.write] {
            let error = try await failure(answer, request)
            #expect(error.code == code)
            #expect(error.retry == .backoff)
            #expect(error.mayHaveTakenEffect == (request.method == .post))
        }
    }

    @Test(arguments: [
        FakeGoogle.Answer.error(429, "RESOURCE_EXHAUSTED", "no"), .driveError(404, "notFound", "no"),
        .error(400, "INVALID_ARGUMENT", "no"),
    ])
    func aRefusalHasNoEffect(answer: FakeGoogle.Answer) async throws {
        #expect(try await !failure(answer, Self.write).mayHaveTakenEffect)
    }

    @Test func anEndpointThatIsNotThereHasNoEffect() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        for (endpoint, code) in [
            ("http://127.0.0.1:1", GoogleError.Code.unreachable), ("127.0.0.1", .badEndpoint),
        ] {
            let calls = Mutex(0)
            let api = APIClient(http: http, tokens: try google.tokens(http: http), endpoint: endpoint)
                .observed { _ in calls.withLock { $0 += 1 } }
            let error = await #expect(throws: GoogleError.self) { try await api.call(Self.write) }
            #expect(error?.code == code)
            #expect(error?.mayHaveTakenEffect == false)
            #expect(calls.withLock { $0 } == 1)
        }
    }

    @Test func cancellingEndsACall() async throws {
        let google = try FakeGoogle(api: { _, _ in FakeGoogle.Answer(body: "{}", delay: 5) })
        let api = try google.api()
        let task = Task { try await api.call(Self.write) }
        while google.apiRequests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        let error = await #expect(throws: GoogleError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.mayHaveTakenEffect == true)
    }
}
