import JSON

/// All of Google's ways to a token, and an identity provider of somebody else's.
enum TokenServices {
    /// Answers a request; nil where nothing is at its path.
    static func respond(
        _ request: EmulatorRequest, _ api: GoogleAPI, authority: inout Authority, now: Timestamp
    ) -> EmulatorResponse? {
        switch (api, request.verb) {
        case (.oauth, _) where request.path.hasPrefix("/o/oauth2/"):
            return ConsentScreen.respond(request, authority: &authority, now: now)
        case (.oauth, "POST") where request.path == "/revoke": return ConsentEndpoint.revoke(request, &authority, now)
        case (.oauth, _) where request.path == "/tokeninfo": return ConsentEndpoint.info(request, authority, now)
        case (.oauth, "POST"): return TokenEndpoint.respond(request, authority: &authority, now: now)
        case (.sts, "POST"): return ExchangeEndpoint.respond(request, authority: &authority, now: now)
        case (.iamcredentials, "POST"): return ImpersonationEndpoint.respond(request, authority: &authority, now: now)
        case (.metadata, "GET"): return MetadataEndpoint.respond(request, authority: &authority, now: now)
        case (.idp, "GET"): return identityProvider(request, authority.federation)
        default: return nil
        }
    }

    /// What a request to one of them is called in the journal.
    static func method(_ api: GoogleAPI, path: String) -> String {
        if api == .oauth, path != "/token" {
            return path.hasPrefix("/o/oauth2/") ? "oauth.consent" : "oauth.\(path.dropFirst())"
        }
        return api == .iamcredentials ? "iamcredentials.generateAccessToken" : "\(api.rawValue).token"
    }

    /// `GET /idp/token` with the header `Metadata: true`: the workload's token, in JSON or with `?format=text` alone.
    private static func identityProvider(_ request: EmulatorRequest, _ federation: Federation) -> EmulatorResponse? {
        guard request.path == "/idp/token" else { return nil }
        guard request.header("Metadata")?.lowercased() == "true" else {
            return GoogleError(code: 400, message: "The header Metadata is missing.", reason: "invalid_request")
                .response(.idp)
        }
        guard request.query["format"] == "text" else {
            return .json(["id_token": .string(federation.subjectToken), "expires_in": 3600])
        }
        return EmulatorResponse(
            status: 200, contentType: "text/plain", body: Array("\(federation.subjectToken)\n".utf8))
    }
}

/// Google's security token service, `POST /v1/token`.
enum ExchangeEndpoint {
    static func respond(_ request: EmulatorRequest, authority: inout Authority, now: Timestamp) -> EmulatorResponse {
        do throws(GoogleError) {
            guard request.hasContentType("application/x-www-form-urlencoded") else {
                throw failure("invalid_request", "The request must be form-encoded.")
            }
            let form = Query(String(decoding: request.body, as: UTF8.self))
            let federation = authority.federation
            guard form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange" else {
                throw failure("unsupported_grant_type", "The grant type is not supported.")
            }
            guard form["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token",
                form["subject_token_type"] == federation.subjectTokenType
            else { throw failure("invalid_request", "Invalid value for token type.") }
            guard form["audience"] == federation.audience else {
                throw failure(
                    "invalid_target",
                    "The target service indicated by the \"audience\" parameters is invalid. This might either be because the "
                        + "pool or provider is disabled or deleted or because it doesn't exist.")
            }
            guard form["subject_token"] == federation.subjectToken else {
                throw failure("invalid_grant", "Unable to verify the ID Token signature.")
            }
            let scopes = Set((form["scope"] ?? "").split(separator: " ").map(String.init))
            guard !scopes.isEmpty, scopes.allSatisfy({ $0.hasPrefix("https://") }) else {
                throw failure("invalid_scope", "Invalid OAuth scope.")
            }
            let token = authority.issue(
                email: federation.principal, isServiceAccount: true, scopes: scopes, now: now)
            return .json([
                "access_token": .string(token), "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer", "expires_in": JSON(authority.tokenLifetime),
            ])
        } catch { return error.response(.sts) }
    }

