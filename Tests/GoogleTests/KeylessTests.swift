import Foundation
import HTTP
import HTTPTypes
import JSON
import ScriptedHTTP
import Testing

@testable import Google

/// Ways to a token without a key in the file: over the security token service, in another account's name, and of the machine.
@Suite(.timeLimit(.minutes(5))) struct KeylessTests {
    private static let email = "robot@project.iam.gserviceaccount.com"
    private static let audience = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q"
    private static let impersonationPath = "/v1/projects/-/serviceAccounts/\(email):generateAccessToken"
    private static let subjectToken = "eyJSUBJECT.CANARY"
    private static let scopes = "https://www.googleapis.com/auth/drive https://www.googleapis.com/auth/spreadsheets"

    /// Google's file of an external account, with some members changed; null takes one out.
    private func external(_ base: String, _ source: JSON, _ more: JSONObject = JSONObject()) -> String {
        let file: JSON = [
            "type": "external_account", "audience": .string(Self.audience),
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": .string("\(base)/v1/token"),
            "credential_source": source,
        ]
        return merged(file, more)
    }

    private func merged(_ file: JSON, _ more: JSONObject) -> String {
        var members = file.object ?? JSONObject()
        for member in more { members[member.name] = member.value.isNull ? nil : member.value }
        return JSON.object(members).description
    }

    private func members(_ json: JSON) -> JSONObject { json.object ?? JSONObject() }

    /// A Google that gives a token at each step, and what else a test says.
    private func google(
        _ special: @escaping @Sendable (_ path: String) -> FakeGoogle.Answer? = { _ in nil }
    ) throws -> FakeGoogle {
        try FakeGoogle(api: { _, request in
            if let answer = special(request.path) { return answer }
            switch request.path {
            case "/v1/token": return .token("federated", more: #","issued_token_type":"x""#)
            case Self.impersonationPath:
                return .init(
                    fields: ["Date": "Sun, 06 Nov 1994 08:00:00 GMT"],
                    body: #"{"accessToken":"impersonated","expireTime":"1994-11-06T08:40:00Z"}"#)
            case "/idp": return .init(body: #"{"access_token":"\#(Self.subjectToken)","n":1}"#)
            default: return .init(status: 404, body: "{}")
            }
        })
    }

    private func token(_ text: String, _ google: FakeGoogle) async throws -> AccessToken {
        let http = try HTTPClient(userAgent: "test")
        return try await google.tokens(Credentials(parsing: text, from: "test"), http: http).token()
    }

    private func file(_ text: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "subject-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    @Test func aTokenInAFileIsExchangedAndThenAnotherAccountsIsAskedFor() async throws {
        let google = try google()
        let path = try file(Self.subjectToken + "\n")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = external(
            google.server.url, ["file": .string(path)],
            members([
                "service_account_impersonation_url": .string(google.server.url + Self.impersonationPath),
                "service_account_impersonation": ["token_lifetime_seconds": 2400], "quota_project_id": "my-project-1",
            ]))
        #expect(try Credentials(parsing: text, from: "t").identity == Self.email)
        let token = try await token(text, google)
        #expect(token.secret == Secret("impersonated") && token.quotaProject == "my-project-1")
        // By Google's own clock.
        #expect(token.timeLeft() > .seconds(2300) && token.timeLeft() <= .seconds(2400))

        let requests = google.apiRequests
        try #require(requests.count == 2 && google.tokenRequests.isEmpty)
        let form: [String: String] = [
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": Self.audience,
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "subject_token": Self.subjectToken,
        ]
        #expect(requests[0].method == "POST" && requests[0].form == form && requests[0].fields["authorization"] == nil)
        #expect(requests[1].method == "POST" && requests[1].fields["authorization"] == "Bearer federated")
        let body: JSON = [
            "delegates": [], "lifetime": "2400s",
            "scope": .array(Self.scopes.split(separator: " ").map { .string(String($0)) }),
        ]
        #expect(requests[1].json == body)
    }

    @Test func aTokenAtAURLIsAskedForWithItsHeaders() async throws {
        let google = try google()
        let text = external(
            google.server.url,
            [
                "url": .string("\(google.server.url)/idp?api-version=1"), "headers": ["Metadata": "True"],
                "format": ["type": "json", "subject_token_field_name": "access_token"],
            ], members(["client_id": "me+", "client_secret": "a:b"]))
        #expect(try Credentials(parsing: text, from: "t").identity.contains(Self.audience))
        #expect(try await token(text, google).secret == Secret("federated"))
        let requests = google.apiRequests
        try #require(requests.count == 2)
        #expect(requests[0].method == "GET" && requests[0].fields["metadata"] == "True")
        #expect(requests[0].query == ["api-version": "1"])
        #expect(requests[1].form["subject_token"] == Self.subjectToken && requests[1].form["scope"] == Self.scopes)
        let pair = Data("me%2B:a%3Ab".utf8).base64EncodedString()
        #expect(requests[1].fields["authorization"] == "Basic \(pair)")
    }

    @Test func aWorkforceUserNamesTheProjectThatIsCharged() async throws {
        let google = try google { $0 == "/idp" ? .init(body: "plain-token") : nil }
        let text = external(
            google.server.url, ["url": .string(google.server.url + "/idp")],
            members(["workforce_pool_user_project": "my-project"]))
        _ = try await token(text, google)
        #expect(google.apiRequests.last?.form["options"] == #"{"userProject":"my-project"}"#)
        #expect(google.apiRequests.last?.form["subject_token"] == "plain-token")
    }

    @Test(arguments: ["service_account", "authorized_user"])
    func anotherAccountsTokensAreAskedForByAUserOrAKey(_ type: String) async throws {
        let google = try google()
        let source: JSON =
            type == "authorized_user"
            ? [
                "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
                "token_uri": .string(google.tokenURI),
            ]
            : [
                "type": "service_account", "client_email": "other@x.iam.gserviceaccount.com",
                "private_key": .string(TestKey.rsa.pkcs8), "token_uri": .string(google.tokenURI),
            ]
        let text: JSON = [
            "type": "impersonated_service_account", "source_credentials": source,
            "delegates": ["projects/-/serviceAccounts/between@x.iam.gserviceaccount.com"],
            "service_account_impersonation_url": .string(google.server.url + Self.impersonationPath),
        ]
        #expect(try await token(text.description, google).secret == Secret("impersonated"))
        #expect(google.tokenRequests.count == 1)
        let request = try #require(google.apiRequests.first)
        #expect(request.fields["authorization"] == "Bearer token-0")
        #expect(request.json?["delegates"] == ["projects/-/serviceAccounts/between@x.iam.gserviceaccount.com"])
        #expect(request.json?["lifetime"] == "3600s")
        if type == "service_account" {
            let assertion = try #require(google.tokenRequests[0].form["assertion"]).split(separator: ".")[1]
            let padded = assertion.replacing("-", with: "+").replacing("_", with: "/")
            let claims = Data(base64Encoded: padded + String(repeating: "=", count: (4 - padded.count % 4) % 4))
            let scope = try JSON(parsing: Array(try #require(claims)))["scope"]
            #expect(scope == "https://www.googleapis.com/auth/cloud-platform")
        }
    }

    /// Google replaces the user's refresh token, and the file cannot be changed: the newer one serves the next time.
    @Test func aReplacedRefreshTokenServesTheNextTimeToo() async throws {
        let google = try FakeGoogle(
            token: { number, _ in .token("source-\(number)", more: #","refresh_token":"r\#(number + 1)""#) },
            api: { _, _ in .init(body: #"{"accessToken":"x","expireTime":"2000-01-01T00:00:00Z"}"#) })
        let text: JSON = [
            "type": "impersonated_service_account",
            "source_credentials": [
                "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r0",
                "token_uri": .string(google.tokenURI),
            ],
            "service_account_impersonation_url": .string(google.server.url + Self.impersonationPath),
        ]
        let http = try HTTPClient(userAgent: "test")
        let tokens = try google.tokens(Credentials(parsing: text.description, from: "test"), http: http)
        for _ in 0..<3 {
            _ = try await tokens.token()
            tokens.renew()
        }
        #expect(google.tokenRequests.map { $0.form["refresh_token"] } == ["r0", "r1", "r2"])
    }

    private func metadata(_ google: FakeGoogle) async throws -> AccessToken {
        let server = try #require(MetadataServer(host: String(google.server.url.dropFirst("http://".count))))
        let source = CredentialsSource(value: Secret(" metadata\n"), setting: "S", metadataServer: server)
        let credentials = try source.load().credentials
        #expect(credentials.identity.contains("metadata server"))
        return try await google.tokens(credentials, http: HTTPClient(userAgent: "test")).token()
    }

    @Test func theMachinesOwnAccountComesFromTheMetadataServer() async throws {
        let google = try google { path in
            var answer = FakeGoogle.Answer.token("machine")
            answer.fields = ["Metadata-Flavor": "Google"]
            return path == "/computeMetadata/v1/instance/service-accounts/default/token" ? answer : nil
        }
        #expect(try await metadata(google).secret == Secret("machine"))
        let request = try #require(google.apiRequests.first)
        #expect(request.method == "GET" && request.fields["metadata-flavor"] == "Google")
        #expect(request.query == ["scopes": Self.scopes.replacing(" ", with: ",")])
    }

    @Test func whatIsNotGooglesMetadataServerIsNotBelieved() async throws {
        // Other clouds have a server at the same address.
        let cases: [(FakeGoogle.Answer, GoogleError.Code, String)] = [
            (.token("foreign"), .credentials, "not Google's metadata server"),
            (.init(status: 404, fields: ["Metadata-Flavor": "Google"], body: ""), .credentials, "no service account"),
            (.init(status: 503, fields: ["Metadata-Flavor": "Google"], body: ""), .unavailable, "fault"),
        ]
        for (answer, code, words) in cases {
            let google = try google { _ in answer }
            let error = await #expect(throws: GoogleError.self) { try await metadata(google) }
            #expect(
                error?.code == code && error?.message.hasPrefix("Metadata server: ") == true,
                "\(words): \(error as Any)")
            #expect(error?.message.contains(words) == true, "\(error as Any)")
        }
        #expect(
            MetadataServer(host: "a/b") == nil && MetadataServer(host: "a b") == nil && MetadataServer(host: "") == nil)
    }

    /// Which step fails, how, and what an error must say then.
    private typealias Fault = (path: String, answer: FakeGoogle.Answer, code: GoogleError.Code, words: [String])

    private static let faults: [Fault] = [
        ("/idp", .init(status: 403, body: "no"), .credentials, ["Subject token: ", "headers", "HTTP 403"]),
        (
            "/idp", .init(status: 302, fields: ["Location": "/x"], body: ""), .credentials,
            ["Subject token: ", "not followed"]
        ),
        ("/idp", .init(body: "<html>a page</html>"), .credentials, ["Subject token: ", "format"]),
        ("/idp", .init(body: #"{"other":"x"}"#), .credentials, ["Subject token: ", "format"]),
        ("/idp", .init(body: String(repeating: "x", count: 300_000)), .answerTooLarge, ["Subject token: "]),
        ("/idp", .init(status: 500, body: ""), .unavailable, ["Subject token: "]),
        (
            "/v1/token", .oauth("invalid_grant", "Unable to verify the ID Token signature."), .invalidGrant,
            ["Token exchange (STS): ", "identity provider's token"]
        ),
        ("/v1/token", .oauth("invalid_target", "x"), .invalidRequest, ["Token exchange (STS): ", "audience"]),
        (
            "/v1/token", .oauth("unauthorized_client", "x"), .unauthorizedClient,
            ["Token exchange (STS): ", "attribute condition"]
        ),
        (
            "/v1/token", .oauth("invalid_request", "x"), .invalidRequest,
            ["Token exchange (STS): ", "subject_token_type"]
        ),
        ("/v1/token", .init(status: 503, body: ""), .unavailable, ["Token exchange (STS): "]),
        ("/v1/token", .init(body: "{}"), .badAnswer, ["Token exchange (STS): "]),
        (
            impersonationPath, .error(403, "PERMISSION_DENIED", "Permission denied on resource"), .accessDenied,
            ["Impersonation of \(email): ", "workloadIdentityUser"]
        ),
        (
            impersonationPath, .error(404, "NOT_FOUND", "x"), .invalidGrant,
            ["Impersonation of \(email): ", "no service account"]
        ),
        (impersonationPath, .error(400, "INVALID_ARGUMENT", "x"), .invalidRequest, ["token_lifetime_seconds"]),
        (impersonationPath, .error(401, "UNAUTHENTICATED", "x"), .unauthenticated, ["Impersonation of "]),
        (impersonationPath, .error(503, "UNAVAILABLE", "x"), .unavailable, ["Impersonation of "]),
        (impersonationPath, .init(body: #"{"accessToken":""}"#), .badAnswer, ["Impersonation of "]),
    ]

    @Test(arguments: 0..<faults.count)
    func theStepThatFailsIsNamed(number: Int) async throws {
        let (path, answer, code, words) = Self.faults[number]
        let google = try google { $0 == path ? answer : nil }
        let text = external(
            google.server.url,
            [
                "url": .string(google.server.url + "/idp"),
                "format": ["type": "json", "subject_token_field_name": "access_token"],
            ], members(["service_account_impersonation_url": .string(google.server.url + Self.impersonationPath)]))
        let error = try #require(await #expect(throws: GoogleError.self) { try await token(text, google) })
        #expect(error.code == code, "\(error)")
        for word in words { #expect(error.description.contains(word), "\(error)") }
        #expect(!error.description.contains("CANARY") && !error.description.contains("federated"), "\(error)")
        // What passes is tried again, step by step; what does not is not.
        let passes = [.unavailable, .badAnswer].contains(code) && answer.status != 302
        #expect(google.apiRequests.filter { $0.path == path }.count == (passes ? 4 : 1), "\(error)")
        // Other jobs would fail in the same way, so none fails for it.
        #expect(error.code.concernsInstallation || error.code.isFaultOfService || code == .answerTooLarge)
    }

    @Test func aSubjectTokensFileThatIsNotThereIsNamed() async throws {
        let google = try google()
        let missing = external(google.server.url, ["file": "/nowhere/token"])
        let error = await #expect(throws: GoogleError.self) { try await token(missing, google) }
        #expect(error?.code == .credentials && error?.message.hasPrefix("Subject token: ") == true, "\(error as Any)")
        #expect(error?.message.contains("/nowhere/token") == true && google.apiRequests.isEmpty)
        let path = try file("\(Self.subjectToken) and more")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let other = external(google.server.url, ["file": .string(path)])
        let words = await #expect(throws: GoogleError.self) { try await token(other, google) }
        #expect(words?.message.contains("holds no token") == true && words?.message.contains("CANARY") == false)
    }

    /// Members of an external account that are refused when the file is read, with what the error speaks of.
    private static let refusals: [(JSON, CredentialsError.Code, String)] = [
        (
            ["credential_source": ["environment_id": "aws1", "url": "http://169.254.169.254/x"]], .unsupportedType,
            "asks Amazon"
        ),
        (["credential_source": ["executable": ["command": "/bin/CANARY"]]], .unsupportedType, "runs a program"),
        (
            ["credential_source": ["certificate": ["use_default_certificate_config": true]]], .unsupportedType,
            "certificate"
        ),
        (["credential_source": [:]], .missingField, "neither"),
        (["credential_source": nil], .missingField, "credential_source"),
        (["credential_source": ["url": "http://192.0.2.1/CANARY"]], .insecureEndpoint, "url"),
        (["credential_source": ["url": "ftp://example.org/CANARY"]], .badField, "url"),
        (["credential_source": ["url": "https://u:CANARY@example.org/"]], .badField, "url"),
        (["credential_source": ["url": "https://example.org/a b"]], .badField, "url"),
        (
            ["credential_source": ["url": .string("https://e.org/" + String(repeating: "x", count: 5_000))]], .badField,
            "url"
        ),
        (["credential_source": ["url": "https://e.org", "headers": ["A": "b\r\nCANARY: c"]]], .badField, "headers"),
        (["credential_source": ["url": "https://e.org", "headers": ["A b": "CANARY"]]], .badField, "headers"),
        (["credential_source": ["url": "https://e.org", "headers": ["Host": "CANARY"]]], .badField, "headers"),
        (["credential_source": ["url": "https://e.org", "headers": ["A": 1]]], .badField, "headers"),
        (["credential_source": ["file": "/f", "format": ["type": "xml"]]], .badField, "format"),
        (["credential_source": ["file": "/f", "format": ["type": "json"]]], .missingField, "subject_token_field_name"),
        (["audience": nil], .missingField, "audience"),
        (["subject_token_type": nil], .missingField, "subject_token_type"),
        (["token_url": "http://192.0.2.1/v1/token"], .insecureEndpoint, "token_url"),
        (["token_url": #"http://127.0.0.1\@192.0.2.1/v1/token"#], .insecureEndpoint, "token_url"),
        (["token_url": #"http://127.0.0.1\.192.0.2.1/v1/token"#], .insecureEndpoint, "token_url"),
        (["token_url": #"https://e.org\x"#], .badField, "token_url"),
        // No cloud gives Google's own tokens at a link-local address.
        (["token_url": "http://169.254.169.254/v1/token"], .insecureEndpoint, "token_url"),
        (
            ["service_account_impersonation_url": "http://192.0.2.1/a@b:generateAccessToken"], .insecureEndpoint,
            "impersonation"
        ),
        (["service_account_impersonation_url": "https://example.org/"], .badField, "ADDRESS"),
        (
            [
                "service_account_impersonation_url": "https://e.org/serviceAccounts/a@b:generateAccessToken",
                "service_account_impersonation": ["token_lifetime_seconds": 60],
            ], .badField, "600 to 43200"
        ),
        (["quota_project_id": "a\r\nX-Evil: CANARY"], .badField, "quota_project_id"),
        (["quota_project_id": "CANARY"], .badField, "quota_project_id"),
        (["workforce_pool_user_project": "a b"], .badField, "workforce_pool_user_project"),
        (["type": "external_account_authorized_user"], .unsupportedType, "not supported"),
    ]

    @Test(arguments: 0..<refusals.count)
    func filesThatCannotBeUsedAreRefusedWhenTheyAreRead(number: Int) throws {
        let (change, code, word) = Self.refusals[number]
        let text = external("https://sts.googleapis.com", ["file": "/f"], members(change))
        let error = try #require(#expect(throws: CredentialsError.self) { try Credentials(parsing: text, from: "F") })
        #expect(error.code == code && error.description.contains(word), "\(error)")
        #expect(!error.description.contains("CANARY"), "\(error)")
    }

    @Test func otherCloudsServersOfTheSameLinkMayGiveSubjectTokens() throws {
        let url = "http://169.254.169.254/metadata/identity/oauth2/token?resource=x"
        _ = try Credentials(parsing: external("https://sts.googleapis.com", ["url": .string(url)]), from: "F")
    }

    @Test func oneWhoIsImpersonatedCannotBeASource() throws {
        let inner: JSON = [
            "type": "impersonated_service_account",
            "service_account_impersonation_url": "https://e.org/serviceAccounts/a@b:generateAccessToken",
            "source_credentials": [
                "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
            ],
        ]
        var outer = members(inner)
        outer["source_credentials"] = inner
        for (text, word) in [
            (JSON.object(outer), "delegates"),
            (["type": "impersonated_service_account", "service_account_impersonation_url": nil], "impersonation_url"),
        ] {
            let error = #expect(throws: CredentialsError.self) { try Credentials(parsing: text.description, from: "F") }
            #expect(error?.description.contains(word) == true, "\(error as Any)")
        }
        let error = #expect(throws: CredentialsError.self) {
            try Credentials(parsing: inner.description, from: "F", subject: "ann@example.org")
        }
        #expect(error?.code == .subjectNotSupported)
    }

    @Test func theQuotaProjectIsSentWithEachCall() async throws {
        let google = try FakeGoogle()
        let http = try HTTPClient(userAgent: "test")
        for project in ["my-project", "example.com:my-project", "123456789012", nil] {
            var user = members([
                "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r",
                "token_uri": .string(google.tokenURI),
            ])
            user["quota_project_id"] = project.map(JSON.string)
            let tokens = try google.tokens(
                Credentials(parsing: JSON.object(user).description, from: "test"), http: http)
            let api = APIClient(http: http, tokens: tokens, endpoint: google.server.url)
            for service in [APIRequest.Service.drive, .sheets] {
                _ = try await api.call(APIRequest(service, .get, "/x", fields: "id"))
                #expect(google.apiRequests.last?.fields["x-goog-user-project"] == project)
            }
            #expect(google.tokenRequests.last?.fields["x-goog-user-project"] == nil)
        }
    }

    @Test func aQuotaProjectThatIsRefusedIsTheInstallationsFault() {
        for reason in ["USER_PROJECT_DENIED", "CONSUMER_INVALID"] {
            let body = #"""
                {"error":{"code":403,"message":"x","status":"PERMISSION_DENIED","details":[
                {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"\#(reason)","domain":"googleapis.com"}]}}
                """#
            let error = GoogleError(status: 403, fields: [:], body: Array(body.utf8), receivedAt: .now())
            #expect(error.code == .quotaProject && error.code.concernsInstallation)
        }
    }
}
