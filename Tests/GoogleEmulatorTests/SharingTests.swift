import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct SharingTests {
    /// The reason that Drive gives for a refusal.
    private static func reason(_ answer: Client.Answer) -> String? {
        answer.json["error"]?["errors"]?[0]?["reason"]?.string
    }

    /// The same client as the person whose refresh token the emulator made.
    private static func person(_ client: Client) async throws -> Client {
        var person = client
        let answer = try await client.form([
            "grant_type": "refresh_token", "client_id": client.userFile["client_id"]?.string ?? "",
            "client_secret": client.userFile["client_secret"]?.string ?? "",
            "refresh_token": client.userFile["refresh_token"]?.string ?? "",
        ])
        person.token = try #require(answer.json["access_token"]?.string)
        return person
    }

    @Test func showsAFileToThoseItIsSharedWith() async throws {
        try await Client.run { client in
            let person = try await Self.person(client)
            let folder = try await client.makeFolder("Shared")
            let made = try await client.call(
                "POST", "/drive/v3/files", [:],
                ["name": "S", "mimeType": "application/vnd.google-apps.spreadsheet", "parents": [.string(folder)]])
            let id = try #require(made.json["id"]?.string)
            #expect(try await person.get("/drive/v3/files/\(id)").status == 404)
            let closed = try await person.get("/v4/spreadsheets/\(id)")
            #expect(closed.status == 403)
            #expect(closed.message == "The caller does not have permission")
            // The folder's permission holds for what lies in it.
            let given = try await client.call(
                "POST", "/drive/v3/files/\(folder)/permissions", ["sendNotificationEmail": "false"],
                ["type": "user", "role": "reader", "emailAddress": "user@example.com"])
            #expect(given.json.object?.names == ["kind", "id", "type", "role"])
            let permission = try #require(given.json["id"]?.string)
            #expect(try await person.get("/v4/spreadsheets/\(id)").status == 200)
            let rename: JSON = [
                "updateSpreadsheetProperties": ["properties": ["title": "T"], "fields": "title"]
            ]
            #expect(try await person.batch(id, [rename]).status == 403)
            let refused = try await person.call("PATCH", "/drive/v3/files/\(id)", [:], ["name": "mine"])
            #expect(Self.reason(refused) == "insufficientFilePermissions")
            let listed = try await person.get(
                "/drive/v3/files", ["q": "'\(folder)' in parents and 'user@example.com' in readers"])
            #expect(listed.json["files"]?.array?.count == 1)
            _ = try await client.call(
                "PATCH", "/drive/v3/files/\(folder)/permissions/\(permission)", [:], ["role": "writer"])
            #expect(try await person.batch(id, [rename]).status == 200)
            let deleted = try await person.call("DELETE", "/drive/v3/files/\(id)")
            #expect(deleted.status == 403)
            let gone = try await client.call("DELETE", "/drive/v3/files/\(folder)/permissions/\(permission)")
            #expect(gone.status == 204)
            #expect(try await person.get("/drive/v3/files/\(id)").status == 404)
        }
    }

    @Test func refusesSharingThatGoogleRefuses() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet()
            func share(_ body: JSON, _ query: [String: String] = [:]) async throws -> Client.Answer {
                try await client.call("POST", "/drive/v3/files/\(id)/permissions", query, body)
            }
            let transfer = try await share(["type": "user", "role": "owner", "emailAddress": "a@example.com"])
            #expect(transfer.status == 403)
            #expect(transfer.message?.hasPrefix("The transferOwnership parameter must be enabled") == true)
            let nameless = try await share(["type": "user", "role": "reader"])
            #expect(nameless.json["error"]?["errors"]?[0]?["location"]?.string == "permission.emailAddress")
            let organizer = try await share(["type": "user", "role": "organizer", "emailAddress": "a@example.com"])
            #expect(Self.reason(organizer) == "organizerOnNonTeamDriveItemNotSupported")
            let mail = try await share(["type": "anyone", "role": "reader"], ["sendNotificationEmail": "true"])
            #expect(mail.status == 400)
            let silent = try await share(
                ["type": "user", "role": "owner", "emailAddress": "a@example.com"],
                ["transferOwnership": "true", "sendNotificationEmail": "false"])
            #expect(silent.status == 400)
            // gspread sends a field of the second version.
            let anyone = try await share(["type": "anyone", "role": "reader", "withLink": false])
            #expect(anyone.json["id"]?.string == "anyoneWithLink")
            let file = try await client.get("/drive/v3/files/\(id)", ["fields": "shared,permissions(id,role)"])
            #expect(file.json["shared"] == true)
            #expect(file.json["permissions"]?.array?.count == 2)
            let unknown = try await client.get("/drive/v3/files/\(id)/permissions/123")
            #expect(unknown.message == "Permission not found: 123.")
        }
    }

    @Test func makesSharedDrivesOncePerRequest() async throws {
        try await Client.run { client in
            let made = try await client.call("POST", "/drive/v3/drives", ["requestId": "r1"], ["name": "Team"])
            let id = try #require(made.json["id"]?.string, "\(made.text)")
            #expect(made.json.object?.names == ["kind", "id", "name"])
            let again = try await client.call("POST", "/drive/v3/drives", ["requestId": "r1"], ["name": "Team"])
            #expect(again.status == 409)
            let listed = try await client.get("/drive/v3/drives", ["q": "name contains 'tea'"])
            #expect(listed.json["drives"]?[0]?["id"]?.string == id)
            let folder = try await client.makeFolder("inside", in: id)
            let person = try await Self.person(client)
            #expect(try await person.get("/drive/v3/drives/\(id)").status == 404)
            #expect(try await person.get("/drive/v3/drives").json["drives"] == [])
            _ = try await client.call(
                "POST", "/drive/v3/files/\(id)/permissions", ["supportsAllDrives": "true"],
                ["type": "user", "role": "writer", "emailAddress": "user@example.com"])
            let file = try await person.get(
                "/drive/v3/files/\(folder)", ["supportsAllDrives": "true", "fields": "driveId"])
            #expect(file.json == ["driveId": .string(id)])
            #expect(try await client.call("DELETE", "/drive/v3/drives/\(id)").status == 403)
            _ = try await client.call("DELETE", "/drive/v3/files/\(folder)", ["supportsAllDrives": "true"])
            #expect(try await client.call("DELETE", "/drive/v3/drives/\(id)").status == 204)
        }
    }

    @Test func emptiesTheTrash() async throws {
        try await Client.run { client in
            let folder = try await client.makeFolder("old")
            let inner = try await client.makeFolder("inner", in: folder)
            let kept = try await client.makeFolder("kept")
            _ = try await client.call("PATCH", "/drive/v3/files/\(folder)", [:], ["trashed": true])
            let trashed = try await client.get("/drive/v3/files", ["q": "trashed = true"])
            #expect(trashed.json["files"]?.array?.count == 2)
            #expect(try await client.call("DELETE", "/drive/v3/files/trash").status == 204)
            #expect(try await client.get("/drive/v3/files/\(inner)").status == 404)
            #expect(try await client.get("/drive/v3/files/\(kept)").status == 200)
        }
    }

    @Test func listsNewFilesLateWhenTold() async throws {
        try await Client.run { client in
            let control = try await client.call(
                "POST", "/emulator/visibility", [:], ["search": "name", "lists": 2])
            #expect(control.status == 200)
            let folder = try await client.makeFolder("late")
            func count(_ query: String) async throws -> Int? {
                try await client.get("/drive/v3/files", ["q": query]).json["files"]?.array?.count
            }
            #expect(try await count("name = 'late'") == 0)
            #expect(try await count("'root' in parents") == 1)
            #expect(try await count("name = 'late'") == 0)
            #expect(try await count("name = 'late'") == 1)
            #expect(try await client.get("/drive/v3/files/\(folder)").status == 200)
            let wrong = try await client.call("POST", "/emulator/visibility", [:], ["search": "colour"])
            #expect(wrong.status == 400)
        }
    }
}
