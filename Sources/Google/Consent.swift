import COpenSSL
public import HTTP
import HTTPTypes
import JSON

/// One question to a person whether this program may act for them (RFC 6749, section 4.1; RFC 7636; RFC 8252).
///
/// The person answers in a browser, which Google then sends to this machine with a code. The code is good for a token only
/// together with what this process alone knows.
public struct Consent: Sendable {
    /// What a request to this machine holds.
    public enum Answer: Sendable, Equatable {
        /// The person allowed it.
        case allowed(code: Secret)
        /// The person did not, or Google does not let them; OAuth's error.
        case refused(String)
        /// The answer to another question than this one.
        case foreign
        /// No answer at all, such as a browser's question for an icon.
        case other
    }

    /// Longer than any code or error of Google's.
    private static let longestValue = 4_096

    private let client: OAuthClient
    /// The scopes that are asked for.
    public let scopes: [String]
    private let redirectURI: String
    private let state = Secret(Self.random())
    private let verifier = Secret(Self.random())

    /// Makes a question.
    ///
    /// - Parameter redirectURI: where on this machine the browser is sent with the answer.
    public init(client: OAuthClient, scopes: [String], redirectURI: String) {
        self.client = client
        self.scopes = scopes
        self.redirectURI = redirectURI
    }

    /// The page at which the person answers.
    public var url: String {
        let query = PercentEncoding.form([
            ("client_id", client.id), ("redirect_uri", redirectURI), ("response_type", "code"),
            ("scope", scopes.joined(separator: " ")), ("state", state.text), ("access_type", "offline"),
            // Without it Google gives a refresh token to the first consent alone.
            ("prompt", "consent"), ("code_challenge", Self.challenge(verifier.text)), ("code_challenge_method", "S256"),
        ])
        return client.consentURI + (client.consentURI.contains("?") ? "&" : "?") + query
    }

    /// Reads a request to this machine.
    ///
    /// - Parameter target: its path and query.
    public func answer(in target: String) -> Answer {
        let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let place = redirectURI.firstRange(of: "://").map { redirectURI[$0.upperBound...].drop { $0 != "/" } } ?? ""
        guard halves[0] == (place.isEmpty ? "/" : place), halves.count == 2 else { return .other }
        var values: [String: String] = [:]
        for (name, value) in PercentEncoding.decodedForm(halves[1]) {
            // Nothing that is named twice can be meant.
            guard values.updateValue(value, forKey: name) == nil else { return .foreign }
        }
        guard let given = values["state"], Self.isEqual(given, state.text) else { return .foreign }
        if let error = values["error"] { return .refused(String(error.prefix(100))) }
        guard let code = values["code"], !code.isEmpty, code.utf8.count <= Self.longestValue else { return .foreign }
        return .allowed(code: Secret(code))
    }

    /// Gets the tokens for a code, which Google gives once.
    public func grant(for code: Secret, http: HTTPClient) async throws(GoogleError) -> UserGrant {
        let step = CodeStep(client: client, code: code, verifier: verifier, redirectURI: redirectURI)
        let now = Timestamp.now()
        let answer: HTTPClient.Response
        do throws(HTTPError) { answer = try await http.send(step.request(at: now)) } catch { throw GoogleError(error) }
        guard answer.status == .ok, let grant = step.grant(in: answer) else { throw step.failure(answer) }
        return UserGrant(client: client, grant: grant, at: now, asked: scopes)
    }

    /// 256 bits of chance, as text that stands in a URL as it is.
    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return Base64URL.encode((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// What of the verifier may be known before (S256).
    static func challenge(_ verifier: String) -> String {
        let bytes = Array(verifier.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        var length: UInt32 = 0
        unsafe EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil)
        return Base64URL.encode(digest)
    }

    /// Compares in a time that does not tell how much is equal.
    private static func isEqual(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        return one.count == other.count && zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}

/// The scopes that a person can be asked for.
public enum UserScopes {
    /// What the daemon needs for all that jobs can ask.
    public static let all = AccessToken.neededScopes
    /// What it needs for spreadsheets that it made itself.
    public static let least = [AccessToken.ownFilesScope]
}

/// What Google gave when a person consented.
public struct UserGrant: Sendable {
    /// The scopes that were granted.
    public let scopes: [String]
    /// The asked scopes that were not.
    public let missingScopes: [String]
    /// Whether the access outlives the access token.
    public var isLasting: Bool { refreshToken != nil }

    private let client: OAuthClient
    private let accessToken: Secret
    private let refreshToken: Secret?
    private let end: Timestamp

    init(client: OAuthClient, grant: TokenGrant, at start: Timestamp, asked: [String]) {
        self.client = client
        accessToken = grant.accessToken
        refreshToken = grant.refreshToken
        end = Timestamp(seconds: start.seconds + Int(grant.lifetime / .seconds(1)))
        // As OAuth has it, an endpoint that says nothing has granted all.
        let granted = grant.scopes ?? Set(asked)
        scopes = granted.sorted()
        missingScopes = asked.filter { !granted.contains($0) }
    }

    /// The file by which google-auth and what builds on it act for the person: as `Credentials.to_json` writes it.
    ///
    /// - Parameter account: the person's address, where it is known.
    public func file(account: String?) -> Secret {
        let json: JSON = [
            "token": .string(accessToken.text), "refresh_token": .string(refreshToken?.text ?? ""),
            "token_uri": .string(client.tokenURI), "client_id": .string(client.id),
            "client_secret": .string(client.secret.text), "scopes": .array(scopes.map(JSON.string)),
            "universe_domain": "googleapis.com", "account": .string(account ?? ""), "expiry": .string(end.rfc3339),
        ]
        return Secret(json.description)
    }

    /// The credentials that the file holds.
    public func credentials() throws(CredentialsError) -> Credentials {
        try Credentials(parsing: file(account: nil).text, from: "Google's answer")
    }
}

/// The code that came with a browser, for tokens.
private struct CodeStep: TokenStep {
    let client: OAuthClient
    let code: Secret
    let verifier: Secret
    let redirectURI: String

    func request(at now: Timestamp) -> HTTPClient.Request {
        post(
            [
                ("grant_type", "authorization_code"), ("code", code.text), ("client_id", client.id),
                ("client_secret", client.secret.text), ("redirect_uri", redirectURI), ("code_verifier", verifier.text),
            ], to: client.tokenURI)
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        let user = AuthorizedUser(
            clientID: client.id, clientSecret: client.secret, refreshToken: Secret(""), tokenURI: client.tokenURI)
        let error = refusal(answer, of: .authorizedUser(user))
        guard error.code == .invalidGrant else { return error }
        return GoogleError(
            .invalidGrant,
            message:
                "Google does not take the code that came with the browser: it is used up or too old, or not of this login.",
            googleMessage: error.googleMessage, status: error.status, reason: error.reason, retry: .never)
    }
}
