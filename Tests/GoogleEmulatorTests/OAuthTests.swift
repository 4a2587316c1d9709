import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct OAuthTests {
    @Test func writesFilesThatOnlyTheOwnerReads() async throws {
        let directory = try TemporaryDirectory()
        try await Client.run(.init(directory: directory.path)) { client in
            #expect(client.keyFile["type"]?.string == "service_account")
            #expect(client.keyFile["token_uri"]?.string == client.baseURL + "/token")
            #expect(client.keyFile["private_key"]?.string?.hasPrefix("-----BEGIN PRIVATE KEY-----\n") == true)
            #expect(client.userFile["type"]?.string == "authorized_user")
            let token = try Client.read("\(directory.path)/token.json")
            #expect(token["refresh_token"] == client.userFile["refresh_token"])
            for name in ["service-account", "authorized-user", "token"] {
                let attributes = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/\(name).json")
                #expect(attributes[.posixPermissions] as? Int == 0o600)
            }
        }
    }

    @Test func keepsTheKeyOfADirectoryOverARestart() async throws {
        let directory = try TemporaryDirectory()
        let keep = directory
        try await Client.run(.init(directory: directory.path)) { client in
            let copy = URL(filePath: keep.path + "/copy.json")
            try Data(client.keyFile.bytes).write(to: copy)
        }
        let old = try Client.read(directory.path + "/copy.json")
        try await Client.run(.init(directory: directory.path)) { client in
            #expect(client.keyFile["private_key"] == old["private_key"])
            #expect(client.keyFile["client_email"] == old["client_email"])
            let answer = try await client.get("/drive/v3/files")
            #expect(answer.status == 200)
        }
    }

    @Test func givesATokenForAnAssertion() async throws {
        try await Client.run(authorized: false) { client in
            let answer = try await client.grant(Assertion(keyFile: client.keyFile))
            #expect(answer.status == 200)
            #expect(answer.json["access_token"]?.string?.hasPrefix("ya29.") == true)
            #expect(answer.json["expires_in"]?.int == 3599)
            #expect(answer.json["token_type"]?.string == "Bearer")
            var assertion = Assertion(keyFile: client.keyFile)
            assertion.claims["aud"] = "https://oauth2.googleapis.com/token"
            #expect(try await client.grant(assertion).status == 200)
        }
    }

    @Test func refusesAssertionsInGooglesWords() async throws {
        let stranger = try GoogleEmulator()
        let directory = try TemporaryDirectory()
        let path = directory.path
        let other = Task { try await stranger.run() }
        try await stranger.writeCredentials(to: path)
        let foreignKey = try Client.read(path + "/service-account.json")["private_key"]?.string ?? ""
        other.cancel()
        try await Client.run(.init(delegatedUsers: ["boss@example.com"]), authorized: false) { client in
            func refusal(_ change: (inout Assertion) -> Void, key: String? = nil) async throws -> (Int, String, String)
            {
                var assertion = Assertion(keyFile: client.keyFile)
                change(&assertion)
                let answer = try await client.grant(assertion, key: key)
                return (
                    answer.status, answer.json["error"]?.string ?? "", answer.json["error_description"]?.string ?? ""
                )
            }
            let now = Int(Date().timeIntervalSince1970)
            #expect(try await refusal({ _ in }, key: foreignKey) == (400, "invalid_grant", "Invalid JWT Signature."))
            #expect(
                try await refusal { $0.claims["iss"] = "nobody@example.com" }
                    == (400, "invalid_grant", "Invalid grant: account not found"))
            #expect(try await refusal { $0.claims["aud"] = "https://example.com/token" }.1 == "invalid_grant")
            #expect(
                try await refusal { $0.claims["exp"] = JSON(now + 7200) }.2.contains("short-lived token (60 minutes)"))
            #expect(
                try await refusal {
                    $0.claims["iat"] = JSON(now - 9000)
                    $0.claims["exp"] = JSON(now - 5400)
                }.2.contains("short-lived token (60 minutes)"))
            #expect(try await refusal { $0.claims["scope"] = nil }.1 == "invalid_scope")
            #expect(try await refusal { $0.claims["sub"] = "other@example.com" }.0 == 401)
            #expect(try await refusal { $0.claims["sub"] = "other@example.com" }.1 == "unauthorized_client")
            #expect(try await refusal { $0.claims["sub"] = "boss@example.com" }.0 == 200)
            #expect(try await refusal { $0.header = ["alg": "none"] }.1 == "invalid_grant")
            let json = try await client.send("POST", "/token", Array("{}".utf8), type: "application/json")
            #expect(json.json["error"]?.string == "invalid_request")
            let password = try await client.form(["grant_type": "password"])
            #expect(password.json["error"]?.string == "unsupported_grant_type")
        }
    }

    @Test func refreshesAPersonsToken() async throws {
        try await Client.run(authorized: false) { client in
            let form = [
                "grant_type": "refresh_token", "client_id": client.userFile["client_id"]?.string ?? "",
                "client_secret": client.userFile["client_secret"]?.string ?? "",
                "refresh_token": client.userFile["refresh_token"]?.string ?? "",
            ]
            let answer = try await client.form(form)
            #expect(answer.status == 200)
            #expect(answer.json["scope"]?.string?.contains("auth/drive") == true)
            var person = client
            person.token = answer.json["access_token"]?.string
            let about = try await person.get("/drive/v3/about", ["fields": "user"])
            #expect(about.json["user"]?["emailAddress"]?.string == "user@example.com")

            var wrong = form
            wrong["client_secret"] = "x"
            #expect(try await client.form(wrong).json["error"]?.string == "invalid_client")
            _ = try await client.call("POST", "/emulator/tokens", [:], ["refresh_token_dead": true])
            let dead = try await client.form(form)
            #expect(dead.status == 400)
            #expect(dead.json["error_description"]?.string == "Token has been expired or revoked.")
        }
    }

    @Test func checksTokensOnEachCall() async throws {
        try await Client.run { client in
            var other = client
            other.token = nil
            let none = try await other.get("/v4/spreadsheets/x")
            #expect(none.status == 401)
            #expect(none.json["error"]?["status"]?.string == "UNAUTHENTICATED")
            other.token = "ya29.wrong"
            let wrong = try await other.get("/drive/v3/files")
            #expect(wrong.status == 401)
            #expect(wrong.json["error"]?["errors"]?[0]?["reason"]?.string == "authError")
            #expect(wrong.headers["www-authenticate"]?.contains("invalid_token") == true)

            try await other.authorize(scope: "https://www.googleapis.com/auth/spreadsheets.readonly")
            let scope = try await other.batch("x", [])
            #expect(scope.status == 403)
            #expect(
                scope.json["error"]?["details"]?[0]?["reason"]?.string == "ACCESS_TOKEN_SCOPE_INSUFFICIENT")

            #expect(try await client.get("/drive/v3/files").status == 200)
            client.emulator.apply(with { $0.revokesTokens = true })
            #expect(try await client.get("/drive/v3/files").status == 401)
        }
    }

    @Test func tokensExpireAndAccountsAreDisabled() async throws {
        try await Client.run(.init(tokenLifetime: 1)) { client in
            try await Task.sleep(for: .milliseconds(1100))
            #expect(try await client.get("/drive/v3/files").status == 401)
            client.emulator.apply(with { $0.isServiceAccountDisabled = true })
            let answer = try await client.grant(Assertion(keyFile: client.keyFile))
            #expect(answer.json["error"]?.string == "invalid_grant")
        }
    }

    private func with(_ change: (inout AuthorityChange) -> Void) -> AuthorityChange {
        var result = AuthorityChange()
        change(&result)
        return result
    }
}
