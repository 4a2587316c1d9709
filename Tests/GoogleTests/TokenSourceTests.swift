import Foundation
import HTTP
import JSON
import ScriptedHTTP
import Synchronization
import Testing

@testable import Google

@Suite(.timeLimit(.minutes(5))) struct TokenSourceTests {
    private func decode(_ part: Substring) throws -> [UInt8] {
        let text = part.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        let padded = text + String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Array(try #require(Data(base64Encoded: padded)))
    }

    @Test func anAssertionIsSignedAndComplete() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        let now = Timestamp(seconds: 1_790_000_000)
        let tokens = try google.tokens(
            google.serviceAccount(subject: "ann@example.org"), http: http, clocks: Clocks(wall: { now }))
        #expect(try await tokens.token().secret == Secret("token-0"))

        let request = try #require(google.tokenRequests.first)
        #expect(request.fields["content-type"] == "application/x-www-form-urlencoded")
        #expect(request.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
        let parts = try #require(request.form["assertion"]).split(separator: ".")
        #expect(parts.count == 3)
        #expect(TestKey.rsa.verifies(try decode(parts[2]), of: Array("\(parts[0]).\(parts[1])".utf8)))
        #expect(try JSON(parsing: decode(parts[0])) == ["alg": "RS256", "typ": "JWT", "kid": "key-7"])
        let claims: JSON = [
            "iss": "robot@project.iam.gserviceaccount.com", "sub": "ann@example.org",
            "scope": "https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets",
            "aud": .string(google.tokenURI), "iat": 1_789_999_970, "exp": 1_790_003_570,
        ]
        #expect(try JSON(parsing: decode(parts[1])) == claims)
    }

    @Test func aUserSendsTheRefreshToken() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        _ = try await google.tokens(google.user(), http: http).token()
        let form: [String: String] = [
            "grant_type": "refresh_token", "refresh_token": "refresh-1", "client_id": "client", "client_secret": "hush",
        ]
        #expect(google.tokenRequests.first?.form == form)
    }

    @Test func aHundredCallersMakeOneExchange() async throws {
        let google = try FakeGoogle(token: { number, _ in
            var answer = FakeGoogle.Answer.token("token-\(number)")
            answer.delay = 0.3
            return answer
        })
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let seen = try await withThrowingTaskGroup(of: Secret.self) { group in
            for _ in 0..<100 { group.addTask { try await tokens.token().secret } }
            return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
        }
        #expect(seen == [Secret("token-0")])
        #expect(try await tokens.token().secret == Secret("token-0"))
        #expect(google.tokenRequests.count == 1)
    }

    @Test func aWaitersCancellationIsItsOwn() async throws {
        let isOpen = Mutex(false)
        let google = try FakeGoogle(token: { number, _ in
            while !isOpen.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.005) }
            return .token("token-\(number)")
        })
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let impatient = Task { try await tokens.token() }
        while google.tokenRequests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        let patient = Task { try await tokens.token() }
        impatient.cancel()
        let error = await #expect(throws: GoogleError.self) { try await impatient.value }
        #expect(error?.code == .cancelled)
        // Only now does the exchange get its answer.
        isOpen.withLock { $0 = true }
        #expect(try await patient.value.secret == Secret("token-0"))
        #expect(google.tokenRequests.count == 1)
    }

    @Test func cancelledBeforeTheWait() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let task = Task {
            unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            return try await tokens.token()
        }
        let error = await #expect(throws: GoogleError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(google.tokenRequests.isEmpty)
    }

    /// Time that passes when the test says so.
    private final class Watch: Sendable {
        private let passed = Mutex(Duration.zero)
        private let start = ContinuousClock.now

        var clocks: Clocks { Clocks(steady: { self.start + self.passed.withLock { $0 } }) }
        func advance(by duration: Duration) { passed.withLock { $0 += duration } }
    }

    @Test func aStaleTokenServesWhileTheNextIsMade() async throws {
        let isOpen = Mutex(true)
        let google = try FakeGoogle(token: { number, _ in
            while !isOpen.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.005) }
            return .token("token-\(number)", expiresIn: 3600)
        })
        let http = try HTTPClient(userAgent: "test")
        let watch = Watch()
        let tokens = try google.tokens(http: http, clocks: watch.clocks)
        #expect(try await tokens.token().secret == Secret("token-0"))
        watch.advance(by: .seconds(3299))
        #expect(try await tokens.token().secret == Secret("token-0"))
        #expect(google.tokenRequests.count == 1)

        isOpen.withLock { $0 = false }
        watch.advance(by: .seconds(2))
        for _ in 0..<10 { #expect(try await tokens.token().secret == Secret("token-0")) }
        isOpen.withLock { $0 = true }
        while try await tokens.token().secret != Secret("token-1") { try await Task.sleep(for: .milliseconds(5)) }
        #expect(google.tokenRequests.count == 2)
    }

    @Test func anOldTokenOutlivesAnEndpointThatIsDown() async throws {
        let google = try FakeGoogle(token: { number, _ in
            number == 0 ? .token("token-0", expiresIn: 3600) : FakeGoogle.Answer(status: 503, body: "")
        })
        let http = try HTTPClient(userAgent: "test")
        let watch = Watch()
        let tokens = try google.tokens(http: http, clocks: watch.clocks)
        _ = try await tokens.token()
        watch.advance(by: .seconds(3500))
        #expect(try await tokens.token().secret == Secret("token-0"))
        while google.tokenRequests.count < 5 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await tokens.token().secret == Secret("token-0"))
        watch.advance(by: .seconds(90))
        let error = await #expect(throws: GoogleError.self) { try await tokens.token() }
        #expect(error?.code == .unavailable)
    }

    @Test func lifetimes() {
        let start = ContinuousClock.now
        let hour = AccessToken(Secret(""), from: start, lifetime: .seconds(3600))
        #expect(!hour.isStale(at: start + .seconds(3299)))
        #expect(hour.isStale(at: start + .seconds(3300)))
        #expect(hour.isUsable(at: start + .seconds(3569)))
        #expect(!hour.isUsable(at: start + .seconds(3570)))
        let short = AccessToken(Secret(""), from: start, lifetime: .seconds(10))
        #expect(!short.isStale(at: start + .seconds(4)))
        #expect(short.isStale(at: start + .seconds(5)))
        #expect(short.isUsable(at: start + .seconds(7)))
        #expect(!short.isUsable(at: start + .seconds(7.5)))
    }

    @Test func anInvalidTokenIsForgottenOnce() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let first = try await tokens.token()
        tokens.invalidate(first)
        let second = try await tokens.token()
        #expect(second.secret == Secret("token-1"))
        // Another call that had used the first one comes late with its 401.
        tokens.invalidate(first)
        #expect(try await tokens.token() == second)
        #expect(google.tokenRequests.count == 2)
    }

    @Test func faultsThatPassAreTriedAgain() async throws {
        let google = try FakeGoogle(token: { number, _ in
            switch number {
            case 0: .oauth("internal_failure", "Backend Error", status: 500)
            case 1: FakeGoogle.Answer(status: 503, body: "<html>")
            case 2: FakeGoogle.Answer(body: #"{"access_token":"cut"}"#, cutAt: 5)
            default: .token("token-\(number)")
            }
        })
        let http = try HTTPClient(userAgent: "test")
        #expect(try await google.tokens(http: http).token().secret == Secret("token-3"))
    }

    @Test func triesEnd() async throws {
        let google = try FakeGoogle(token: { _, _ in FakeGoogle.Answer(status: 503, body: "") })
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let error = await #expect(throws: GoogleError.self) { try await tokens.token() }
        #expect(error?.code == .unavailable)
        #expect(error?.mayHaveTakenEffect == false)
        #expect(google.tokenRequests.count == 4)
        // The next caller begins anew.
        await #expect(throws: GoogleError.self) { try await tokens.token() }
        #expect(google.tokenRequests.count == 8)
    }

    @Test func aRefusalIsNotTriedAgainAndTellsNoSecret() async throws {
        let google = try FakeGoogle(token: { _, request in
            .oauth("invalid_grant", "Invalid JWT Signature. \(request.form["assertion"] ?? "")")
        })
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http)
        let error = try #require(await #expect(throws: GoogleError.self) { try await tokens.token() })
        #expect(error.code == .invalidGrant)
        #expect(error.code.concernsInstallation)
        #expect(google.tokenRequests.count == 1)
        let assertion = try #require(google.tokenRequests[0].form["assertion"])
        #expect(!error.description.contains(assertion.suffix(40)))
    }

    @Test func anUnreachableEndpointIsTold() async throws {
        let user = #"{"refresh_token":"r","client_id":"a","client_secret":"b","token_uri":"http://127.0.0.1:1/token"}"#
        let http = try HTTPClient(userAgent: "test")
        let tokens = try FakeGoogle().tokens(Credentials(parsing: user, from: "test"), http: http)
        let error = try #require(await #expect(throws: GoogleError.self) { try await tokens.token() })
        #expect(error.code == .unreachable)
        #expect(error.description.contains("127.0.0.1:1"))
    }

    @Test func aWrongClockIsCorrectedOnceAndForGood() async throws {
        let google = try FakeGoogle(token: { number, request in
            let parts = request.form["assertion"]?.split(separator: ".") ?? []
            let text = String(parts[1]).replacingOccurrences(of: "-", with: "+").replacingOccurrences(
                of: "_", with: "/")
            let claims = Data(base64Encoded: text + String(repeating: "=", count: (4 - text.count % 4) % 4)) ?? Data()
            let issued = (try? JSON(parsing: Array(claims)))?["iat"]?.int ?? 0
            guard abs(issued - 1_790_771_660) < 60 else {
                var answer = FakeGoogle.Answer.oauth(
                    "invalid_grant",
                    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
                answer.fields["Date"] = "Wed, 30 Sep 2026 12:34:20 GMT"
                return answer
            }
            return .token("token-\(number)")
        })
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(http: http, clocks: Clocks(wall: { Timestamp(seconds: 1_790_000_000) }))
        let token = try await tokens.token()
        #expect(token.secret == Secret("token-1"))
        tokens.invalidate(token)
        #expect(try await tokens.token().secret == Secret("token-2"))
    }

    @Test func aClockThatIsRightIsNotCorrected() async throws {
        let google = try FakeGoogle(token: { _, _ in
            var answer = FakeGoogle.Answer.oauth("invalid_grant", "Invalid JWT: Token must be a short-lived token")
            answer.fields["Date"] = "Wed, 30 Sep 2026 12:34:20 GMT"
            return answer
        })
        let http = try HTTPClient(userAgent: "test")
        for (clock, exchanges) in [(1_790_771_662, 1), (1_790_000_000, 3)] {
            let tokens = try google.tokens(http: http, clocks: Clocks(wall: { Timestamp(seconds: clock) }))
            let error = await #expect(throws: GoogleError.self) { try await tokens.token() }
            #expect(error?.code == .clockSkew)
            #expect(google.tokenRequests.count == exchanges)
        }
    }

    @Test func aRotatedRefreshTokenIsReportedAndUsed() async throws {
        let google = try FakeGoogle(token: { number, _ in
            .token("token-\(number)", more: number < 2 ? #","refresh_token":"refresh-\#(number + 2)""# : "")
        })
        let http = try HTTPClient(userAgent: "test")
        let reported = Mutex<[Secret]>([])
        let tokens = try google.tokens(
            google.user(), http: http, onRotation: { new in reported.withLock { $0.append(new) } })
        for _ in 0..<4 { tokens.invalidate(try await tokens.token()) }
        #expect(reported.withLock { $0 } == [Secret("refresh-2"), Secret("refresh-3")])
        // The credentials still name the first one, as a read-only file would.
        #expect(
            google.tokenRequests.map { $0.form["refresh_token"] } == [
                "refresh-1", "refresh-2", "refresh-3", "refresh-3",
            ])
    }

    @Test func aRotatedRefreshTokenSurvivesCredentialsThatCannotBeRead() async throws {
        let google = try FakeGoogle(token: { number, _ in
            .token("token-\(number)", more: #","refresh_token":"refresh-\#(number + 2)""#)
        })
        let http = try HTTPClient(userAgent: "test")
        let isReadable = Mutex(true)
        let user = try google.user()
        let tokens = TokenSource(http: http, logger: .silent) { () throws(CredentialsError) in
            guard isReadable.withLock({ $0 }) else { throw CredentialsError(.unreadable, "key.json", "cannot be read") }
            return user
        }
        for number in 0..<5 {
            isReadable.withLock { $0 = number == 0 || number == 3 }
            tokens.invalidate(try await tokens.token())
        }
        #expect(google.tokenRequests.map { $0.form["refresh_token"] } == (1...5).map { "refresh-\($0)" })
    }

    @Test func changedCredentialsArePickedUpAndBrokenOnesDoNoHarm() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        let round = Mutex(0)
        let first = try google.user(refreshToken: "one")
        let second = try google.user(refreshToken: "two")
        let tokens = TokenSource(http: http, logger: .silent) { () throws(CredentialsError) in
            switch round.withLock({
                $0 += 1; return $0
            }) {
            case 1: return first
            case 2: return second
            default: throw CredentialsError(.unreadable, "key.json", "cannot be read")
            }
        }
        for _ in 0..<3 { tokens.invalidate(try await tokens.token()) }
        #expect(google.tokenRequests.map { $0.form["refresh_token"] } == ["one", "two", "two"])
    }

    @Test func credentialsThatNeverLoadedAreTold() async throws {
        let http = try HTTPClient(userAgent: "test")
        let tokens = TokenSource(http: http, logger: .silent) { () throws(CredentialsError) in
            throw CredentialsError(.unreadable, "key.json", "cannot be read")
        }
        let error = await #expect(throws: GoogleError.self) { try await tokens.token() }
        #expect(error?.code == .credentials)
        #expect(error?.message.contains("key.json: cannot be read") == true)
    }
}
