import JSON

/// Google's accounts: who may get a token, and which tokens are good.
struct Authority: Sendable {
    /// The service accounts of the one Cloud project, at least one.
    var serviceAccounts: [ServiceAccount]
    var user: UserAccount
    /// The people whom the service accounts may act for.
    var delegatedUsers: Set<String> = []
    /// What people allowed on the consent screen.
    var consents = Consents()
    /// The other identity provider, and whom it vouches for.
    var federation = Federation()
    /// How long a token lasts, in seconds.
    var tokenLifetime = 3599
    /// The token endpoint's own address.
    var tokenURL = ""
    private var tokens: [String: AccessToken] = [:]

    /// The moment when dead tokens were last swept out.
    private var swept = Timestamp(milliseconds: 0)

    init(serviceAccounts: [ServiceAccount], user: UserAccount) {
        self.serviceAccounts = serviceAccounts
        self.user = user
    }

    /// Makes a token.
    mutating func issue(
        email: String, isServiceAccount: Bool, scopes: Set<String>, lifetime: Int? = nil, now: Timestamp
    ) -> String {
        if swept.adding(seconds: 60) < now {
            tokens = tokens.filter { $0.value.expires > now }
            swept = now
        }
        let token = "ya29.c." + Identifiers.random(120)
        tokens[token] = AccessToken(
            email: email, isServiceAccount: isServiceAccount, scopes: scopes,
            expires: now.adding(seconds: min(lifetime ?? tokenLifetime, tokenLifetime)))
        return token
    }

    /// Who shows a token; nil for none that is good.
    func holder(_ authorization: String?) -> String? {
        authorization.flatMap { $0.split(separator: " ").last }.flatMap { tokens[String($0)]?.email }
    }

    /// What a token stands for, good or not; nil for none.
    func token(_ text: String) -> AccessToken? { tokens[text] }

    /// Makes the tokens of one account bad.
    mutating func revokeTokens(of email: String) { tokens = tokens.filter { $0.value.email != email } }

    /// Makes all tokens bad at once.
    mutating func revokeTokens() { tokens = [:] }

    /// What the token of a request stands for, where it is good for one of the scopes.
    func authorize(_ authorization: String?, scopes: Set<String>, now: Timestamp) throws(GoogleError) -> AccessToken {
        let words = authorization?.split(separator: " ") ?? []
        guard words.count == 2, words[0].lowercased() == "bearer" else {
            throw Self.unauthenticated(
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or "
                    + "other valid authentication credential. See "
                    + "https://developers.google.com/identity/sign-in/web/devconsole-project.",
                reason: "CREDENTIALS_MISSING")
        }
        guard let token = tokens[String(words[1])], token.expires > now else {
            throw Self.unauthenticated(
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
                    + "valid authentication credential. See "
                    + "https://developers.google.com/identity/sign-in/web/devconsole-project.",
                reason: "ACCESS_TOKEN_EXPIRED")
        }
        guard !token.scopes.isDisjoint(with: scopes) else {
            var error = GoogleError(
                code: 403, message: "Request had insufficient authentication scopes.", reason: "insufficientPermissions"
            )
            error.isMixed = true
            error.details = [Self.errorInfo("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]
            throw error
        }
        return token
    }

    private static func unauthenticated(_ message: String, reason: String) -> GoogleError {
        var error = GoogleError(code: 401, message: message, reason: "authError")
        error.location = (kind: "header", name: "Authorization")
        error.isMixed = true
        error.details = [errorInfo(reason)]
        return error
    }

    private static func errorInfo(_ reason: String) -> JSON {
        [
            "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": .string(reason),
            "domain": "googleapis.com",
        ]
    }
}
