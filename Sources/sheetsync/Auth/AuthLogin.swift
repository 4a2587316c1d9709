import FoundationEssentials
import Google
import HTTP
import Output

/// Asks a person for access in a browser, and keeps what Google gives.
struct AuthLogin {
    let client: OAuthClient
    let file: TokenFile
    let scopes: [String]
    /// The port that the browser is sent to; nil for any.
    let port: Int?
    let opensBrowser: Bool
    let timeout: Duration
    let settings: AuthSettings

    func run() async throws {
        // Before anybody is asked anything.
        do throws(CredentialsError) { try file.requireReplaceable() } catch {
            throw CommandFailure(status: .settings, message: "\(error)")
        }
        let place = try redirectPlace()
        let receiver = ConsentReceiver()
        try await LoopbackPages.serve(port: place.port) {
            receiver.page($0)
        } while: { port in
            let consent = Consent(client: client, scopes: scopes, redirectURI: place.uri(port))
            receiver.expect(consent)
            await ask(consent, port)
            guard let answer = await receiver.wait(atMost: timeout) else { throw noAnswer(receiver) }
            try await keep(try grant(for: answer, of: consent))
        }
    }

    /// Where on this machine the browser is sent, as far as the client leaves a choice.
    private func redirectPlace() throws -> (port: Int, uri: @Sendable (Int) -> String) {
        guard client.kind == .web else { return (port ?? 0, { "http://127.0.0.1:\($0)/" }) }
        // The console's list has to hold it, letter by letter.
        for uri in client.redirectURIs {
            let parts = uri.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count >= 3, parts[0] == "http:", parts[1].isEmpty else { continue }
            let authority = parts[2].split(separator: ":")
            guard ["127.0.0.1", "localhost"].contains(authority.first), authority.count <= 2,
                let number = authority.count == 2 ? Int(authority[1]) : 80, port ?? number == number
            else { continue }
            return (number, { _ in uri })
        }
        let number = port ?? 8765
        throw CommandFailure(
            status: .settings,
            message: "the OAuth client is one for web applications and knows no address of this machine"
                + "\(port.map { " with port \($0)" } ?? ""): make one of the type Desktop app, or add "
                + "http://127.0.0.1:\(number)/ to its authorised redirect URIs in the console and download its JSON again"
        )
    }

    private func ask(_ consent: Consent, _ port: Int) async {
        let browser = Browser(environment: ProcessInfo.processInfo.environment)
        if opensBrowser, await browser.open(consent.url) {
            Console.error("a browser is asked to open this address; answer there:")
            return Console.error(consent.url)
        }
        Console.error("open this address in a browser on this machine:")
        Console.error(consent.url)
        Console.error("where the browser is on another machine, run this there first, and leave it running meanwhile:")
        Console.error(browser.forwarding(of: port))
    }

    private func noAnswer(_ receiver: ConsentReceiver) -> CommandFailure {
        let foreign =
            receiver.hadForeignAnswer
            ? "; an answer to another question came and was not taken, perhaps of a page from an earlier login" : ""
        return CommandFailure(
            status: .degraded,
            message:
                "no answer came within \(Int(timeout / .seconds(1))) seconds\(foreign); \(file.path) is unchanged: run it again, "
                + "and answer in the browser")
    }

    private func grant(for answer: Consent.Answer, of consent: Consent) async throws -> UserGrant {
        switch answer {
        case .allowed(let code):
            return try await settings.calling { http throws(GoogleError) in
                try await consent.grant(for: code, http: http)
            } failing: {
                "\(file.path) is unchanged, because Google gives no token: \($0)"
            }
        case .refused("access_denied"):
            throw CommandFailure(
                status: .degraded, message: "access was not allowed in the browser; \(file.path) is unchanged")
        case .refused(let error):
            throw CommandFailure(
                status: .degraded,
                message:
                    "Google did not let the person allow it (\(error)); \(file.path) is unchanged: look at the app's "
                    + "consent screen in the console")
        case .foreign, .other: preconditionFailure("only an answer to the question ends the wait")
        }
    }

    private func keep(_ grant: UserGrant) async throws {
        guard grant.isLasting else {
            throw CommandFailure(
                status: .degraded,
                message:
                    "Google gave no refresh token, so the access would end within the hour; \(file.path) is unchanged: "
                    + "remove this app's access at myaccount.google.com/permissions, and run it again")
        }
        guard grant.missingScopes.isEmpty else {
            let names = grant.missingScopes.map(AuthStanding.short).joined(separator: " and ")
            throw CommandFailure(
                status: .degraded,
                message:
                    "the consent lacks \(names), without which jobs fail; \(file.path) is unchanged: run it again and "
                    + "leave every box ticked, or ask for less by --least")
        }
        let credentials = try grant.credentials()
        let http = try settings.httpClient()
        let account: Result<String?, GoogleError>
        do throws(GoogleError) {
            account = .success(
                try await Person.address(Person.tokens(credentials, http), http, endpoint: settings.endpoint))
        } catch { account = .failure(error) }
        await http.shutdown()
        let address = (try? account.get()) ?? nil
        do throws(CredentialsError) { try file.store(grant.file(account: address)) } catch {
            throw CommandFailure(status: .degraded, message: "\(error); the consent stands, so run it again")
        }
        say(account, grant)
    }

    private func say(_ account: Result<String?, GoogleError>, _ grant: UserGrant) {
        let whose: String
        switch account {
        case .success(let address?): whose = "the account of \(address)"
        case .success(nil): whose = "an account whose address Google does not say"
        case .failure(let error):
            whose = "an account whose address could not be asked for"
            Console.error("Drive does not answer with this token: \(error)")
        }
        Console.print("\(file.path) holds a token for \(whose)")
        Console.print("it allows \(grant.scopes.map(AuthStanding.short).joined(separator: ", "))")
        Console.print(
            "while the app's consent screen is in testing, the token ends after 7 days: publish the app in the console under "
                + "APIs & Services > OAuth consent screen")
        if grant.scopes.contains(where: UserScopes.least.contains), scopes == UserScopes.least {
            Console.print(
                "with drive.file alone jobs reach only what this installation makes; `sheetsync doctor` says what that leaves out"
            )
        }
        Console.print(
            "put it at /etc/sheetsync/google-sheets-credentials where the package is installed, else name it in "
                + "GOOGLE_SHEETS_CREDENTIALS_PATH, or beside the client in GOOGLE_SHEETS_TOKEN_PATH")
    }
}
