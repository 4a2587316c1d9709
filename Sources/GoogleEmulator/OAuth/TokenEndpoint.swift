import JSON

/// Google's token endpoint, `POST /token`.
enum TokenEndpoint {
    private static let shortLived =
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
        + "Check your iat and exp values in the JWT claim."
    /// How far a client's clock may be ahead, in seconds.
    private static let allowedSkew = 300

    /// Answers a request for a token.
    static func respond(_ request: EmulatorRequest, authority: inout Authority, now: Timestamp) -> EmulatorResponse {
        do throws(GoogleError) {
            guard request.hasContentType("application/x-www-form-urlencoded") else {
                throw GoogleError.oauth(400, "invalid_request", "The request must be form-encoded.")
            }
            let form = Query(String(decoding: request.body, as: UTF8.self))
            switch form["grant_type"] {
            case "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return .json(try assertion(form, &authority, now))
            case "authorization_code": return .json(try ConsentEndpoint.exchange(form, &authority, now))
            case "refresh_token": return .json(try refresh(form, &authority, now))
            case nil: throw GoogleError.oauth(400, "invalid_request", "Required parameter is missing: grant_type")
            case let type?: throw GoogleError.oauth(400, "unsupported_grant_type", "Invalid grant_type: \(type)")
            }
        } catch { return error.response(.oauth) }
    }

    private static func assertion(
        _ form: Query, _ authority: inout Authority, _ now: Timestamp
    ) throws(GoogleError) -> JSON {
        guard let text = form["assertion"] else {
            throw GoogleError.oauth(400, "invalid_request", "Required parameter is missing: assertion")
        }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = json(parts[0]), let claims = json(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { throw GoogleError.oauth(400, "invalid_grant", "Bad Request") }
        guard header["alg"]?.string == "RS256" else {
            throw GoogleError.oauth(400, "invalid_grant", "Invalid JWT: Unsupported signature algorithm.")
        }
        guard
            let account = authority.serviceAccounts.first(where: { $0.email == claims["iss"]?.string }),
            !account.isDisabled
        else {
            throw GoogleError.oauth(400, "invalid_grant", "Invalid grant: account not found")
        }
        let signed = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        guard !account.isKeyDeleted, RS256.verifies(signature, of: signed, keyInPEM: account.privateKey)
        else {
            throw GoogleError.oauth(400, "invalid_grant", "Invalid JWT Signature.")
        }
        guard [authority.tokenURL, "https://oauth2.googleapis.com/token"].contains(claims["aud"]?.string) else {
            throw GoogleError.oauth(400, "invalid_grant", "Invalid JWT: Failed audience check.")
        }
        guard let issued = claims["iat"]?.int, let expires = claims["exp"]?.int, expires - issued <= 3600,
            issued <= now.seconds + allowedSkew, expires >= now.seconds, expires > issued
        else { throw GoogleError.oauth(400, "invalid_grant", shortLived) }
        let scopes = Set((claims["scope"]?.string ?? "").split(separator: " ").map(String.init))
        guard !scopes.isEmpty, scopes.allSatisfy({ $0.hasPrefix("https://") || ["openid", "email"].contains($0) })
        else {
            throw GoogleError.oauth(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        }
        let subject = claims["sub"]?.string ?? account.email
        if subject != account.email {
            guard subject.contains("@") else {
                throw GoogleError.oauth(400, "invalid_request", "Invalid impersonation \"sub\" field.")
            }
            guard authority.delegatedUsers.contains(subject) else {
                throw GoogleError.oauth(
                    401, "unauthorized_client",
                    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for "
                        + "any of the scopes requested.")
            }
        }
        let token = authority.issue(
            email: subject, isServiceAccount: subject == account.email, scopes: scopes, now: now)
        return ["access_token": .string(token), "expires_in": JSON(authority.tokenLifetime), "token_type": "Bearer"]
    }

    private static func refresh(
        _ form: Query, _ authority: inout Authority, _ now: Timestamp
    ) throws(GoogleError) -> JSON {
        let user = authority.user
        guard form["client_id"] == user.clientID else {
            throw GoogleError.oauth(401, "invalid_client", "The OAuth client was not found.")
        }
        guard form["client_secret"] == user.clientSecret else {
            throw GoogleError.oauth(401, "invalid_client", "Unauthorized")
        }
        guard let token = form["refresh_token"] else {
            throw GoogleError.oauth(400, "invalid_request", "Missing required parameter: refresh_token")
        }
        let consented = authority.consents.refreshTokens[token]
        guard consented != nil || token == user.refreshToken else {
            throw GoogleError.oauth(400, "invalid_grant", "Bad Request")
        }
        guard consented != nil || !user.isRefreshTokenDead else {
            throw GoogleError.oauth(400, "invalid_grant", "Token has been expired or revoked.")
        }
        // A client may ask for less than the person allowed, not for more.
        var scopes = consented ?? user.grantedScopes
        if let asked = form["scope"] {
            let asked = Set(asked.split(separator: " ").map(String.init))
            guard asked.isSubset(of: scopes) else {
                throw GoogleError.oauth(400, "invalid_scope", "Bad Request")
            }
            scopes = asked
        }
        let access = authority.issue(email: user.email, isServiceAccount: false, scopes: scopes, now: now)
        return [
            "access_token": .string(access), "expires_in": JSON(authority.tokenLifetime),
            "scope": .string(scopes.sorted().joined(separator: " ")), "token_type": "Bearer",
        ]
    }

    private static func json(_ part: Substring) -> JSON? {
        Base64URL.decode(part).flatMap { try? JSON(parsing: $0) }
    }
}
