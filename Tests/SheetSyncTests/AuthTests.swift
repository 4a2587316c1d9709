import Foundation
import GoogleEmulator
import HTTP
import HTTPTypes
import JSON
import JobQueue
import TestSupport
import Testing

/// A person at a browser, who is asked by the emulated Google.
private struct Visitor {
    let http: HTTPClient

    func get(_ url: String) async throws -> HTTPClient.Response {
        try await http.send(.init(method: .get, url: url, timeout: .seconds(20)))
    }

    /// Answers on the consent screen; returns where the browser is sent.
    func answer(_ url: String, _ answer: String = "allow", leavingOut scope: String? = nil) async throws -> String {
        let page = String(decoding: try await get(url).body, as: UTF8.self)
        var items = page.matches(of: /<input type="hidden" name="([^"]*)" value="([^"]*)">/).map {
            (String($0.1), String($0.2))
        }
        try #require(!items.isEmpty, "\(page)")
        items += page.matches(of: /name="granted" value="([^"]*)"/).map { ("granted", String($0.1)) }
            .filter { item in scope.map { !item.1.hasSuffix($0) } ?? true }
        items.append(("answer", answer))
        let allowed = CharacterSet.alphanumerics.union(.init(charactersIn: "-._~"))
        let body = items.map { name, value in
            let plain = value.replacing("&amp;", with: "&")
            return "\(name)=\(plain.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")"
        }.joined(separator: "&")
        let action = try #require(page.firstMatch(of: /action="([^"]*)"/)).1
        let origin = url.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
        let answer = try await http.send(
            .init(
                method: .post, url: origin + action, fields: [.contentType: "application/x-www-form-urlencoded"],
                body: Array(body.utf8), timeout: .seconds(20)))
        return try #require(
            answer.fields[.location], "\(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
    }
}

/// `sheetsync auth` with a person who answers in every way.
@Suite(.serialized) struct AuthTests {
    private struct Place {
        let emulator: GoogleEmulator
        let directory: TemporaryDirectory
        let endpoint: String
        let visitor: Visitor
        var token: String { "\(directory.path)/mine.json" }
        var client: String { "\(directory.path)/client-secret.json" }
        var program: Program { Program(environment: ["GOOGLE_API_ENDPOINT": endpoint]) }

        /// The token's file as it is; nil where there is none.
        var file: JSON? { (try? Program.text(token)).flatMap { try? JSON(parsing: $0) } }

        /// Starts a login and does what a person does with the address that it prints.
        func login(
            _ arguments: [String] = [], with program: Program? = nil, client: String? = nil,
            _ person: (String, RunningProgram) async throws -> Void
        ) async throws -> Ended {
            let given = client.map { $0.isEmpty ? [] : ["--client", $0] } ?? ["--client", self.client]
            return try await (program ?? self.program).launch(
                ["auth", "login", "--token", token, "--no-browser"] + given + arguments
            ) { program in
                var url = ""
                try await wait(for: "the address", within: .seconds(30), seeing: { program.output + program.errors }) {
                    url =
                        program.errors.split(separator: "\n").first { $0.contains("/o/oauth2/v2/auth?") }.map(
                            String.init) ?? ""
                    return !url.isEmpty && program.errors.contains("ssh -N -L ") || !program.isAlive
                }
                if !url.isEmpty { try await person(url, program) }
            }
        }

        /// A login that is allowed.
        func allow(_ arguments: [String] = []) async throws -> Ended {
            try await login(arguments) { url, _ in _ = try await visitor.get(try await visitor.answer(url)) }
        }
    }

    private func with(_ body: (Place) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let emulator = try GoogleEmulator(.init(directory: directory.path, checksAnswers: true))
        let running = Task { try await emulator.run() }
        let http = try HTTPClient(userAgent: "browser")
        let outcome: Result<Void, any Error>
        do {
            let place = Place(
                emulator: emulator, directory: directory, endpoint: try await emulator.baseURL,
                visitor: Visitor(http: http))
            outcome = .success(try await body(place))
        } catch { outcome = .failure(error) }
        await http.shutdown()
        running.cancel()
        _ = try? await running.value
        try outcome.get()
    }

