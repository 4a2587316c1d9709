import Google
import HTTP
import HTTPTypes
import JSON
import Logging

/// Whose a token is, by what Drive says of itself.
enum Person {
    /// A source of tokens that says nothing in the log; the command says it all.
    static func tokens(_ credentials: Credentials, _ http: HTTPClient, keeping path: String? = nil) -> TokenSource {
        TokenSource(
            http: http, logger: Logger(label: "auth") { _ in SwiftLogNoOpLogHandler() },
            onRotation: { token in if let path { try? TokenFile(path: path).replaceRefreshToken(token) } },
            load: { () throws(CredentialsError) in credentials })
    }

    /// The address of the account; nil where Drive does not say.
    static func address(
        _ tokens: TokenSource, _ http: HTTPClient, endpoint: String?
    ) async throws(GoogleError) -> String? {
        let about = try await APIClient(http: http, tokens: tokens, endpoint: endpoint).call(
            APIRequest(.drive, .get, "/drive/v3/about", fields: "user(emailAddress)"))
        return about["user"]?["emailAddress"]?.string
    }
}
