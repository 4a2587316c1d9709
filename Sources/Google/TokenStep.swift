import HTTP
import HTTPTypes
import JSON

/// One request on the way to an access token, and what its answers mean.
protocol TokenStep: Sendable {
    /// What it gives.
    associatedtype Grant: Sendable

    /// The request; `now` is Google's time, which assertions carry.
    func request(at now: Timestamp) throws(CredentialsError) -> HTTPClient.Request
    /// What an answer with status 200 gives; nil where it is not what was asked for.
    func grant(in answer: HTTPClient.Response) -> Grant?
    /// What every other answer means.
    func failure(_ answer: HTTPClient.Response) -> GoogleError
}

extension TokenStep {
    /// A request to an endpoint that gives tokens; it takes no larger answer than tokens need.
    func request(
        _ method: HTTPRequest.Method, _ url: String, fields: HTTPFields, body: [UInt8] = []
    ) -> HTTPClient.Request {
        HTTPClient.Request(
            method: method, url: url, fields: fields, body: body, timeout: .seconds(30), largestAnswer: 256 << 10)
    }

    func post(
        _ form: [(name: String, value: String)], to url: String, _ more: HTTPFields = [:]
    ) -> HTTPClient.Request {
        var fields = more
        fields[.contentType] = "application/x-www-form-urlencoded"
        return request(.post, url, fields: fields, body: Array(PercentEncoding.form(form).utf8))
    }
}

extension TokenStep {
    /// What an endpoint of OAuth means that gives no token.
    func refusal(_ answer: HTTPClient.Response, of credentials: Credentials.Kind) -> GoogleError {
        GoogleError(tokenStatus: answer.status.code, fields: answer.fields, body: answer.body, for: credentials)
    }

    /// What another server means by a status: a fault that passes, or what the words say.
    fileprivate func fault(_ status: Int, _ words: String) -> GoogleError {
        status == 408 || status == 429 || status >= 500
            ? GoogleError(.unavailable, message: "It has a fault for the moment.", status: status, retry: .backoff)
            : GoogleError(.credentials, message: words, status: status, retry: .never)
    }
}

extension TokenStep where Grant == TokenGrant {
    /// The token in an answer of OAuth.
    func grant(in answer: HTTPClient.Response) -> TokenGrant? { TokenGrant(answer.body) }
}

/// An assertion that a service account signs with its key, for a token (RFC 7523).
struct AssertionStep: TokenStep {
    /// Google's clock may be behind this one's, and it takes no assertion from the future.
    private static let backdating = 30
    private static let lifetime = 3600

    let account: ServiceAccount
    let scopes: [String]

    func request(at now: Timestamp) throws(CredentialsError) -> HTTPClient.Request {
        post(
            [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", try assertion(at: now)),
            ], to: account.tokenURI)
    }

    /// A JSON Web Token signed with the account's key.
    private func assertion(at now: Timestamp) throws(CredentialsError) -> String {
        let issued = now.seconds - Self.backdating
        var header: JSON = ["alg": "RS256", "typ": "JWT"]
        if let keyID = account.keyID { header = ["alg": "RS256", "typ": "JWT", "kid": .string(keyID)] }
        var claims = JSONObject([
            .init(name: "iss", value: .string(account.email)),
            .init(name: "scope", value: .string(scopes.joined(separator: " "))),
            .init(name: "aud", value: .string(account.tokenURI)), .init(name: "iat", value: JSON(issued)),
            .init(name: "exp", value: JSON(issued + Self.lifetime)),
        ])
        claims["sub"] = account.subject.map(JSON.string)
        let signed = "\(Base64URL.encode(header.bytes)).\(Base64URL.encode(JSON.object(claims).bytes))"
        do {
            return "\(signed).\(Base64URL.encode(try account.key.signature(of: Array(signed.utf8))))"
        } catch {
            throw CredentialsError(.signingFailed, account.email, "the private key \(error.problem)")
        }
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        refusal(answer, of: .serviceAccount(account))
    }
}

/// A user's refresh token, for an access token.
struct RefreshStep: TokenStep {
    let user: AuthorizedUser

    func request(at now: Timestamp) -> HTTPClient.Request {
        post(
            [
                ("grant_type", "refresh_token"), ("refresh_token", user.refreshToken.text),
                ("client_id", user.clientID), ("client_secret", user.clientSecret.text),
            ], to: user.tokenURI)
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        refusal(answer, of: .authorizedUser(user))
    }
}

