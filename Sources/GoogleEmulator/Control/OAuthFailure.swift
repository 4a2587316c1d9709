/// The errors of Google's token endpoint that a client has to tell apart, to be played on demand.
public enum OAuthFailure: String, Sendable, CaseIterable {
    /// The client's clock is wrong.
    case clockSkew = "clock_skew"
    /// The key was deleted or replaced.
    case invalidSignature = "invalid_signature"
    /// The service account was deleted.
    case accountNotFound = "account_not_found"
    /// The subject is nobody.
    case invalidSubject = "invalid_subject"
    /// The subject's account was deleted.
    case accountDeleted = "account_deleted"
    /// The refresh token is no longer good.
    case tokenRevoked = "token_revoked"
    /// The person must sign in again.
    case reauthentication = "reauthentication"
    /// Google says no more than that.
    case badRequest = "bad_request"
    /// The service account may not act for people, or not with these scopes.
    case unauthorizedClient = "unauthorized_client"
    /// The same in other words.
    case unauthorizedScope = "unauthorized_scope"
    /// A scope is missing from the domain's list.
    case accessDenied = "access_denied"
    /// The subject is no address.
    case invalidImpersonation = "invalid_impersonation"
    /// Google fails, and a retry helps.
    case internalFailure = "internal_failure"

    /// The fault that plays it.
    public var action: Fault.Action {
        let (status, reason, message): (Int, String, String) =
            switch self {
            case .clockSkew:
                (
                    400, "invalid_grant",
                    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                        + "Check your iat and exp values in the JWT claim."
                )
            case .invalidSignature: (400, "invalid_grant", "Invalid JWT Signature.")
            case .accountNotFound: (400, "invalid_grant", "Invalid grant: account not found")
            case .invalidSubject: (400, "invalid_grant", "Invalid email or User ID")
            case .accountDeleted: (400, "invalid_grant", "The account has been deleted.")
            case .tokenRevoked: (400, "invalid_grant", "Token has been expired or revoked.")
            case .reauthentication: (400, "invalid_grant", "reauth related error (invalid_rapt)")
            case .badRequest: (400, "invalid_grant", "Bad Request")
            case .unauthorizedClient:
                (
                    401, "unauthorized_client",
                    "Client is unauthorized to retrieve access tokens using this method, or client not authorized for "
                        + "any of the scopes requested."
                )
            case .unauthorizedScope: (401, "unauthorized_client", "Unauthorized client or scope in request.")
            case .accessDenied: (403, "access_denied", "Requested client not authorized.")
            case .invalidImpersonation: (400, "invalid_request", "Invalid impersonation \"sub\" field.")
            case .internalFailure: (500, "internal_failure", "Backend Error")
            }
        return .error(status: status, reason: reason, message: message)
    }
}
