import Foundation
import JSON
import Testing

@testable import Google

@Suite struct CredentialsTests {
    private func key(_ changes: [String: JSON] = [:], without names: [String] = []) -> String {
        var object: JSONObject = JSONObject([
            .init(name: "type", value: "service_account"),
            .init(name: "client_email", value: "robot@project.iam.gserviceaccount.com"),
            .init(name: "private_key_id", value: "key-7"),
            .init(name: "private_key", value: .string(TestKey.rsa.pkcs8)),
            .init(name: "token_uri", value: "https://oauth2.googleapis.com/token"),
        ])
        for (name, value) in changes { object[name] = value }
        for name in names { object[name] = JSON?.none }
        return JSON.object(object).description
    }

    private func account(_ text: String) throws -> ServiceAccount {
        guard case .serviceAccount(let account) = try Credentials(parsing: text, from: "key.json").kind else {
            throw CredentialsError(.unsupportedType, "test", "not a service account")
        }
        return account
    }

    @Test func readsEverySpellingOfAKey() throws {
        let pkcs8 = TestKey.rsa.pkcs8
        let spellings = [
            pkcs8, TestKey.rsa.pkcs1, pkcs8.replacingOccurrences(of: "\n", with: "\\n"),
            pkcs8.replacingOccurrences(of: "\n", with: "\r\n"), pkcs8.trimmingCharacters(in: .newlines),
            pkcs8.replacingOccurrences(of: "\n", with: "\\r\\n"), "\n" + pkcs8 + "\n",
        ]
        for spelling in spellings {
            let account = try account(key(["private_key": .string(spelling)]))
            let message = Array("message".utf8)
            #expect(TestKey.rsa.verifies(try account.key.signature(of: message), of: message))
            #expect(!TestKey.otherRSA.verifies(try account.key.signature(of: message), of: message))
        }
    }

    @Test func aServiceAccountHasWhatTheFileSays() throws {
        let account = try account(key())
        #expect(account.email == "robot@project.iam.gserviceaccount.com")
        #expect(account.keyID == "key-7")
        #expect(account.tokenURI == "https://oauth2.googleapis.com/token")
        #expect(try self.account(key(without: ["token_uri", "private_key_id"])).keyID == nil)
        let delegated = try Credentials(parsing: key(), from: "key.json", subject: "ann@example.org")
        #expect(delegated.identity == "robot@project.iam.gserviceaccount.com for ann@example.org")
    }

    @Test func eachBrokenFormIsOneSentenceWithoutContent() throws {
        let pem = TestKey.rsa.pkcs8
        let cases: [(String, CredentialsError.Code, String)] = [
            ("", .notJSON, "not valid JSON"),
            ("not JSON but SECRET", .notJSON, "not valid JSON"),
            ("[\"SECRET\"]", .notJSON, "an array"),
            ("{\"type\":\"service_account\",\"private_key\":\"SECRET", .notJSON, "not valid JSON"),
            ("{}", .unsupportedType, "none of"),
            ("{\"type\":\"external_account_authorized_user\"}", .unsupportedType, "external_account"),
            (key(without: ["client_email"]), .missingField, "\"client_email\" is missing"),
            (key(["client_email": ""]), .missingField, "\"client_email\" is empty"),
            (key(without: ["private_key"]), .missingField, "\"private_key\" is missing"),
            (key(["private_key": ["SECRET"]]), .missingField, "\"private_key\" is an array"),
            (key(["private_key": "SECRET"]), .badKey, "not a PEM"),
            (key(["private_key": .string(String(pem.prefix(900)))]), .badKey, "cut off"),
            (
                key(["private_key": .string(pem.prefix(900) + "\n-----END PRIVATE KEY-----\n")]), .badKey,
                "damaged or cut off"
            ),
            (key(["private_key": .string(TestKey.ellipticCurve.pkcs8)]), .badKey, "not an RSA key"),
            (key(["private_key": .string(TestKey.ellipticCurve.pkcs1)]), .badKey, "not an RSA key"),
            (key(["private_key": .string(TestKey.rsa.encrypted)]), .badKey, "encrypted"),
            ("{\"type\":\"authorized_user\",\"client_id\":\"a\"}", .missingField, "\"client_secret\" is missing"),
            (
                "{\"installed\":{\"client_id\":\"a\",\"client_secret\":\"SECRET\"}}", .missingToken,
                "GOOGLE_SHEETS_TOKEN_PATH"
            ),
            ("{\"web\":7}", .missingField, "\"web\" is a whole number"),
        ]
        for (text, code, words) in cases {
            let error = #expect(throws: CredentialsError.self) { try Credentials(parsing: text, from: "key.json") }
            #expect(error?.code == code)
            let sentence = try #require(error).description
            #expect(sentence.hasPrefix("key.json: "))
            #expect(sentence.contains(words), "\(sentence)")
            #expect(!sentence.contains("SECRET"))
            #expect(!sentence.contains(pem.split(separator: "\n")[3]))
        }
    }

    @Test func aClientAndATokenMakeAUser() throws {
        let client = #"{"installed":{"client_id":"a","client_secret":"b","token_uri":"https://example.org/token"}}"#
        let token = #"{"token":"old","refresh_token":"r","client_id":"a","scopes":["x"]}"#
        guard case .authorizedUser(let user) = try Credentials(parsing: client, from: "c", token: (token, "t")).kind
        else {
            Issue.record("not a user")
            return
        }
        #expect(user.clientID == "a")
        #expect(user.refreshToken == Secret("r"))
        #expect(user.tokenURI == "https://example.org/token")
        let other = token.replacingOccurrences(of: "\"a\"", with: "\"z\"")
        let error = #expect(throws: CredentialsError.self) {
            try Credentials(parsing: client, from: "c", token: (other, "t"))
        }
        #expect(error?.code == .otherClient)
        #expect(throws: CredentialsError.self) { try Credentials(parsing: client, from: "c", token: ("{}", "t")) }
    }

    @Test func aTokenFileAloneMakesAUser() throws {
        let token = #"{"refresh_token":"r","client_id":"a","client_secret":"b"}"#
        guard case .authorizedUser(let user) = try Credentials(parsing: token, from: "t").kind else {
            Issue.record("not a user")
            return
        }
        #expect(user.tokenURI == "https://oauth2.googleapis.com/token")
        let error = #expect(throws: CredentialsError.self) { try Credentials(parsing: token, from: "t", subject: "x") }
        #expect(error?.code == .subjectNotSupported)
    }

    @Test func secretsDoNotShow() throws {
        let user = try Credentials(
            parsing: #"{"refresh_token":"SECRET1","client_id":"a","client_secret":"SECRET2"}"#, from: "t")
        var dumped = "\(user) \(String(reflecting: user))"
        dump(user, to: &dumped)
        #expect(!dumped.contains("SECRET"))
        let token = AccessToken(Secret("SECRET3"), from: .now, lifetime: .seconds(1))
        dump(token, to: &dumped)
        #expect(!(dumped + "\(token)").contains("SECRET"))
    }
}
