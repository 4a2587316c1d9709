import COpenSSL
import JSON

/// The page on which a person allows an OAuth client what it asks for: `GET /o/oauth2/v2/auth`, and the form that it sends.
enum ConsentScreen {
    static let paths = ["/o/oauth2/v2/auth", "/o/oauth2/auth"]
    private static let answerPath = "/o/oauth2/consent"

    /// Answers a request; nil where nothing is at its path.
    static func respond(_ request: EmulatorRequest, authority: inout Authority, now: Timestamp) -> EmulatorResponse? {
        switch (request.verb, request.path) {
        case ("GET", let path) where paths.contains(path):
            do throws(GoogleError) { return page(try question(request.query, authority), authority) } catch {
                return refusal(error)
            }
        case ("POST", answerPath):
            let form = Query(String(decoding: request.body, as: UTF8.self))
            do throws(GoogleError) { return answer(form, try question(form, authority), &authority, now) } catch {
                return refusal(error)
            }
        default: return nil
        }
    }

    /// What a client asks of a person.
    private struct Question {
        let redirectURI: String
        let scopes: [String]
        let state: String?
        let challenge: String
        let isOffline: Bool
        let prompts: Bool
    }

    private static func question(_ query: Query, _ authority: Authority) throws(GoogleError) -> Question {
        guard query["client_id"] == authority.user.clientID else {
            throw GoogleError.oauth(401, "invalid_client", "The OAuth client was not found.")
        }
        guard let redirectURI = query["redirect_uri"],
            ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains(where: { host in
                redirectURI.hasPrefix(host) && [":", "/", nil].contains(redirectURI.dropFirst(host.count).first)
            })
        else {
            throw GoogleError.oauth(
                400, "redirect_uri_mismatch", "The redirect URI in the request does not match those of the client.")
        }
        guard query["response_type"] == "code" else {
            throw GoogleError.oauth(400, "unsupported_response_type", "Invalid response_type.")
        }
        let scopes = (query["scope"] ?? "").split(separator: " ").map(String.init)
        guard !scopes.isEmpty, scopes.allSatisfy(allScopes.contains) else {
            throw GoogleError.oauth(400, "invalid_scope", "Some requested scopes were invalid.")
        }
        guard query["code_challenge_method"] == "S256", let challenge = query["code_challenge"], challenge.count == 43
        else { throw GoogleError.oauth(400, "invalid_request", "The emulator takes a code challenge by S256 alone.") }
        return Question(
            redirectURI: redirectURI, scopes: scopes, state: query["state"], challenge: challenge,
            isOffline: query["access_type"] == "offline",
            prompts: (query["prompt"] ?? "").split(separator: " ").contains("consent"))
    }

    private static let allScopes: Set<String> = [
        "https://www.googleapis.com/auth/drive", "https://www.googleapis.com/auth/spreadsheets",
        "https://www.googleapis.com/auth/drive.file", "openid", "email",
    ]

    private static func page(_ question: Question, _ authority: Authority) -> EmulatorResponse {
        let hidden = [
            ("client_id", authority.user.clientID), ("redirect_uri", question.redirectURI), ("response_type", "code"),
            ("scope", question.scopes.joined(separator: " ")), ("state", question.state ?? ""),
            ("code_challenge", question.challenge), ("code_challenge_method", "S256"),
            ("access_type", question.isOffline ? "offline" : "online"), ("prompt", question.prompts ? "consent" : ""),
        ].map { "<input type=\"hidden\" name=\"\($0.0)\" value=\"\(HTML.escape($0.1))\">" }
        let boxes = question.scopes.map { scope in
            let name = HTML.escape(scope)
            return "<p><label><input type=\"checkbox\" name=\"granted\" value=\"\(name)\" checked> \(name)</label></p>"
        }
        let body = """
            \(PageLayout.bar(sign: "sheet", title: "Sign in", place: HTML.escape(authority.user.email)))
            <main><form method="post" action="\(answerPath)">
            <p>The OAuth client <code>\(HTML.escape(authority.user.clientID))</code> wants access to the account
            <b>\(HTML.escape(authority.user.email))</b>:</p>
            \((hidden + boxes).joined(separator: "\n"))
            <p><button id="deny" name="answer" value="deny">Cancel</button>
            <button id="allow" name="answer" value="allow">Continue</button></p>
            </form></main>
            """
        return .html(PageLayout.html(title: "Sign in", body: body))
    }

    private static func answer(
        _ form: Query, _ question: Question, _ authority: inout Authority, _ now: Timestamp
    ) -> EmulatorResponse {
        var items: [(String, String)] = []
        if let state = question.state, !state.isEmpty { items.append(("state", state)) }
        let granted = form.all("granted").filter(question.scopes.contains)
        if form["answer"] == "allow", !granted.isEmpty {
            let code = "4/0" + Identifiers.random(64)
            authority.consents.codes[code] = Consents.Code(
                redirectURI: question.redirectURI, challenge: question.challenge, scopes: Set(granted),
                isLasting: question.isOffline && (question.prompts || !authority.consents.wasGiven),
                expires: now.adding(seconds: 600))
            authority.consents.wasGiven = true
            items += [("code", code), ("scope", granted.joined(separator: " "))]
        } else {
            items.append(("error", "access_denied"))
        }
        let query = items.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        var response = EmulatorResponse.html("", status: 302)
        let joint = question.redirectURI.contains("?") ? "&" : "?"
        response.headers.append((name: "Location", value: question.redirectURI + joint + query))
        return response
    }

