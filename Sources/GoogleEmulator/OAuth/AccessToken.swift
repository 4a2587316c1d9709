/// What an access token stands for.
struct AccessToken: Sendable {
    /// The e-mail address of who acts.
    let email: String
    /// Whether who acts is a service account, not a person it acts for.
    let isServiceAccount: Bool
    let scopes: Set<String>
    var expires: Timestamp
}