/// The question for another identity provider's token.
struct SubjectTokenStep: TokenStep {
    let account: ExternalAccount
    let url: String
    let headers: HTTPFields

    func request(at now: Timestamp) -> HTTPClient.Request {
        var request = request(.get, url, fields: headers)
        request.bypassesProxy = Endpoint.isLinkLocal(url)
        return request
    }

    func grant(in answer: HTTPClient.Response) -> Secret? { account.subjectToken(in: answer.body) }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        let status = answer.status.code
        let words =
            switch status {
            case 200: "What the URL of \"credential_source\" gives holds no token; check its \"format\"."
            case 300..<400:
                "The URL of \"credential_source\" leads elsewhere, which is not followed; name that place itself."
            default: "The URL of \"credential_source\" gives no token; check it and its \"headers\"."
            }
        return fault(status, words)
    }
}

/// Another identity provider's token, for one of Google's (RFC 8693).
struct ExchangeStep: TokenStep {
    let account: ExternalAccount
    let subjectToken: Secret
    let scopes: [String]

    func request(at now: Timestamp) -> HTTPClient.Request {
        var form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), ("audience", account.audience),
            ("scope", scopes.joined(separator: " ")),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", account.subjectTokenType), ("subject_token", subjectToken.text),
        ]
        guard let client = account.client else {
            if let project = account.userProject {
                let options: JSON = ["userProject": .string(project)]
                form.append(("options", options.description))
            }
            return post(form, to: account.tokenURL)
        }
        let pair = "\(PercentEncoding.encode(client.id)):\(PercentEncoding.encode(client.secret.text))"
        return post(form, to: account.tokenURL, [.authorization: "Basic \(Base64URL.standard(Array(pair.utf8)))"])
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        refusal(answer, of: .externalAccount(account))
    }
}

/// The question for a token in the name of a service account.
struct ImpersonationStep: TokenStep {
    let impersonation: Impersonation
    let token: Secret
    let scopes: [String]

    func request(at now: Timestamp) -> HTTPClient.Request {
        let body: JSON = [
            "delegates": .array(impersonation.delegates.map(JSON.string)), "scope": .array(scopes.map(JSON.string)),
            "lifetime": .string("\(impersonation.lifetime)s"),
        ]
        return request(
            .post, impersonation.url,
            fields: [.authorization: "Bearer \(token.text)", .contentType: "application/json; charset=utf-8"],
            body: body.bytes)
    }

    /// The end that Google names is one by its own clock, which the answer's head shows too.
    func grant(in answer: HTTPClient.Response) -> TokenGrant? {
        guard let json = try? JSON(parsing: answer.body, mostValues: 1_000),
            let token = json["accessToken"]?.string, !token.isEmpty
        else { return nil }
        let end = json["expireTime"]?.string.flatMap { Timestamp(rfc3339: $0) }
        let now = answer.fields[.date].flatMap { Timestamp(httpDate: $0) } ?? .now()
        return TokenGrant(Secret(token), seconds: end.map { $0.seconds - now.seconds })
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        GoogleError(impersonation: answer, of: impersonation.email)
    }
}

/// The question for a token of the machine's own service account.
struct MetadataStep: TokenStep {
    private static let flavor = HTTPField.Name("Metadata-Flavor")

    let server: MetadataServer
    let scopes: [String]

    func request(at now: Timestamp) -> HTTPClient.Request {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token"
        let query = PercentEncoding.form([("scopes", scopes.joined(separator: ","))])
        var request = request(.get, "\(server.baseURL)\(path)?\(query)", fields: [:])
        if let flavor = Self.flavor { request.fields[flavor] = "Google" }
        request.bypassesProxy = true
        return request
    }

    /// Other clouds have a server at the same address, and only Google's says that it is one.
    private func isGoogles(_ answer: HTTPClient.Response) -> Bool {
        Self.flavor.flatMap { answer.fields[$0] } == "Google"
    }

    func grant(in answer: HTTPClient.Response) -> TokenGrant? {
        isGoogles(answer) ? TokenGrant(answer.body) : nil
    }

    func failure(_ answer: HTTPClient.Response) -> GoogleError {
        let status = answer.status.code
        let words =
            if !isGoogles(answer) {
                "What answers there is not Google's metadata server; this machine is not one of Google's, or GCE_METADATA_HOST names "
                    + "another."
            } else if status == 404 {
                "This machine runs as no service account; attach one to it, with the scopes drive and spreadsheets."
            } else {
                "It gives no token; look at the service account of this machine."
            }
        return fault(status, words)
    }
}
