import Testing

@testable import Google

/// The question that a browser carries to Google, and what comes back.
@Suite struct ConsentTests {
    private let client = OAuthClient(id: "client.apps.example", secret: Secret("hush"))

    private func consent() -> Consent {
        Consent(client: client, scopes: UserScopes.all, redirectURI: "http://127.0.0.1:5000/")
    }

    private func value(_ name: String, _ url: String) -> String? {
        PercentEncoding.decodedForm(url.split(separator: "?", maxSplits: 1)[1]).first { $0.name == name }?.value
    }

    /// RFC 7636, appendix B.
    @Test func theChallengeIsThatOfTheStandard() {
        #expect(
            Consent.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test func theQuestionAsksForLastingAccessAndHoldsNoSecret() {
        let url = consent().url
        #expect(url.hasPrefix("https://accounts.google.com/o/oauth2/v2/auth?"), "\(url)")
        for (name, wanted) in [
            ("client_id", "client.apps.example"), ("redirect_uri", "http://127.0.0.1:5000/"), ("response_type", "code"),
            ("scope", UserScopes.all.joined(separator: " ")), ("access_type", "offline"), ("prompt", "consent"),
            ("code_challenge_method", "S256"),
        ] { #expect(value(name, url) == wanted, "\(name) in \(url)") }
        #expect(value("state", url)?.count == 43 && value("code_challenge", url)?.count == 43, "\(url)")
        #expect(!url.contains("hush"))
        #expect(value("state", consent().url) != value("state", url))
    }

    @Test func onlyTheAnswerToThisQuestionIsTaken() throws {
        let consent = consent()
        let state = try #require(value("state", consent.url))
        #expect(consent.answer(in: "/?state=\(state)&code=4%2F0abc") == .allowed(code: Secret("4/0abc")))
        #expect(consent.answer(in: "/?error=access_denied&state=\(state)") == .refused("access_denied"))
        for target in ["/favicon.ico", "/", "/other?state=\(state)&code=x", "//?state=\(state)&code=x"] {
            #expect(consent.answer(in: target) == .other, "\(target)")
        }
        for target in [
            "/?code=x", "/?state=&code=x", "/?state=\(state)x&code=x", "/?state=\(state.dropLast())&code=x",
            "/?state=\(state)", "/?state=\(state)&code=", "/?error=access_denied",
            "/?state=wrong&state=\(state)&code=x", "/?state=\(state)&code=a&code=b",
            "/?state=\(state)&code=\(String(repeating: "x", count: 5_000))",
        ] { #expect(consent.answer(in: target) == .foreign, "\(target.prefix(60))") }
    }

    @Test func aFormIsReadAsItWasWritten() {
        let items = [("a b", "ü&=+%"), ("c", ""), ("d", "%zz%4")]
        let read = PercentEncoding.decodedForm(PercentEncoding.form(items))
        #expect(read.map(\.name) == items.map(\.0) && read.map(\.value) == items.map(\.1))
        #expect(PercentEncoding.decodedForm("x=%zz%4&y+z=1%").map(\.value) == ["%zz%4", "1%"])
    }

    @Test func aTimeIsWrittenAsItIsRead() throws {
        for text in [
            "1970-01-01T00:00:00Z", "2024-02-29T23:59:59Z", "2026-11-30T15:09:25Z", "2100-03-01T00:00:00Z",
            "1969-12-31T23:59:59Z", "1900-02-28T12:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
        ] { #expect(try #require(Timestamp(rfc3339: text)).rfc3339 == text) }
    }

    @Test func aClientIsReadInBothForms() throws {
        for kind in ["installed", "web"] {
            let text = #"{"\#(kind)":{"client_id":"c","client_secret":"s","redirect_uris":["http://localhost:99/"]}}"#
            let client = try OAuthClient(parsing: text, from: "client.json")
            #expect(client.kind.rawValue == kind && client.redirectURIs == ["http://localhost:99/"])
        }
        for text in ["[]", "{}", #"{"type":"service_account"}"#, #"{"installed":{"client_id":"c"}}"#] {
            #expect(throws: CredentialsError.self) { try OAuthClient(parsing: text, from: "client.json") }
        }
        #expect(throws: CredentialsError.self) {
            try OAuthClient(
                parsing: #"{"installed":{"client_id":"c","client_secret":"s","token_uri":"http://example.com/token"}}"#,
                from: "client.json")
        }
    }
}
