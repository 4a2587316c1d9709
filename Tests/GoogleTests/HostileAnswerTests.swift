import HTTP
import HTTPTypes
import JSON
import Testing

@testable import Google

/// Whatever stands in an answer becomes a value or an error, and never the end of the process.
@Suite struct HostileAnswerTests {
    /// The least, the largest and the absurd that a field of numbers or times may be given.
    static let absurdities = [
        "-9223372036854775808", "9223372036854775807", "9223372036854775808", "-1", "99999999999999999999", "1e400",
        "-1e400", "0.5", "", " ", "nan", "infinity", "9999-12-31T23:59:59.999999999999999999999Z",
        "0000-00-00T00:00:00Z",
        "99999999999999999999-01-01T00:00:00Z", "9999-12-31T23:59:99999999999999999999Z",
        "0001-01-01T00:00:00+23:59", "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        "Sun, 99999999999999999999 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 99999999999999999999:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:99999999999999999999 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
        "Mon, 01 Jan 0001 00:00:00 GMT",
    ]

    @Test(arguments: absurdities) func timesAndNumbersOfErrors(text: String) throws {
        for status in [403, 429, 503] {
            for other in ["2026-11-22T09:30:00Z", text] {
                let body: JSON = [
                    "error": [
                        "code": JSON(status), "status": "RESOURCE_EXHAUSTED", "message": .string(text),
                        "details": [
                            [
                                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED",
                                "metadata": [
                                    "quota_limit": "WriteRequestsPerMinutePerUser", "quota_limit_value": .string(text),
                                    "window_start_time": .string(other), "quota_unit": "1/min/{project}/{user}",
                                ],
                            ],
                            ["@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": .string(text + "s")],
                        ],
                    ]
                ]
                for fields: HTTPFields in [[.date: text], [.retryAfter: text], [.date: text, .retryAfter: text]] {
                    let error = GoogleError(
                        status: status, fields: fields, body: body.bytes, receivedAt: Timestamp(seconds: .max))
                    switch error.retry {
                    case .after(let pause), .wait(let pause): #expect(pause > .zero && pause <= .seconds(86_400))
                    case .never, .backoff, .slowly: break
                    }
                    #expect((0...1_000_000_000).contains(error.quota?.value ?? 0))
                }
            }
        }
    }

    @Test(arguments: absurdities) func timesOfFilesAndTokens(text: String) throws {
        _ = DriveFile(["id": "1", "name": "n", "createdTime": .string(text)])?.createdTime.map { $0.seconds + 60 }
        for value in [text, "\"\(text)\"", "null", "[]"] {
            guard let grant = TokenGrant(Array(#"{"access_token":"a","expires_in":\#(value)}"#.utf8)) else { continue }
            #expect(grant.lifetime >= .zero && grant.lifetime <= .seconds(86_400), "\(value)")
            let start = ContinuousClock.now
            _ = AccessToken(grant.accessToken, from: start, lifetime: grant.lifetime, scopes: grant.scopes)
                .isUsable(at: start + .seconds(3600))
        }
        for seconds in [Int.min, -1, 0, Int.max] {
            let time = Timestamp(seconds: seconds)
            #expect(time.milliseconds - Timestamp.now().milliseconds != .max)
        }
    }

    @Test func aClockThatIsAbsurdIsNoReasonToEnd() async throws {
        for text in Self.absurdities {
            let google = try FakeGoogle(token: { _, _ in
                FakeGoogle.Answer(
                    status: 400, fields: ["Date": text],
                    body:
                        #"{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}"#
                )
            })
            let http = try HTTPClient(userAgent: "test")
            let tokens = try google.tokens(http: http)
            await #expect(throws: GoogleError.self) { try await tokens.token() }
            await http.shutdown()
        }
    }

    /// Four bytes of text that become a tree of a hundred.
    private static func brackets(_ count: Int) -> String { "[" + String(repeating: "[0],", count: count) + "0]" }

    @Test func noCallTakesAnAnswerThatItCannotNeed() async throws {
        let (few, many) = (Self.brackets(8_000), Self.brackets(130_000))
        let google = try FakeGoogle(api: { _, request in
            let isLong = ["/permissions", ":batchUpdate", "/v4/spreadsheets/1"].contains { request.path.hasSuffix($0) }
            return FakeGoogle.Answer(body: isLong ? many : few)
        })
        let api = try google.api()
        let (drive, sheets) = (DriveClient(api: api), SheetsClient(api: api))
        let place = GridRectangle(sheetID: 0, rows: 0..<10, columns: 0..<10)
        let calls: [(String, () async throws -> Void)] = [
            ("file", { _ = try await drive.file("1") }), ("ids", { _ = try await drive.generateIDs(1) }),
            ("create", { _ = try await drive.createSpreadsheet(name: "n", parent: nil) }),
            ("permissions", { _ = try await drive.permissions(of: "1") }),
            ("batchUpdate", { _ = try await sheets.batchUpdate("1", body: [UInt8]("{}".utf8)) }),
            ("updateValues", { _ = try await sheets.updateValues("1", body: [UInt8]("{}".utf8)) }),
            ("spreadsheet", { _ = try await sheets.spreadsheet("1", fields: "sheets") }),
            ("cells", { _ = try await sheets.spreadsheet("1", in: [place], fields: "sheets") }),
        ]
        for (name, call) in calls {
            do {
                try await call()
                Issue.record("\(name) took the answer")
            } catch let error as GoogleError {
                #expect(error.code == .answerTooLarge, "\(name): \(error)")
            }
        }
    }

    @Test func anErrorOfManyValuesIsStillAnError() {
        let error = GoogleError(
            status: 503, fields: [:], body: Array(Self.brackets(100_000).utf8), receivedAt: .now())
        #expect(error.code == .unavailable, "\(error)")
    }

    @Test(arguments: [
        ("http://oauth.example.com/token", true), ("http://10.0.0.1/token", true), ("HTTP://example.com", true),
        ("http://localhost.example.com/", true), ("http://127.0.0.1.example.com/", true),
        ("http://localhost@example.com/", true), ("http://127.0.0.1:1@example.com/", true),
        ("http://127.0.0.1:8080/token", false), ("http://127.9.9.9/", false), ("http://localhost:1/token", false),
        ("http://[::1]:8080/token", false), ("https://oauth.example.com/token", false),
    ]) func whatEverybodyOnTheWayCanHear(url: String, isOpen: Bool) {
        #expect(Endpoint.isOpenToListeners(url) == isOpen)
        let user: JSON = [
            "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
            "token_uri": .string(url),
        ]
        let service: JSON = [
            "type": "service_account", "client_email": "a@b.iam.gserviceaccount.com",
            "private_key": .string(TestKey.rsa.pkcs8), "token_uri": .string(url),
        ]
        for text in [user, service] {
            do throws(CredentialsError) {
                _ = try Credentials(parsing: text.description, from: "test")
                #expect(!isOpen)
            } catch {
                #expect(isOpen && error.code == .insecureEndpoint, "\(error)")
            }
        }
    }
}
