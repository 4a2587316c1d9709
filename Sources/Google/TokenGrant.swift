import JSON

/// What the token endpoint gives.
struct TokenGrant {
    /// Google's tokens last an hour, or twelve where an organisation allows that.
    private static let longestLifetime = 86_400

    let accessToken: Secret
    let lifetime: Duration
    /// A new refresh token in place of the old one, where Google rotates it.
    let refreshToken: Secret?
    /// The scopes that Google says it granted; nil where it does not say.
    let scopes: Set<String>?

    /// Makes a grant of a token and the seconds that it lives; nil where Google does not say.
    init(_ token: Secret, seconds: Int?, refreshToken: Secret? = nil, scopes: Set<String>? = nil) {
        accessToken = token
        // Google always names the time; a server that does not gets asked again soon.
        lifetime = .seconds(min(max(seconds ?? 600, 0), Self.longestLifetime))
        self.refreshToken = refreshToken
        self.scopes = scopes
    }

    /// Reads the endpoint's answer; nil where it holds no access token.
    init?(_ body: [UInt8]) {
        guard let json = try? JSON(parsing: body, mostValues: 1_000), let token = json["access_token"]?.string,
            !token.isEmpty
        else {
            return nil
        }
        self.init(
            Secret(token), seconds: json["expires_in"]?.int,
            refreshToken: json["refresh_token"]?.string.map(Secret.init),
            scopes: json["scope"]?.string.map { Set($0.split(separator: " ").map(String.init)) })
    }
}