    /// Google shows what is wrong with the question to the person, and sends nobody anywhere.
    private static func refusal(_ error: GoogleError) -> EmulatorResponse {
        .html(
            PageLayout.html(
                title: "Access blocked",
                body: "<main><h1>Access blocked</h1><p>\(HTML.escape(error.message))</p><p>Error \(error.code): "
                    + "\(HTML.escape(error.reason))</p></main>"), status: error.code)
    }
}

/// What people have allowed on the consent screen.
struct Consents: Sendable {
    /// A code on its way to the client.
    struct Code: Sendable {
        let redirectURI: String
        let challenge: String
        let scopes: Set<String>
        /// Whether a refresh token comes of it.
        let isLasting: Bool
        let expires: Timestamp
    }

    var codes: [String: Code] = [:]
    /// The scopes of each refresh token that came of a code.
    var refreshTokens: [String: Set<String>] = [:]
    /// Whether somebody has consented before.
    var wasGiven = false
    /// Whether codes give no refresh tokens, whatever was asked.
    var withholdsRefreshTokens = false
}

/// The parts of the token endpoint that belong to the consent screen, and its neighbours `POST /revoke` and `/tokeninfo`.
enum ConsentEndpoint {
    /// Gives tokens for a code.
    static func exchange(
        _ form: Query, _ authority: inout Authority, _ now: Timestamp
    ) throws(GoogleError) -> JSON {
        let user = authority.user
        guard form["client_id"] == user.clientID else {
            throw GoogleError.oauth(401, "invalid_client", "The OAuth client was not found.")
        }
        guard form["client_secret"] == user.clientSecret else {
            throw GoogleError.oauth(401, "invalid_client", "Unauthorized")
        }
        guard let code = form["code"], let given = authority.consents.codes.removeValue(forKey: code),
            given.expires > now
        else { throw GoogleError.oauth(400, "invalid_grant", "Malformed auth code.") }
        guard form["redirect_uri"] == given.redirectURI else {
            throw GoogleError.oauth(400, "redirect_uri_mismatch", "Bad Request")
        }
        guard let verifier = form["code_verifier"], Digest.sha256Text(Array(verifier.utf8)) == given.challenge else {
            throw GoogleError.oauth(400, "invalid_grant", "Invalid code verifier.")
        }
        let token = authority.issue(email: user.email, isServiceAccount: false, scopes: given.scopes, now: now)
        var answer = JSONObject()
        answer["access_token"] = .string(token)
        answer["expires_in"] = JSON(authority.tokenLifetime)
        if given.isLasting, !authority.consents.withholdsRefreshTokens {
            let refreshToken = "1//0" + Identifiers.random(60)
            authority.consents.refreshTokens[refreshToken] = given.scopes
            answer["refresh_token"] = .string(refreshToken)
        }
        answer["scope"] = .string(given.scopes.sorted().joined(separator: " "))
        answer["token_type"] = "Bearer"
        return .object(answer)
    }

    /// Takes back all that a person allowed the client of a token.
    static func revoke(
        _ request: EmulatorRequest, _ authority: inout Authority, _ now: Timestamp
    ) -> EmulatorResponse {
        let form = Query(String(decoding: request.body, as: UTF8.self))
        let token = form["token"] ?? request.query["token"] ?? ""
        let isRefreshToken =
            authority.consents.refreshTokens[token] != nil
            || token == authority.user.refreshToken && !authority.user.isRefreshTokenDead
        guard isRefreshToken || authority.holder("Bearer \(token)") == authority.user.email else {
            return GoogleError.oauth(400, "invalid_token", "Token expired or revoked").response(.oauth)
        }
        authority.consents.refreshTokens = [:]
        authority.consents.wasGiven = false
        authority.user.isRefreshTokenDead = true
        authority.revokeTokens(of: authority.user.email)
        return .json([:])
    }

    /// Says what an access token is good for.
    static func info(_ request: EmulatorRequest, _ authority: Authority, _ now: Timestamp) -> EmulatorResponse {
        let form = Query(String(decoding: request.body, as: UTF8.self))
        guard let token = authority.token(form["access_token"] ?? request.query["access_token"] ?? ""),
            token.expires > now
        else { return GoogleError.oauth(400, "invalid_token", "Invalid Value").response(.oauth) }
        var info = JSONObject()
        info["azp"] = .string(authority.user.clientID)
        info["aud"] = .string(authority.user.clientID)
        info["scope"] = .string(token.scopes.sorted().joined(separator: " "))
        info["exp"] = .string(String(token.expires.seconds))
        info["expires_in"] = .string(String(token.expires.seconds - now.seconds))
        if token.scopes.contains("email") { info["email"] = .string(token.email) }
        info["access_type"] = "offline"
        return .json(.object(info))
    }
}
