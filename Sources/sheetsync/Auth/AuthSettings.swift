import FoundationEssentials
import Google
import HTTP
import Output

/// What the commands of `auth` know of the installation: the client, the token's file and where Google is.
struct AuthSettings {
    private let reader: SettingsReader
    let endpoint: String?
    private let authorities: AuthorityCertificates?

    init(_ reader: SettingsReader) throws {
        self.reader = reader
        authorities = try GoogleSettings.authorities(reader)
        endpoint = try GoogleSettings.endpoint(reader)
    }

    /// What calls Google.
    func httpClient() throws(HTTPError) -> HTTPClient {
        try GoogleSettings.httpClient(trusting: authorities)
    }

    /// Where the token is kept: by the option, else by the settings.
    func tokenPath(_ option: String?) throws -> String {
        guard let path = option ?? GoogleSettings.token(reader) else {
            throw SettingsError(
                name: "GOOGLE_SHEETS_TOKEN_PATH", problem: "is not set: say by it or by --token where the token is kept"
            )
        }
        guard option != nil || !path.drop(while: \.isWhitespace).hasPrefix("{") else {
            throw SettingsError(
                name: "GOOGLE_SHEETS_TOKEN_PATH", problem: "holds a token itself: name a file by --token instead")
        }
        return path
    }

    /// The OAuth client: of the file that the option names, else of the settings.
    func client(_ option: String?) throws -> OAuthClient {
        if let option { return try OAuthClient(path: option) }
        if let id = reader.text("GOOGLE_OAUTH_CLIENT_ID") {
            guard let secret = reader.text("GOOGLE_OAUTH_CLIENT_SECRET") else {
                throw SettingsError(
                    name: "GOOGLE_OAUTH_CLIENT_SECRET", problem: "is not set, and GOOGLE_OAUTH_CLIENT_ID is")
            }
            return OAuthClient(id: id, secret: Secret(secret), endpoint: endpoint)
        }
        if let path = reader.credentialPath("GOOGLE_SHEETS_CREDENTIALS") { return try OAuthClient(path: path) }
        for name in ["GOOGLE_SHEETS_CREDENTIALS_PATH", "GOOGLE_SHEETS_CREDENTIALS"] {
            guard let value = reader.text(name) else { continue }
            if value.hasPrefix("{") { return try OAuthClient(parsing: value, from: name) }
            guard FilePath.isPlausible(value) else {
                throw SettingsError(name: name, problem: "names no OAuth client: name its file by --client")
            }
            return try OAuthClient(path: value)
        }
        throw CommandFailure(
            status: .settings,
            message:
                "there is no OAuth client: make one of the type Desktop app in the console under APIs & Services > "
                + "Credentials, download its JSON and name it by --client, or set GOOGLE_OAUTH_CLIENT_ID and "
                + "GOOGLE_OAUTH_CLIENT_SECRET")
    }
}