    @Test func aConsentBecomesAFileThatOnlyItsOwnerReads() async throws {
        try await with { place in
            let ended = try await place.login { url, program in
                for part in ["code_challenge_method=S256", "access_type=offline", "prompt=consent", "state="] {
                    #expect(url.contains(part), "\(url)")
                }
                let port = try #require(url.firstMatch(of: /redirect_uri=http%3A%2F%2F127\.0\.0\.1%3A(\d+)%2F/)).1
                #expect(program.errors.contains("ssh -N -L \(port):127.0.0.1:\(port) "), "\(program.errors)")
                let page = try await place.visitor.get(try await place.visitor.answer(url))
                #expect(page.status == .ok && page.body.count < 200)
            }
            ended.expect(0)
            for words in ["user@example.com", "drive, spreadsheets", "7 days", place.token] {
                #expect(ended.output.contains(words), "\(ended)")
            }
            let file = try #require(place.file)
            #expect(
                file.object?.names.sorted() == [
                    "account", "client_id", "client_secret", "expiry", "refresh_token", "scopes", "token", "token_uri",
                    "universe_domain",
                ])
            #expect(file["account"] == "user@example.com" && file["scopes"]?.array?.count == 2, "\(file)")
            let mode = try FileManager.default.attributesOfItem(atPath: place.token)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            for name in ["refresh_token", "token", "client_secret"] {
                let secret = try #require(file[name]?.string)
                #expect(!(ended.output + ended.errors).contains(secret), "\(name): \(ended)")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: place.directory.path)
            #expect(!left.contains { $0.hasPrefix(".sheetsync") }, "\(left)")
            // A second login takes the file's place.
            try await place.allow().expect(0)
            #expect(place.file?["refresh_token"] != file["refresh_token"])
        }
    }

    @Test func whatIsNoAnswerEndsNothing() async throws {
        try await with { place in
            // So that there is time for a second answer.
            place.emulator.addFault(.init(.delay(.seconds(3)), api: .oauth, path: .prefix("/token")))
            let ended = try await place.login { url, program in
                let location = try await place.visitor.answer(url)
                let origin = location.prefix { $0 != "?" }
                #expect(try await place.visitor.get("\(origin)favicon.ico").status == .notFound)
                #expect(try await place.visitor.get("\(origin)?state=other&code=4%2F0x").status == .badRequest)
                let (query, state) = (location.split(separator: "?")[1], location.firstMatch(of: /state=([^&]*)/))
                #expect(try await place.visitor.get("\(origin)?error=access_denied").status == .badRequest)
                #expect(program.isAlive && place.file == nil && !query.isEmpty && state != nil)
                #expect(try await place.visitor.get(location).status == .ok)
                let again = try await place.visitor.get(location)
                #expect(again.status.code == 409, "\(again.status)")
            }
            ended.expect(0)
            #expect(place.file != nil)
            #expect(place.emulator.journal.counts["oauth.token"] == 2, "\(place.emulator.journal.counts)")
        }
    }

