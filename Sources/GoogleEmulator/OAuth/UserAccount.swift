import JSON

/// A person who once allowed an OAuth client offline access.
struct UserAccount: Sendable {
    let email: String
    let clientID: String
    let clientSecret: String
    let refreshToken: String
    /// A refresh token dies when the person takes the consent back.
    var isRefreshTokenDead = false
    /// What the person allowed.
    var grantedScopes = Set(Self.scopes)

    /// Makes a person with a fresh refresh token.
    static func fresh() -> UserAccount {
        UserAccount(
            email: "user@example.com", clientID: "emulated-client.apps.googleusercontent.com",
            clientSecret: "GOCSPX-" + Identifiers.random(28), refreshToken: "1//0" + Identifiers.random(60))
    }

    init(email: String, clientID: String, clientSecret: String, refreshToken: String) {
        self.email = email
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.refreshToken = refreshToken
    }

    /// Reads the file that `file` writes; nil where it is none.
    init?(file: JSON) {
        guard file["type"]?.string == "authorized_user", let client = file["client_id"]?.string,
            let secret = file["client_secret"]?.string, let token = file["refresh_token"]?.string
        else { return nil }
        self.init(
            email: file["account"]?.string ?? "user@example.com", clientID: client, clientSecret: secret,
            refreshToken: token)
    }

    /// The file of `gcloud auth application-default login`, with the emulator's token endpoint in it.
    func file(baseURL: String) -> JSON {
        [
            "type": "authorized_user",
            "account": .string(email),
            "client_id": .string(clientID),
            "client_secret": .string(clientSecret),
            "refresh_token": .string(refreshToken),
            "token_uri": .string(baseURL + "/token"),
            "universe_domain": "googleapis.com",
        ]
    }

    /// The OAuth client as the console gives it, for a person to consent anew.
    func clientFile(baseURL: String) -> JSON {
        [
            "installed": [
                "client_id": .string(clientID), "project_id": "emulated-project",
                "auth_uri": .string(baseURL + "/o/oauth2/v2/auth"), "token_uri": .string(baseURL + "/token"),
                "client_secret": .string(clientSecret), "redirect_uris": ["http://localhost"],
            ]
        ]
    }

    /// The file in which google-auth's Python library keeps a person's credentials; its access token has expired.
    func tokenFile(baseURL: String) -> JSON {
        [
            "token": "ya29.expired",
            "refresh_token": .string(refreshToken),
            "token_uri": .string(baseURL + "/token"),
            "client_id": .string(clientID),
            "client_secret": .string(clientSecret),
            "scopes": .array(Self.scopes.map(JSON.string)),
            "universe_domain": "googleapis.com",
            "account": "",
            "expiry": "2020-01-01T00:00:00Z",
        ]
    }

    /// What the person has allowed.
    static let scopes = ["https://www.googleapis.com/auth/drive", "https://www.googleapis.com/auth/spreadsheets"]
}
