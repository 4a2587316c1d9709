import HTTP
import HTTPTypes

/// What an answer of the IAM Credentials API means, which gives out tokens in the name of service accounts.
extension GoogleError {
    /// Classifies an answer without a token; each fault is one of the installation, or of the service.
    init(impersonation answer: HTTPClient.Response, of email: String) {
        let error = GoogleError(
            status: answer.status.code, fields: answer.fields, body: answer.body, receivedAt: .now())
        let (code, message): (Code, String?) =
            switch error.code {
            case _ where error.code.isFaultOfService: (error.code, nil)
            case .rateLimited, .dailyLimitExceeded: (error.code, nil)
            case .apiDisabled:
                (
                    .apiDisabled,
                    "The IAM Service Account Credentials API is not enabled in the account's Cloud project; enable it in the "
                        + "console under APIs & Services > Library and wait some minutes."
                )
            case .insufficientScope:
                (
                    .insufficientScope,
                    "The source credentials may not act in Google Cloud: a user's consent must hold the scope cloud-platform."
                )
            case .permissionDenied:
                (
                    .accessDenied,
                    "The source credentials may not act in its name: on the service account, grant them the role Workload Identity "
                        + "User (roles/iam.workloadIdentityUser) for an external account, else Service Account Token Creator "
                        + "(roles/iam.serviceAccountTokenCreator)."
                )
            case .notFound: (.invalidGrant, "There is no service account \(email); check its address.")
            case .unauthenticated: (.unauthenticated, "Google does not accept the token of the source credentials.")
            default:
                (
                    .invalidRequest,
                    "Google does not accept the request; \"token_lifetime_seconds\" above 3600 needs the organisation's consent."
                )
            }
        self.init(
            code, message: message, googleMessage: error.googleMessage, status: error.status, reason: error.reason,
            retry: error.retry, quota: error.quota)
    }
}
