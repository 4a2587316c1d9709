import Google
import HTTP
import JSON
import Output

/// What can be said of a user's token without showing it.
struct AuthStanding {
    let path: String
    let client: String
    /// Whose it is; nil where nobody says.
    let account: String?
    let scopes: [String]
    /// How long the access token lives that Google gave just now.
    let secondsLeft: Int?

    static func read(_ path: String, _ settings: AuthSettings) async throws -> AuthStanding {
        let consent: StoredConsent
        do throws(CredentialsError) { consent = try StoredConsent(path: path) } catch {
            throw CommandFailure(status: .settings, message: "\(error)")
        }
        return try await settings.calling { http throws(GoogleError) in
            let tokens = Person.tokens(consent.credentials, http, keeping: path)
            let token = try await tokens.token()
            let info = try await consent.info(on: token, http: http)
            // With scopes of Drive it is Drive that knows.
            let account = try? await Person.address(tokens, http, endpoint: settings.endpoint)
            return AuthStanding(
                path: path, client: consent.clientID, account: account ?? info.email ?? consent.account,
                scopes: info.scopes, secondsLeft: info.secondsLeft)
        } failing: {
            "\(path): \($0)"
        }
    }

    /// The asked scopes that are missing for all that jobs can ask.
    private var missing: [String] { UserScopes.all.filter { !scopes.contains($0) } }

    private var sentence: String {
        if missing.isEmpty { return "all that jobs can ask" }
        return UserScopes.least.allSatisfy(scopes.contains)
            ? "spreadsheets and folders that this installation makes, and none that people made"
            : "not enough for any job: run `sheetsync auth login`"
    }

    func show() {
        Console.print(lines: [
            "account  \(account ?? "not known: the scopes do not let Google say it")",
            "scopes   \(scopes.map(Self.short).joined(separator: ", ")): \(sentence)",
            "access   the token that Google gave just now ends in \(secondsLeft.map { "\($0 / 60) min" } ?? "-"); it is renewed "
                + "by the refresh token, which ends after 7 days while the app's consent screen is in testing",
            "client   \(client)", "file     \(path)",
        ])
    }

    var json: JSON {
        [
            "schema": 1, "account": JSON(account), "client_id": .string(client),
            "scopes": .array(scopes.map(JSON.string)), "missing_scopes": .array(missing.map(JSON.string)),
            "access_token_ends_in_seconds": secondsLeft.map { JSON($0) } ?? .null, "file": .string(path),
        ]
    }

    /// A scope's last part, by which people know it.
    static func short(_ scope: String) -> String { scope.split(separator: "/").last.map(String.init) ?? scope }
}
