import JSON

/// What the token endpoint gives.
struct TokenGrant {
    let accessToken: Secret
    let lifetime: Duration
    /// A new refresh token in place of the old one, where Google rotates it.
    let refreshToken: Secret?
    /// The scopes that Google says it granted; nil where it does not say.
    let scopes: Set<String>?

    /// Reads the endpoint's answer; nil where it holds no access token.
    init?(_ body: [UInt8]) {
        guard let json = try? JSON(parsing: body), let token = json["access_token"]?.string, !token.isEmpty else {
            return nil
        }
        accessToken = Secret(token)
        // Google always names the time; a server that does not gets asked again soon.
        lifetime = .seconds(json["expires_in"]?.int ?? 600)
        refreshToken = json["refresh_token"]?.string.map(Secret.init)
        scopes = json["scope"]?.string.map { Set($0.split(separator: " ").map(String.init)) }
    }
}
