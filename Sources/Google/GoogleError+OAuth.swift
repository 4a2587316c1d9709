import HTTPTypes
import JSON

/// What an answer of the token endpoint means.
///
/// Its errors have a shape of their own: `{"error": "invalid_grant", "error_description": "…"}`, with status 400 or 401.
extension GoogleError {
    private typealias Verdict = (code: Code, message: String?, retry: Retry)

    /// Classifies an answer without an access token.
    ///
    /// - Parameter credentials: the same error means another thing for a service account than for a user.
    init(tokenStatus status: Int, fields: HTTPFields, body: [UInt8], for credentials: Credentials.Kind) {
        let json = try? JSON(parsing: body)
        let error = json?["error"]?.string
        let words = (json?["error_description"]?.string ?? json?["error_subtype"]?.string).map {
            GoogleWords.tidied($0)
        }
        let verdict =
            error.flatMap { Self.verdict($0, words ?? "", credentials) } ?? Self.verdict(byStatus: status)
        var retry = verdict.retry
        if retry == .backoff, let seconds = fields[.retryAfter].flatMap({ Int($0) }), seconds > 0 {
            retry = .after(.seconds(min(seconds, 86400)))
        }
        self.init(
            verdict.code, message: verdict.message, googleMessage: words, status: status, reason: error, retry: retry)
    }

    private static func verdict(byStatus status: Int) -> Verdict {
        switch status {
        case 408, 504: (.timedOut, nil, .backoff)
        case 429: (.rateLimited, "Google limits how often tokens are asked for.", .backoff)
        case 500...: (.unavailable, nil, .backoff)
        case 200..<300: (.badAnswer, "The token endpoint's answer holds no access token.", .backoff)
        default:
            (
                .badAnswer,
                "The token endpoint's answer is not one of Google's; check the credentials' token_uri and proxies on the way.",
                .slowly
            )
        }
    }

    private static func verdict(_ error: String, _ words: String, _ credentials: Credentials.Kind) -> Verdict? {
        if case .externalAccount = credentials, let verdict = exchangeVerdict(error) { return verdict }
        return switch error {
        case "internal_failure", "server_error", "temporarily_unavailable": (.unavailable, nil, .backoff)
        case "invalid_grant": invalidGrant(words, credentials)
        case "invalid_client", "deleted_client": (.invalidClient, nil, .never)
        case "unauthorized_client": unauthorizedClient(credentials)
        case "access_denied" where words.contains("not authorized"):
            (.accessDenied, Code.unauthorizedClient.message, .slowly)
        case "access_denied", "admin_policy_enforced", "org_internal", "disabled_client": (.accessDenied, nil, .never)
        case "invalid_scope": (.invalidScope, nil, .never)
        case "invalid_request" where words.contains("sub"): (.invalidRequest, Sentence.badSubject, .never)
        case "invalid_request": (.invalidRequest, nil, .never)
        default: nil
        }
    }

    /// What the security token service found fault with, in its own use of OAuth's errors.
    private static func exchangeVerdict(_ error: String) -> Verdict? {
        switch error {
        case "invalid_grant": (.invalidGrant, Sentence.badSubjectToken, .never)
        case "invalid_target": (.invalidRequest, Sentence.noProvider, .never)
        case "invalid_request": (.invalidRequest, Sentence.badExchange, .never)
        case "unauthorized_client": (.unauthorizedClient, Sentence.attributeCondition, .never)
        default: nil
        }
    }

    private static func invalidGrant(_ words: String, _ credentials: Credentials.Kind) -> Verdict {
        if words.contains("short-lived token") || words.contains("reasonable timeframe") {
            return (.clockSkew, nil, .slowly)
        }
        guard case .serviceAccount(let account) = credentials else {
            return (.invalidGrant, Sentence.deadToken, .never)
        }
        if words.contains("Signature") || words.contains("kid") { return (.invalidGrant, Sentence.deadKey, .never) }
        if words.contains("account not found") { return (.invalidGrant, Sentence.noAccount, .never) }
        return (.invalidGrant, account.subject == nil ? Sentence.noAccount : Sentence.badSubject, .never)
    }

    private static func unauthorizedClient(_ credentials: Credentials.Kind) -> Verdict {
        switch credentials {
        // A new grant takes up to a day to spread.
        case .serviceAccount: (.unauthorizedClient, nil, .slowly)
        default: (.unauthorizedClient, Sentence.otherClient, .never)
        }
    }

    private enum Sentence {
        static let deadKey =
            "Google does not accept the key's signature: the key was deleted or disabled, or belongs to another account. "
            + "Make a new JSON key in the console under IAM & Admin > Service Accounts > Keys."
        static let noAccount =
            "The service account does not exist or is disabled; look for it in the console under IAM & Admin > Service "
            + "Accounts, and use the key of one that does."
        static let badSubject =
            "The user to act for does not exist, or is not of a domain that granted this; check GOOGLE_IMPERSONATE_SUBJECT "
            + "(a full e-mail address of the Workspace domain)."
        static let deadToken =
            "The user's consent has expired or was withdrawn; authorise again and replace the refresh token. While the app's "
            + "consent screen is in testing, a refresh token dies after 7 days: publish it in the console under APIs & "
            + "Services > OAuth consent screen."
        static let otherClient =
            "The refresh token belongs to another OAuth client; authorise again with the client of these credentials."
        static let badSubjectToken =
            "Google does not accept the other identity provider's token: it has expired, or is of another issuer or audience "
            + "than the workload identity pool's provider names."
        static let noProvider =
            "The \"audience\" names no workload identity pool's provider, or one that is disabled or deleted; compare it with the "
            + "console under IAM & Admin > Workload Identity Federation."
        static let badExchange =
            "Google does not understand the exchange of tokens; compare \"audience\" and \"subject_token_type\" with the file that "
            + "the console makes."
        static let attributeCondition =
            "The workload identity pool's provider does not let this identity in: its token does not meet the attribute condition."
    }
}
