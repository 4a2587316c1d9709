import HTTP
import HTTPTypes
import JSON
import ScriptedHTTP
import Testing

@testable import Google

/// Compressed bodies, and what happens where they are not taken.
@Suite(.timeLimit(.minutes(5))) struct BodyCodingTests {
    private static let text = #"{"requests":["# + String(repeating: #"{"cell":"value"},"#, count: 5_000) + #"{}]}"#
    private static let long = Array(text.utf8)

    private func isPacked(_ request: ScriptedServer.Request) -> Bool { request.fields["content-encoding"] == "gzip" }

    private func write(_ body: [UInt8], _ api: APIClient) async throws {
        _ = try await SheetsClient(api: api).batchUpdate("1", body: body)
    }

    @Test func longBodiesOfManyCellsGoOutCompressed() async throws {
        let google = try FakeGoogle()
        let api = try google.api()
        try await write(Self.long, api)
        try await write(Array(#"{"requests":[]}"#.utf8), api)
        try await SheetsClient(api: api).updateValues("1", body: Self.long)
        #expect(google.apiRequests.map(isPacked) == [true, false, false])
        #expect(google.apiRequests[0].body.prefix(2) == [0x1F, 0x8B])
        #expect(google.apiRequests[0].body.count * 10 < Self.long.count)
        #expect(google.apiRequests[2].body == Self.long)
        #expect(google.apiRequests[2].path == "/v4/spreadsheets/1/values:batchUpdateByDataFilter")
    }

    @Test(arguments: [400, 415]) func aRefusalIsRememberedForTheProcess(status: Int) async throws {
        let google = try FakeGoogle(api: { _, request in
            request.fields["content-encoding"] == "gzip"
                ? .error(status, "INVALID_ARGUMENT", "Invalid JSON payload received.") : FakeGoogle.Answer(body: "{}")
        })
        let api = try google.api()
        for _ in 0..<3 { try await write(Self.long, api.observed { _ in }) }
        #expect(google.apiRequests.map(isPacked) == [true, false, false, false])
        #expect(google.apiRequests.dropFirst().allSatisfy { $0.body == Self.long })
    }

    @Test func aBodyThatIsWrongEitherWayProvesNothing() async throws {
        let google = try FakeGoogle(api: { number, _ in
            number < 2 || number == 3
                ? .error(400, "INVALID_ARGUMENT", "Invalid requests[0].addSheet: No.") : FakeGoogle.Answer(body: "{}")
        })
        let api = try google.api()
        let error = await #expect(throws: GoogleError.self) { try await write(Self.long, api) }
        #expect(error?.code == .badRequest)
        #expect(google.apiRequests.map(isPacked) == [true, false])
        // Once one was taken, a refusal is about what the body says, and nothing is sent twice.
        try await write(Self.long, api)
        await #expect(throws: GoogleError.self) { try await write(Self.long, api) }
        #expect(google.apiRequests.map(isPacked) == [true, false, true, true])
    }

    @Test func aRefusedTokenAndARefusedBodyAreBothMended() async throws {
        let google = try FakeGoogle(api: { _, request in
            if request.fields["authorization"] == "Bearer token-0" { return .error(401, "UNAUTHENTICATED", "No.") }
            return request.fields["content-encoding"] == "gzip"
                ? FakeGoogle.Answer(status: 415, body: "") : FakeGoogle.Answer(body: "{}")
        })
        try await write(Self.long, try google.api())
        #expect(google.apiRequests.map(isPacked) == [true, true, false])
    }
}
