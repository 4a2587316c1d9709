/// A service account in whose name another identity gets its tokens, by the IAM Credentials API.
public struct Impersonation: Sendable {
    /// The lifetimes in seconds that Google grants, those beyond an hour where the organisation allows them.
    static let lifetimes = 600...43_200

    /// The account's address, such as `exports@project.iam.gserviceaccount.com`.
    public let email: String
    /// The method `generateAccessToken` of that account.
    public let url: String
    /// The accounts between, each of which may act for the next.
    public let delegates: [String]
    /// How long tokens last, in seconds.
    public let lifetime: Int
    /// Who asks for the tokens.
    public let source: Credentials.Kind

    /// Reads what files of the types `external_account` and `impersonated_service_account` have in common.
    init(_ fields: CredentialsFields, url: String, source: Credentials.Kind) throws(CredentialsError) {
        let (name, method) = ("service_account_impersonation_url", ":generateAccessToken")
        guard url.hasSuffix(method), let account = url.dropLast(method.count).split(separator: "/").last,
            account.contains("@") || account.allSatisfy(\.isNumber)
        else { throw fields.bad(name, "is not that of a service account: …/serviceAccounts/ADDRESS\(method)") }
        self.url = url
        self.source = source
        email = String(account)
        delegates = try fields.list("delegates")
        lifetime =
            try fields.nested("service_account_impersonation")?.integer("token_lifetime_seconds", in: Self.lifetimes)
            ?? 3_600
    }
}