    private static func failure(_ error: String, _ description: String) -> GoogleError {
        GoogleError(code: 400, message: description, reason: error)
    }
}

/// The IAM Credentials API, `POST /v1/projects/-/serviceAccounts/ADDRESS:generateAccessToken`.
enum ImpersonationEndpoint {
    private static let scopes: Set<String> = [
        "https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam",
    ]
    private static let (prefix, method) = ("/v1/projects/-/serviceAccounts/", ":generateAccessToken")

    static func respond(_ request: EmulatorRequest, authority: inout Authority, now: Timestamp) -> EmulatorResponse? {
        let path = PercentCoding.decode(request.path)
        guard path.hasPrefix(prefix), path.hasSuffix(method) else { return nil }
        let email = String(path.dropFirst(prefix.count).dropLast(method.count))
        do throws(GoogleError) {
            _ = try authority.authorize(request.authorization, scopes: scopes, now: now)
            guard let body = try? JSON(parsing: request.body),
                let scopes = body["scope"]?.array?.compactMap(\.string), !scopes.isEmpty
            else { throw .badRequest("Scope list must not be empty.") }
            let lifetime = body["lifetime"]?.string ?? "3600s"
            guard lifetime.hasSuffix("s"), let seconds = Int(lifetime.dropLast()), (1...3600).contains(seconds) else {
                throw .badRequest("The token lifetime cannot exceed 1 hour (3600s).")
            }
            guard let account = authority.serviceAccounts.first(where: { $0.email == email }), !account.isDisabled
            else {
                throw GoogleError(code: 404, message: "Not found; Gaia id not found for email \(email)")
            }
            guard !authority.federation.isImpersonationDenied else { throw denied }
            let token = authority.issue(
                email: email, isServiceAccount: true, scopes: Set(scopes), lifetime: seconds, now: now)
            return .json([
                "accessToken": .string(token), "expireTime": .string(now.adding(seconds: seconds).rfc3339),
            ])
        } catch { return error.response(.iamcredentials) }
    }

    private static var denied: GoogleError {
        var error = GoogleError(
            code: 403,
            message: "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).")
        error.details = [
            [
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com", "metadata": ["permission": "iam.serviceAccounts.getAccessToken"],
            ]
        ]
        return error
    }
}

/// The metadata server of a machine that runs as the first service account.
enum MetadataEndpoint {
    private static let account = "/computeMetadata/v1/instance/service-accounts/default/"

    static func respond(_ request: EmulatorRequest, authority: inout Authority, now: Timestamp) -> EmulatorResponse? {
        guard request.header("Metadata-Flavor") == "Google" else {
            return GoogleError(code: 403, message: "Missing Metadata-Flavor:Google header.").response(.metadata)
        }
        guard let first = authority.serviceAccounts.first, !first.isDisabled else {
            return GoogleError(code: 404, message: "There is no such metadata.").response(.metadata)
        }
        switch request.path {
        case account + "email":
            return marked(EmulatorResponse(status: 200, contentType: "application/text", body: Array(first.email.utf8)))
        case account + "token":
            let asked = request.query["scopes"]?.split(separator: ",").map(String.init)
            let scopes = Set(asked ?? ["https://www.googleapis.com/auth/cloud-platform"])
            let token = authority.issue(email: first.email, isServiceAccount: true, scopes: scopes, now: now)
            return marked(
                .json([
                    "access_token": .string(token), "expires_in": JSON(authority.tokenLifetime), "token_type": "Bearer",
                ]))
        default: return GoogleError(code: 404, message: "There is no such metadata.").response(.metadata)
        }
    }

    /// An answer that says whose it is, as each of the metadata server's does.
    static func marked(_ response: EmulatorResponse) -> EmulatorResponse {
        var response = response
        response.headers.append((name: "Metadata-Flavor", value: "Google"))
        return response
    }
}
