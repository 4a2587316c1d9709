import Arithmetic
import Foundation
import HTTP
import JSON
import Logging
import ScriptedHTTP
import Synchronization

@testable import Google

/// A token endpoint and APIs that answer as a test says, and remember what they were asked.
final class FakeGoogle: Sendable {
    struct Answer: Sendable {
        var status = 200
        var fields: [String: String] = [:]
        var body: String
        /// Send nothing more than these bytes of the answer's body and break off.
        var cutAt: Int?
        var delay: TimeInterval = 0
    }

    typealias Script = @Sendable (_ number: Int, _ request: ScriptedServer.Request) -> Answer

    private final class Record: Sendable {
        private let state = Mutex((token: [ScriptedServer.Request](), api: [ScriptedServer.Request]()))

        var token: [ScriptedServer.Request] { state.withLock(\.token) }
        var api: [ScriptedServer.Request] { state.withLock(\.api) }

        /// Remembers a request and tells how many came before it.
        func add(token request: ScriptedServer.Request) -> Int {
            state.withLock { state in
                state.token.append(request)
                return state.token.count - 1
            }
        }

        func add(api request: ScriptedServer.Request) -> Int {
            state.withLock { state in
                state.api.append(request)
                return state.api.count - 1
            }
        }
    }

    let server: ScriptedServer
    private let record: Record

    /// Starts to serve; both scripts are told how many requests came before, from 0.
    init(
        token: @escaping Script = { number, _ in .token("token-\(number)") },
        api: @escaping Script = { _, _ in Answer(body: "{}") }
    ) throws {
        let record = Record()
        self.record = record
        server = try ScriptedServer { connection in
            while true {
                let request = try connection.readRequest()
                let isToken = request.line.hasPrefix("POST /token ")
                let number = isToken ? record.add(token: request) : record.add(api: request)
                let answer = (isToken ? token : api)(number, request)
                if answer.delay > 0 { Thread.sleep(forTimeInterval: answer.delay) }
                if let cut = answer.cutAt {
                    connection.send(
                        "HTTP/1.1 \(answer.status) Cut\r\nContent-Length: \(answer.body.utf8.count)\r\n\r\n")
                    return connection.send(String(answer.body.prefix(cut)))
                }
                connection.answer(answer.status, answer.fields, body: answer.body)
            }
        }
    }

    var tokenURI: String { "\(server.url)/token" }
    var tokenRequests: [ScriptedServer.Request] { record.token }
    var apiRequests: [ScriptedServer.Request] { record.api }

    /// Credentials of a service account that has the tests' key.
    func serviceAccount(subject: String? = nil) throws -> Credentials {
        let text: JSON = [
            "type": "service_account", "client_email": "robot@project.iam.gserviceaccount.com",
            "private_key": .string(TestKey.rsa.pkcs8), "private_key_id": "key-7", "token_uri": .string(tokenURI),
        ]
        return try Credentials(parsing: text.description, from: "test", subject: subject)
    }

    /// Credentials of a user.
    func user(refreshToken: String = "refresh-1") throws -> Credentials {
        let text: JSON = [
            "type": "authorized_user", "client_id": "client", "client_secret": "hush",
            "refresh_token": .string(refreshToken), "token_uri": .string(tokenURI),
        ]
        return try Credentials(parsing: text.description, from: "test")
    }

    /// A token source with short waits.
    func tokens(
        _ credentials: Credentials? = nil, http: HTTPClient, clocks: Clocks = Clocks(),
        onRotation: @escaping @Sendable (Secret) -> Void = { _ in }
    ) throws -> TokenSource {
        let credentials = try credentials ?? serviceAccount()
        return TokenSource(
            http: http, logger: .silent, backoff: .short, clocks: clocks, onRotation: onRotation,
            load: { () throws(CredentialsError) in credentials })
    }

    /// A client of the APIs.
    func api() throws -> APIClient {
        let http = try HTTPClient(userAgent: "sheetsync/test (gzip)")
        return APIClient(http: http, tokens: try tokens(http: http), endpoint: server.url + "/")
    }
}

extension FakeGoogle.Answer {
    /// A token as Google grants it.
    static func token(_ token: String, expiresIn: Int = 3599, more: String = "") -> Self {
        Self(body: #"{"access_token":"\#(token)","expires_in":\#(expiresIn),"token_type":"Bearer"\#(more)}"#)
    }

    /// A refusal of the token endpoint.
    static func oauth(_ error: String, _ description: String, status: Int = 400) -> Self {
        Self(status: status, body: #"{"error":"\#(error)","error_description":"\#(description)"}"#)
    }

    /// An error of Sheets.
    static func error(_ code: Int, _ status: String, _ message: String) -> Self {
        Self(status: code, body: #"{"error":{"code":\#(code),"message":"\#(message)","status":"\#(status)"}}"#)
    }

    /// An error of Drive.
    static func driveError(_ code: Int, _ reason: String, _ message: String) -> Self {
        Self(
            status: code,
            body:
                #"{"error":{"errors":[{"domain":"global","reason":"\#(reason)","message":"\#(message)"}],"code":\#(code),"message":"\#(message)"}}"#
        )
    }
}

extension ScriptedServer.Request {
    /// The query's or the form's values by name, decoded.
    private func decode(_ form: some StringProtocol) -> [String: String] {
        var values: [String: String] = [:]
        for item in form.split(separator: "&") {
            let parts = item.split(separator: "=", maxSplits: 1)
            values[String(parts[0]).removingPercentEncoding ?? ""] =
                parts.count > 1 ? String(parts[1]).removingPercentEncoding : ""
        }
        return values
    }

    var method: String { String(line.split(separator: " ")[0]) }
    var path: String { String(line.split(separator: " ")[1].prefix { $0 != "?" }) }
    var query: [String: String] { decode(line.split(separator: " ")[1].drop { $0 != "?" }.dropFirst()) }
    var form: [String: String] { decode(String(decoding: body, as: UTF8.self)) }
    var json: JSON? { try? JSON(parsing: body) }
}

extension Backoff {
    /// Waits that a test does not notice.
    static let short = Backoff(base: .milliseconds(1), ceiling: .milliseconds(5))
}

extension Logger {
    /// A logger that says nothing.
    static let silent = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
}
