import HTTP
import HTTPTypes
import JSON

/// The request that makes an access token of credentials.
enum TokenRequest {
    private static let scope = AccessToken.neededScopes.joined(separator: " ")
    /// Google's clock may be behind this one's, and it takes no assertion from the future.
    private static let backdating = 30
    private static let lifetime = 3600
    private static let timeout = Duration.seconds(30)

    static func make(for credentials: Credentials, at now: Timestamp) throws(CredentialsError) -> HTTPClient.Request {
        switch credentials {
        case .serviceAccount(let account):
            post(
                to: account.tokenURI,
                [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", try assertion(of: account, at: now)),
                ])
        case .authorizedUser(let user):
            post(
                to: user.tokenURI,
                [
                    ("grant_type", "refresh_token"), ("refresh_token", user.refreshToken.text),
                    ("client_id", user.clientID), ("client_secret", user.clientSecret.text),
                ])
        }
    }

    /// A JSON Web Token signed with the account's key (RFC 7523).
    static func assertion(of account: ServiceAccount, at now: Timestamp) throws(CredentialsError) -> String {
        let issued = now.seconds - backdating
        var header: JSON = ["alg": "RS256", "typ": "JWT"]
        if let keyID = account.keyID { header = ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)] }
        var claims = JSONObject([
            .init(name: "iss", value: .string(account.email)), .init(name: "scope", value: .string(scope)),
            .init(name: "aud", value: .string(account.tokenURI)), .init(name: "iat", value: JSON(issued)),
            .init(name: "exp", value: JSON(issued + lifetime)),
        ])
        claims["sub"] = account.subject.map(JSON.string)
        let signed = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(JSON.object(claims).bytes))"
        do {
            return "\(signed).\(Base64URL.encode(try account.key.signature(of: Array(signed.utf8))))"
        } catch {
            throw CredentialsError(.signingFailed, account.email, "the private key \(error.problem)")
        }
    }

    private static func post(to url: String, _ form: [(name: String, value: String)]) -> HTTPClient.Request {
        HTTPClient.Request(
            method: .post, url: url, fields: [.contentType: "application/x-www-form-urlencoded"],
            body: Array(PercentEncoding.form(form).utf8), timeout: timeout, largestAnswer: 256 << 10)
    }
}
