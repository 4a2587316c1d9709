import ArgumentParser
import FoundationEssentials
import Google
import HTTP
import JSON
import Output

struct AuthCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "auth",
        abstract: "Let a person allow the daemon to work in their Google account, and take it back.",
        subcommands: [Login.self, Show.self, Revoke.self])

    struct Login: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask a person for access in a browser, and write the token into a file.",
            discussion: """
                The OAuth client is that of --client, of GOOGLE_OAUTH_CLIENT_ID and GOOGLE_OAUTH_CLIENT_SECRET, or of \
                GOOGLE_SHEETS_CREDENTIALS_PATH. The file has the form that google-auth, gspread and \
                GOOGLE_SHEETS_TOKEN_PATH read.
                Exit codes: 0 the token is there, 1 it is not, 2 Google cannot be reached, 78 wrong settings, client or port.
                """)

        @Option(help: ArgumentHelp("The JSON of an OAuth client, of the type Desktop app.", valueName: "file"))
        var client: String?

        @Option(help: ArgumentHelp("Where the token is written (GOOGLE_SHEETS_TOKEN_PATH).", valueName: "file"))
        var token: String?

        @Option(help: "The port on 127.0.0.1 that the browser is sent to; any that is free by default.")
        var port: Int?

        @Flag(help: "Ask for drive.file alone: files that the daemon makes, and none that people made.")
        var least = false

        @Flag(help: "Open no browser; print the address.")
        var noBrowser = false

        @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "time"))
        var timeout = TimeSpan(seconds: 600)

        func validate() throws {
            guard port.map({ (1...65_535).contains($0) }) ?? true else {
                throw ValidationError("--port is a number from 1 to 65535")
            }
        }

        func run() async throws {
            try await ending {
                let settings = try AuthSettings(try await SettingsReader())
                try await AuthLogin(
                    client: try settings.client(client), file: TokenFile(path: try settings.tokenPath(token)),
                    scopes: least ? UserScopes.least : UserScopes.all, port: port, opensBrowser: !noBrowser,
                    timeout: .seconds(timeout.seconds), settings: settings
                ).run()
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whose the token is, what it allows and how long; never the token itself.",
            discussion: "Exit codes: 0 Google takes it, 1 it does not, 2 Google cannot be reached, 78 there is none.")

        @Option(help: ArgumentHelp("The token's file (GOOGLE_SHEETS_TOKEN_PATH).", valueName: "file"))
        var token: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await ending {
                let settings = try AuthSettings(try await SettingsReader())
                let path = try settings.tokenPath(token)
                let standing = try await AuthStanding.read(path, settings)
                if json { Console.print(standing.json.description) } else { standing.show() }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take the consent back at Google, and remove the token's file.",
            discussion: """
                Google then takes none of the tokens that the person has allowed the same OAuth client.
                Exit codes: 0 done, 1 Google refused, 2 Google cannot be reached, 78 there is no token.
                """)

        @Option(help: ArgumentHelp("The token's file (GOOGLE_SHEETS_TOKEN_PATH).", valueName: "file"))
        var token: String?

        func run() async throws {
            try await ending {
                let settings = try AuthSettings(try await SettingsReader())
                let path = try settings.tokenPath(token)
                let consent: StoredConsent
                do throws(CredentialsError) { consent = try StoredConsent(path: path) } catch {
                    throw CommandFailure(status: .settings, message: "\(error)")
                }
                let wasKnown = try await settings.calling { http throws(GoogleError) in
                    try await consent.revoke(http: http)
                } failing: {
                    "\(path) stays as it is, because the consent could not be taken back: \($0)"
                }
                do throws(CredentialsError) { try TokenFile(path: path).remove() } catch {
                    throw CommandFailure(
                        status: .degraded, message: "Google takes the token no more, but its file stays: \(error)")
                }
                Console.print(
                    wasKnown
                        ? "the consent is taken back at Google, and \(path) is removed"
                        : "Google knew nothing of this consent any more; \(path) is removed")
            }
        }
    }
}

extension AuthSettings {
    /// Does something with a client that is closed behind it; what Google says against it becomes a failure of the command.
    func calling<Result: Sendable>(
        _ body: (HTTPClient) async throws(GoogleError) -> Result, failing words: (GoogleError) -> String
    ) async throws -> Result {
        let http = try httpClient()
        let outcome: Swift.Result<Result, GoogleError>
        do throws(GoogleError) { outcome = .success(try await body(http)) } catch { outcome = .failure(error) }
        await http.shutdown()
        do { return try outcome.get() } catch {
            let isAway = error.code.isFaultOfService
            throw CommandFailure(status: isAway ? .down : .degraded, message: words(error))
        }
    }
}
