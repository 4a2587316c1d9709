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

    /// Reads the endpoint's answer; nil where it holds no access token.
    init?(_ body: [UInt8]) {
        guard let json = try? JSON(parsing: body, mostValues: 1_000), let token = json["access_token"]?.string,
            !token.isEmpty
        else {
            return nil
        }
        accessToken = Secret(token)
        // Google always names the time; a server that does not gets asked again soon.
        lifetime = .seconds(min(max(json["expires_in"]?.int ?? 600, 0), Self.longestLifetime))
        refreshToken = json["refresh_token"]?.string.map(Secret.init)
        scopes = json["scope"]?.string.map { Set($0.split(separator: " ").map(String.init)) }
    }
}
