import Foundation
import FoundationNetworking
import GoogleEmulator
import JSON
import Testing

/// A running emulator and a client with a token for it.
struct Client: Sendable {
    let emulator: GoogleEmulator
    let baseURL: String
    let keyFile: JSON
    let userFile: JSON
    var token: String?
    private var session = Self.makeSession()

    /// An answer.
    struct Answer {
        let status: Int
        let headers: [String: String]
        let bytes: [UInt8]

        var text: String { String(decoding: bytes, as: UTF8.self) }
        var json: JSON { (try? JSON(parsing: bytes)) ?? .null }
        /// The message of a Google error.
        var message: String? { json["error"]?["message"]?.string }
    }

    /// Runs a test against a fresh emulator, and stops it.
    static func run(
        _ configuration: GoogleEmulator.Configuration = .init(), authorized: Bool = true,
        _ test: @escaping @Sendable (Client) async throws -> Void
    ) async throws {
        var configuration = configuration
        configuration.checksAnswers = true
        let directory = try TemporaryDirectory()
        if configuration.directory == nil {
            configuration.directory = directory.path
            try await KeyFile.shared.copy(into: directory)
        }
        let emulator = try GoogleEmulator(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await emulator.run() }
            var client = try await Client(emulator, directory: configuration.directory ?? "")
            if authorized { try await client.authorize() }
            let ready = client
            group.addTask {
                try await test(ready)
            }
            // The server runs until it is cancelled; the test is what ends.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// A client without a token, for an emulator that somebody else runs.
    init(_ emulator: GoogleEmulator) async throws {
        self.emulator = emulator
        baseURL = try await emulator.baseURL
        keyFile = .null
        userFile = .null
    }

    private init(_ emulator: GoogleEmulator, directory: String) async throws {
        self.emulator = emulator
        baseURL = try await emulator.baseURL
        keyFile = try Self.read("\(directory)/service-account.json")
        userFile = try Self.read("\(directory)/authorized-user.json")
    }

    private static func makeSession() -> URLSession {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 20
        return URLSession(configuration: configuration)
    }

    /// The same client with no connection open yet; on one that ends while in use, libcurl would send the request again.
    var reconnected: Client {
        var client = self
        client.session = Self.makeSession()
        return client
    }

    /// The folder of the recorded calls, where there is one.
    static var recordings: String? { ProcessInfo.processInfo.environment["SHEETSYNC_RECORDINGS"] }

    static func read(_ path: String) throws -> JSON {
        try JSON(parsing: Array(try Data(contentsOf: URL(filePath: path))))
    }

    /// Gets a token by an assertion.
    mutating func authorize(scope: String? = nil) async throws {
        let assertion = scope.map { Assertion(keyFile: keyFile, scope: $0) } ?? Assertion(keyFile: keyFile)
        let answer = try await grant(assertion)
        token = try #require(answer.json["access_token"]?.string, "\(answer.text)")
    }

    func grant(_ assertion: Assertion, key: String? = nil) async throws -> Answer {
        let text = try assertion.signed(with: key ?? keyFile["private_key"]?.string ?? "")
        return try await form([
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": text,
        ])
    }

    func form(_ fields: [String: String]) async throws -> Answer {
        let body = fields.map { "\($0.key)=\(Self.encode($0.value))" }.joined(separator: "&")
        return try await send("POST", "/token", Array(body.utf8), type: "application/x-www-form-urlencoded")
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    func get(_ path: String, _ query: [String: String] = [:]) async throws -> Answer {
        try await send("GET", path + Self.query(query))
    }

    func call(_ verb: String, _ path: String, _ query: [String: String] = [:], _ body: JSON? = nil) async throws
        -> Answer
    {
        try await send(verb, path + Self.query(query), body?.bytes ?? [], type: body == nil ? nil : "application/json")
    }

    /// Sends a batch to a spreadsheet.
    func batch(_ id: String, _ requests: [JSON]) async throws -> Answer {
        try await call("POST", "/v4/spreadsheets/\(id):batchUpdate", [:], ["requests": .array(requests)])
    }

    /// Makes a spreadsheet and gives its id.
    func makeSpreadsheet(_ name: String = "Test") async throws -> String {
        let answer = try await call(
            "POST", "/drive/v3/files", [:],
            ["name": .string(name), "mimeType": "application/vnd.google-apps.spreadsheet"])
        return try #require(answer.json["id"]?.string, "\(answer.text)")
    }

    /// Makes a folder and gives its id.
    func makeFolder(_ name: String, in parent: String? = nil) async throws -> String {
        var body: JSONObject = JSONObject()
        body["name"] = .string(name)
        body["mimeType"] = "application/vnd.google-apps.folder"
        if let parent { body["parents"] = [.string(parent)] }
        let answer = try await call("POST", "/drive/v3/files", ["supportsAllDrives": "true"], .object(body))
        return try #require(answer.json["id"]?.string, "\(answer.text)")
    }

    private static func query(_ query: [String: String]) -> String {
        query.isEmpty ? "" : "?" + query.map { "\($0.key)=\(encode($0.value))" }.joined(separator: "&")
    }

    func send(
        _ verb: String, _ target: String, _ body: [UInt8] = [], type: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: baseURL + target)))
        request.httpMethod = verb
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        if !body.isEmpty { request.httpBody = Data(body) }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        var received: [String: String] = [:]
        for (name, value) in http.allHeaderFields { received["\(name)".lowercased()] = "\(value)" }
        return Answer(status: http.statusCode, headers: received, bytes: Array(data))
    }
}

/// A directory that goes when its owner does.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "emulator-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A key that most tests share, because making one takes long.
actor KeyFile {
    static let shared = KeyFile()

    private var making: Task<Data, any Error>?

    func copy(into directory: TemporaryDirectory) async throws {
        let making = self.making ?? Task { try await Self.make() }
        self.making = making
        try await making.value.write(to: URL(filePath: directory.path + "/service-account.json"))
    }

    private static func make() async throws -> Data {
        let directory = try TemporaryDirectory()
        let emulator = try GoogleEmulator()
        let running = Task { try await emulator.run() }
        defer { running.cancel() }
        try await emulator.writeCredentials(to: directory.path)
        return try Data(contentsOf: URL(filePath: directory.path + "/service-account.json"))
    }
}
