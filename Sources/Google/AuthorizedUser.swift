/// A user who allowed an OAuth client to act for them.
public struct AuthorizedUser: Sendable {
    /// The OAuth client's id.
    public let clientID: String
    /// The OAuth client's secret.
    public let clientSecret: Secret
    /// What Google gave when the user consented.
    public internal(set) var refreshToken: Secret
    /// Where refresh tokens become access tokens.
    public let tokenURI: String
}
