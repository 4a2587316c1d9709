import JSON

/// A change to Google's accounts and tokens; what it leaves out stays.
public struct AuthorityChange: Sendable {
    /// Makes all access tokens bad at once.
    public var revokesTokens = false
    /// How long new access tokens last, in seconds.
    public var tokenLifetime: Int?
    /// Whether the service accounts are disabled, all of them.
    public var isServiceAccountDisabled: Bool?
    /// The addresses of the service accounts whose keys were deleted.
    public var deletedKeys: Set<String>?
    /// Whether the person's refresh token is dead.
    public var isRefreshTokenDead: Bool?
    /// What the person allowed the OAuth client.
    public var userScopes: Set<String>?
    /// Whether consents give no refresh tokens.
    public var withholdsRefreshTokens: Bool?
    /// The people whom the service accounts may act for.
    public var delegatedUsers: Set<String>?

    /// Whether nobody may act in the name of a service account.
    public var isImpersonationDenied: Bool?

    /// Makes a change that leaves everything as it is.
    public init() {}

    /// Reads `{"revoke":true,"lifetime_seconds":5,"service_account_disabled":true,...}`.
    init(_ json: JSON) throws(ControlError) {
        for member in json.object ?? JSONObject() {
            switch (member.name, member.value) {
            case ("revoke", .bool(let value)): revokesTokens = value
            case ("lifetime_seconds", .number(let number)): tokenLifetime = number.int
            case ("service_account_disabled", .bool(let value)): isServiceAccountDisabled = value
            case ("deleted_keys", .array(let values)): deletedKeys = Set(values.compactMap(\.string))
            case ("impersonation_denied", .bool(let value)): isImpersonationDenied = value
            case ("refresh_token_dead", .bool(let value)): isRefreshTokenDead = value
            case ("delegated_users", .array(let values)): delegatedUsers = Set(values.compactMap(\.string))
            case ("withholds_refresh_tokens", .bool(let value)): withholdsRefreshTokens = value
            case ("user_scopes", .array(let values)): userScopes = Set(values.compactMap(\.string))
            default:
                throw ControlError(
                    "\"\(member.name)\" is unknown or of the wrong type; there are revoke, lifetime_seconds, "
                        + "service_account_disabled, deleted_keys, refresh_token_dead, user_scopes, "
                        + "withholds_refresh_tokens, delegated_users and impersonation_denied."
                )
            }
        }
    }

    func apply(to authority: inout Authority) {
        if revokesTokens { authority.revokeTokens() }
        if let tokenLifetime { authority.tokenLifetime = tokenLifetime }
        for index in authority.serviceAccounts.indices {
            if let isServiceAccountDisabled { authority.serviceAccounts[index].isDisabled = isServiceAccountDisabled }
            if let deletedKeys {
                let email = authority.serviceAccounts[index].email
                authority.serviceAccounts[index].isKeyDeleted = deletedKeys.contains(email)
            }
        }
        if let isRefreshTokenDead { authority.user.isRefreshTokenDead = isRefreshTokenDead }
        if let userScopes { authority.user.grantedScopes = userScopes }
        if let withholdsRefreshTokens { authority.consents.withholdsRefreshTokens = withholdsRefreshTokens }
        if let isImpersonationDenied { authority.federation.isImpersonationDenied = isImpersonationDenied }
        if let delegatedUsers { authority.delegatedUsers = delegatedUsers }
    }
}
