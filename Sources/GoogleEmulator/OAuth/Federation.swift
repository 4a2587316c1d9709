import JSON

/// A workload identity pool with one provider that is not Google's, and the one workload that it vouches for.
struct Federation: Sendable {
    /// The provider, as Google names it.
    let audience =
        "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/emulated/providers/idp"
    /// Who the workload is to Google.
    let principal =
        "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/emulated/subject/workload"
    let subjectTokenType = "urn:ietf:params:oauth:token-type:jwt"
    /// What the provider gives to the workload.
    let subjectToken = "emulated." + Identifiers.random(80)
    /// Whether nobody may act in the name of a service account.
    var isImpersonationDenied = false

    /// Google's file for the workload, which acts as a service account.
    func file(_ account: ServiceAccount, baseURL: String, source: JSON) -> JSON {
        [
            "type": "external_account",
            "universe_domain": "googleapis.com",
            "audience": .string(audience),
            "subject_token_type": .string(subjectTokenType),
            "token_url": .string(baseURL + "/v1/token"),
            "credential_source": source,
            "service_account_impersonation_url": .string(account.impersonationURL(baseURL)),
            "service_account_impersonation": ["token_lifetime_seconds": 3600],
        ]
    }
}

extension ServiceAccount {
    /// Where tokens in its name are given.
    func impersonationURL(_ baseURL: String) -> String {
        "\(baseURL)/v1/projects/-/serviceAccounts/\(email):generateAccessToken"
    }

    /// Google's file for somebody who acts in its name: by its own key here, which is enough for a test.
    func impersonatedFile(baseURL: String) -> JSON {
        [
            "type": "impersonated_service_account",
            "delegates": [],
            "service_account_impersonation_url": .string(impersonationURL(baseURL)),
            "source_credentials": file(baseURL: baseURL),
        ]
    }
}
