public import HTTP
import HTTPTypes
import JSON

/// A person's consent as a token file keeps it.
public struct StoredConsent: Sendable {
    /// What Google says of an access token.
    public struct TokenInfo: Sendable {
        /// What the token is good for.
        public let scopes: [String]
        /// How many seconds it lives yet.
        public let secondsLeft: Int?
        /// Whose it is, where the scopes let Google say so.
        public let email: String?
    }

    /// The credentials that the file holds.
    public let credentials: Credentials
    /// Whose they are by the file; nil where it does not say.
    public let account: String?
    /// The OAuth client that they were given to.
    public var clientID: String { user.clientID }
    private let user: AuthorizedUser

    /// Reads a file that is a user's token by itself.
    public init(path: String) throws(CredentialsError) {
        let text = try CredentialsFile(path: path).text
        credentials = try Credentials(parsing: text, from: path)
        guard case .authorizedUser(let user) = credentials.kind else {
            throw CredentialsError(
                .unsupportedType, path, "holds no user's token but the credentials of \(credentials.identity)")
        }
        self.user = user
        account = try CredentialsFields(text, path).optional("account")
    }

    /// Asks Google what an access token is good for.
    public func info(on token: AccessToken, http: HTTPClient) async throws(GoogleError) -> TokenInfo {
        let step = TokenInfoStep(user: user, token: token.secret)
        let answer = try await Self.send(step.request(at: .now()), http)
        guard answer.status == .ok, let info = step.grant(in: answer) else { throw step.failure(answer) }
        return info
    }

    /// Takes the consent back at Google, with all tokens that came of it.
    ///
    /// - Returns: false where Google knows of none any more.
    public func revoke(http: HTTPClient) async throws(GoogleError) -> Bool {
        let step = RevocationStep(user: user)
        let answer = try await Self.send(step.request(at: .now()), http)
        if answer.status == .ok { return true }
        let failure = step.failure(answer)
        guard failure.reason == "invalid_token" else { throw failure }
        return false
    }

    private static func send(
        _ request: HTTPClient.Request, _ http: HTTPClient
    ) async throws(GoogleError) -> HTTPClient.Response {
        do throws(HTTPError) { return try await http.send(request) } catch { throw GoogleError(error) }
    }
}

extension AuthorizedUser {
    /// The address of another service of the same host that gives tokens.
    fileprivate func endpoint(_ name: String) -> String {
        // Google has had its token endpoint at several addresses, and the others at one.
        for host in ["googleapis.com/", "google.com/"] where tokenURI.contains(host) {
            return "https://oauth2.googleapis.com/\(name)"
        }
        return (tokenURI.lastIndex(of: "/").map { String(tokenURI[...$0]) } ?? tokenURI) + name
    }
}

private struct TokenInfoStep: TokenStep {
    let user: AuthorizedUser
    let token: Secret

    func request(at now: Timestamp) -> HTTPClient.Request {
        // In the body, for proxies keep logs of addresses.
        post([("access_token", token.text)], to: user.endpoint("tokeninfo"))
    }

    func grant(in answer: HTTPClient.Response) -> StoredConsent.TokenInfo? {
        guard let json = try? JSON(parsing: answer.body, mostValues: 1_000), let scope = json["scope"]?.string else {
            return nil
        }
        let left = json["expires_in"].flatMap { $0.int ?? $0.string.flatMap { Int($0) } }
        return StoredConsent.TokenInfo(
            scopes: scope.split(separator: " ").map(String.init).sorted(), secondsLeft: left,
            email: json["email"]?.string)
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError { refusal(answer, of: .authorizedUser(user)) }
}

private struct RevocationStep: TokenStep {
    let user: AuthorizedUser

    func request(at now: Timestamp) -> HTTPClient.Request {
        post([("token", user.refreshToken.text)], to: user.endpoint("revoke"))
    }

    func grant(in answer: HTTPClient.Response) -> Bool? { true }

    func failure(_ answer: HTTPClient.Response) -> GoogleError { refusal(answer, of: .authorizedUser(user)) }
}