    @Test func aRefusalIsSaidInOneSentence() async throws {
        try await with { place in
            let ended = try await place.login { url, _ in
                let page = try await place.visitor.get(try await place.visitor.answer(url, "deny"))
                #expect(String(decoding: page.body, as: UTF8.self).contains("not allowed"))
            }
            ended.expect(1)
            #expect(
                ended.errors.contains("access was not allowed in the browser; \(place.token) is unchanged"), "\(ended)")
            #expect(place.file == nil && ended.output.isEmpty)
        }
    }

    @Test func aConsentWithoutWhatTheDaemonNeedsIsNotKept() async throws {
        try await with { place in
            let ended = try await place.login { url, _ in
                _ = try await place.visitor.get(try await place.visitor.answer(url, leavingOut: "/spreadsheets"))
            }
            ended.expect(1)
            #expect(ended.errors.contains("the consent lacks spreadsheets"), "\(ended)")
            #expect(place.file == nil)
            var change = AuthorityChange()
            change.withholdsRefreshTokens = true
            place.emulator.apply(change)
            let passing = try await place.allow()
            passing.expect(1)
            #expect(passing.errors.contains("Google gave no refresh token"), "\(passing)")
            #expect(place.file == nil)
        }
    }

    @Test func aPortThatIsTakenAndATimeThatRunsOutAreSaid() async throws {
        try await with { place in
            let taken = "\(try await place.emulator.port)"
            let busy = try await place.login(["--port", taken]) { _, _ in Issue.record("it asked") }
            busy.expectRefusal(78, "127.0.0.1:\(taken) is in use by another program", "--port")
            let late = try await place.login(["--timeout", "1s"]) { url, _ in
                let origin = try await place.visitor.answer(url).prefix { $0 != "?" }
                _ = try await place.visitor.get("\(origin)?state=old&code=x")
            }
            late.expect(1)
            #expect(
                late.errors.contains("no answer came within 1 seconds; an answer to another question came"), "\(late)")
            try await place.program("auth", "login", "--port", "0", "--client", place.client).expect(64)
        }
    }

    @Test func aFileThatIsNoUsersTokenStaysAsItIs() async throws {
        try await with { place in
            for name in ["service-account.json", "client-secret.json", "external-account.json"] {
                let path = "\(place.directory.path)/\(name)"
                let before = try Program.text(path)
                let ended = try await place.program("auth", "login", "--client", place.client, "--token", path)
                ended.expectRefusal(78, path, "stays as it is")
                #expect(try Program.text(path) == before)
                try await place.program("auth", "revoke", "--token", path).expect(78)
                #expect(try Program.text(path) == before)
            }
            try await place.program("auth", "show", "--token", "/nowhere/token.json").expect(78)
            try await place.program("auth", "login", "--client", place.client).expectRefusal(
                78, "GOOGLE_SHEETS_TOKEN_PATH")
            let without = try await place.login(client: "") { _, _ in Issue.record("it asked") }
            without.expectRefusal(78, "there is no OAuth client")
        }
    }

    @Test func theStandingOfATokenIsShownAndTakenBack() async throws {
        try await with { place in
            try await place.allow().expect(0)
            let secrets = ["refresh_token", "token", "client_secret"].compactMap { place.file?[$0]?.string }
            let shown = try await place.program("auth", "show", "--token", place.token).expect(0)
            for words in ["user@example.com", "drive, spreadsheets: all", "59 min", "7 days", place.token] {
                #expect(shown.output.contains(words), "\(shown)")
            }
            let json = try JSON(
                parsing: try await place.program("auth", "show", "--token", place.token, "--json").output)
            #expect(json["account"] == "user@example.com" && json["missing_scopes"] == [], "\(json)")
            for secret in secrets { #expect(!"\(shown) \(json)".contains(secret)) }
            // Where Google is away nothing is thrown away.
            let fault = place.emulator.addFault(.init(.error(status: 503), api: .oauth, path: .prefix("/revoke")))
            let away = try await place.program("auth", "revoke", "--token", place.token).expect(2)
            #expect(away.errors.contains("stays as it is") && place.file != nil, "\(away)")
            #expect(place.emulator.strikes(of: fault) == 1)
            let copy = "\(place.directory.path)/copy.json"
            try FileManager.default.copyItem(atPath: place.token, toPath: copy)
            let taken = try await place.program("auth", "revoke", "--token", place.token).expect(0)
            #expect(
                taken.output.contains("taken back at Google") && !FileManager.default.fileExists(atPath: place.token))
            let dead = try await place.program("auth", "show", "--token", copy).expect(1)
            #expect(dead.errors.contains("7 days"), "\(dead)")
            let again = try await place.program("auth", "revoke", "--token", copy).expect(0)
            #expect(again.output.contains("knew nothing of this consent"), "\(again)")
        }
    }

    @Test func theClientComesFromAFileOrTheEnvironment() async throws {
        try await with { place in
            let client = try JSON(parsing: Program.text(place.client))["installed"]
            let (id, secret) = (client?["client_id"]?.string ?? "", client?["client_secret"]?.string ?? "")
            let program = place.program.with(["GOOGLE_OAUTH_CLIENT_ID": id, "GOOGLE_OAUTH_CLIENT_SECRET": secret])
            try await place.login(with: program, client: "") { url, _ in
                _ = try await place.visitor.get(try await place.visitor.answer(url))
            }.expect(0)
            try await program.without("GOOGLE_OAUTH_CLIENT_SECRET")("auth", "login", "--token", place.token)
                .expectRefusal(78, "GOOGLE_OAUTH_CLIENT_SECRET")
            // SheetGPT names the client where others name a key.
            let named = place.program.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": place.client])
            try await place.login(with: named, client: "") { url, _ in
                _ = try await place.visitor.get(try await place.visitor.answer(url))
            }.expect(0)
            // A web application's addresses are those that the console knows.
            var members = client?.object ?? JSONObject()
            members["redirect_uris"] = ["https://example.com/back", "http://localhost:48765/oauth/back"]
            let web = try place.directory.write((["web": .object(members)] as JSON).description, to: "web.json")
            try await place.login(client: web) { url, _ in
                let location = try await place.visitor.answer(url)
                #expect(location.hasPrefix("http://localhost:48765/oauth/back?"), "\(location)")
                _ = try await place.visitor.get(location.replacing("localhost", with: "127.0.0.1"))
            }.expect(0)
            let other = try await place.login(["--port", "48766"], client: web) { _, _ in Issue.record("it asked") }
            other.expectRefusal(78, "web applications", "48766", "Desktop app")
        }
    }

    @Test func aBrowserIsOpenedWhereThereIsADisplay() async throws {
        try await with { place in
            let log = "\(place.directory.path)/opened"
            let script = try place.directory.write(
                "#!/bin/sh\nprintf %s \"$1\" > '\(log)'\n", to: "xdg-open", mode: 0o700)
            let path = "\(place.directory.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
            let program = place.program.with(["PATH": path, "DISPLAY": ":0"])
            #expect(FileManager.default.isExecutableFile(atPath: script))
            let ended = try await program.launch(
                ["auth", "login", "--client", place.client, "--token", place.token]
            ) { program in
                try await program.expectToSay("a browser is asked to open")
                let url = try Program.text(log)
                #expect(url.contains("/o/oauth2/v2/auth?"), "\(url)")
                _ = try await place.visitor.get(try await place.visitor.answer(url))
            }
            ended.expect(0)
        }
    }

    /// With drive.file the daemon works with what it made, and doctor says what that leaves out.
    @Test func theLeastConsentServesWhatTheDaemonMakes() async throws {
        try await Stage.with { stage in
            let http = try HTTPClient(userAgent: "browser")
            let visitor = Visitor(http: http)
            let token = "\(stage.directory.path)/least.json"
            let login = try await stage.daemon.launch([
                "auth", "login", "--client", "\(stage.directory.path)/client-secret.json", "--token", token, "--least",
                "--no-browser",
            ]) { program in
                try await program.expectToSay("ssh -N -L ")
                let url = try #require(
                    program.errors.split(separator: "\n").first { $0.contains("/o/oauth2/v2/auth?") })
                #expect(url.contains("drive.file&") && !url.contains("spreadsheets"), "\(url)")
                _ = try await visitor.get(try await visitor.answer(String(url)))
            }
            await http.shutdown()
            login.expect(0)
            #expect(login.output.contains("only what this installation makes"), "\(login)")
            var foreign = ""
            try await stage.daemon.withDaemon { _ in
                let job = try await stage.ended(try await stage.enqueue("export", export("Of another account")))
                foreign = try #require(job.result?["spreadsheet_id"]?.string)
            }
            let daemon = stage.daemon.with(["GOOGLE_SHEETS_CREDENTIALS_PATH": token])
            let doctor = try await daemon("doctor").expect(0)
            #expect(doctor.output.contains("drive.file alone") && doctor.output.contains("copy_of"), "\(doctor)")
            try await daemon.withDaemon { _ in
                var payload = export("Mine").object ?? JSONObject()
                payload["folder"] = "Reports/2026"
                let mine = try await stage.ended(try await stage.enqueue("export", .object(payload)))
                #expect(mine.state == "completed" && stage.values(mine) == [["a", "b"], [1, "x"]], "\(mine.json)")
                payload = export("").object ?? JSONObject()
                payload["title"] = nil
                payload["spreadsheet_id"] = mine.result?["spreadsheet_id"]
                let again = try await stage.ended(try await stage.enqueue("export", .object(payload)))
                #expect(again.state == "completed", "\(again.json)")
                payload["spreadsheet_id"] = .string(foreign)
                let theirs = try await stage.ended(try await stage.enqueue("export", .object(payload)))
                #expect(theirs.state == "discarded", "\(theirs.json)")
            }
        }
    }

    /// The emulator is as strict as Google, or else no test would see a wrong verifier.
    @Test func aCodeIsGoodOnceAndOnlyWithItsVerifier() async throws {
        try await with { place in
            let client = try JSON(parsing: Program.text(place.client))["installed"]
            let (id, secret) = (client?["client_id"]?.string ?? "", client?["client_secret"]?.string ?? "")
            let back = "http://127.0.0.1:1/"
            func form(_ items: [String: String]) -> [UInt8] {
                let allowed = CharacterSet.alphanumerics
                return Array(
                    items.map { "\($0.key)=\($0.value.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
                        .joined(separator: "&").utf8)
            }
            // RFC 7636, appendix B.
            let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            let question = [
                "client_id": id, "redirect_uri": back, "response_type": "code", "state": "s", "access_type": "offline",
                "scope": "https://www.googleapis.com/auth/drive", "code_challenge_method": "S256",
                "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            ]
            func ask(_ changes: [String: String] = [:]) -> String {
                let query = String(decoding: form(question.merging(changes) { $1 }), as: UTF8.self)
                return "\(place.endpoint)/o/oauth2/v2/auth?\(query)"
            }
            func exchange(_ changes: [String: String]) async throws -> HTTPClient.Response {
                let location = try await place.visitor.answer(ask())
                let code = try #require(location.firstMatch(of: /code=([^&]*)/)).1.removingPercentEncoding ?? ""
                let items = [
                    "grant_type": "authorization_code", "code": code, "client_id": id, "client_secret": secret,
                    "redirect_uri": back, "code_verifier": verifier,
                ].merging(changes) { $1 }
                return try await place.visitor.http.send(
                    .init(
                        method: .post, url: "\(place.endpoint)/token",
                        fields: [.contentType: "application/x-www-form-urlencoded"], body: form(items),
                        timeout: .seconds(20)))
            }
            #expect(try await exchange([:]).status == .ok)
            for changes in [
                ["code_verifier": verifier + "x"], ["code_verifier": ""], ["code": "4/0none"],
                ["redirect_uri": "http://127.0.0.1:2/"],
            ] { #expect(try await exchange(changes).status == .badRequest, "\(changes)") }
            #expect(try await exchange(["client_secret": "other"]).status == .unauthorized)
            for changes in [
                ["client_id": "other"], ["redirect_uri": "https://example.com/"], ["scope": "https://example.com/x"],
                ["code_challenge_method": "plain"], ["redirect_uri": "http://127.0.0.1.example.com/"],
            ] { #expect(try await place.visitor.get(ask(changes)).status.kind == .clientError, "\(changes)") }
        }
    }

    @Test(.enabled("needs Python 3, venv and the packages of PyPI") { await PythonEnvironment.shared != nil })
    func pythonReadsTheFile() async throws {
        let python = try #require(await PythonEnvironment.shared)
        try await with { place in
            try await place.allow().expect(0)
            let result = try await python.run(
                "scripts/check-python-clients", [place.endpoint, "--token", place.token])
            #expect(result.isSuccess, "\(result.output)")
            #expect(result.output.contains("ok          gspread works as the user"), "\(result.output)")
        }
    }
}
