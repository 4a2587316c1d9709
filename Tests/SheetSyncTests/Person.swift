import Foundation
import FoundationNetworking
import GoogleEmulator
import JSON
import Testing

/// Somebody with files of their own at the emulated Google, who has nothing to do with the installation.
struct Person {
    private let base: String
    private let token: String

    /// Signs in as the person whose refresh token the emulator made.
    init(_ stage: Stage) async throws {
        base = try await stage.emulator.baseURL
        let file = try JSON(
            parsing: try String(contentsOfFile: "\(stage.directory.path)/authorized-user.json", encoding: .utf8))
        var fields = ["grant_type": "refresh_token"]
        for name in ["client_id", "client_secret", "refresh_token"] { fields[name] = file[name]?.string ?? "" }
        let form = fields.map { name, value in
            "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
        }
        let answer = try await Self.post(
            base + "/token", "application/x-www-form-urlencoded", form.joined(separator: "&"), token: nil)
        token = try #require(answer["access_token"]?.string)
    }

    /// Makes a spreadsheet, or a folder, that nobody else sees.
    func make(_ kind: String = "spreadsheet") async throws -> String {
        let answer = try await call(
            "/drive/v3/files", ["name": "Theirs", "mimeType": .string("application/vnd.google-apps.\(kind)")])
        return try #require(answer["id"]?.string)
    }

    /// Shares a file with somebody.
    func share(_ id: String, with email: String, role: String) async throws {
        _ = try await call(
            "/drive/v3/files/\(id)/permissions",
            ["type": "user", "role": .string(role), "emailAddress": .string(email)])
    }

    private func call(_ path: String, _ body: JSON) async throws -> JSON {
        try await Self.post(base + path, "application/json", body.description, token: token)
    }

    private static func post(_ url: String, _ type: String, _ body: String, token: String?) async throws -> JSON {
        var request = URLRequest(url: try #require(URL(string: url)), timeoutInterval: 20)
        request.httpMethod = "POST"
        request.httpBody = Data(body.utf8)
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession.shared.data(for: request)
        let text = String(decoding: data, as: UTF8.self)
        try #require((response as? HTTPURLResponse)?.statusCode == 200, "\(text)")
        return try JSON(parsing: text)
    }
}
