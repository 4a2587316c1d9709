import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct DriveTests {
    private static let folder = "application/vnd.google-apps.folder"

    @Test func createsWithTheUsualFieldsOrThoseAskedFor() async throws {
        try await Client.run { client in
            let answer = try await client.call(
                "POST", "/drive/v3/files", [:],
                ["name": "Sales", "mimeType": "application/vnd.google-apps.spreadsheet", "appProperties": ["job": "7"]])
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "application/json; charset=UTF-8")
            #expect(answer.headers["date"]?.hasSuffix("GMT") == true)
            #expect(answer.json.object?.names == ["kind", "id", "name", "mimeType"])
            let id = answer.json["id"]?.string ?? ""
            #expect(id.count == 44)
            let file = try await client.get(
                "/drive/v3/files/\(id)", ["fields": "id,appProperties/job,webViewLink,parents"])
            #expect(
                file.json.object?.names == ["id", "parents", "appProperties", "webViewLink"], "\(file.text)")
            #expect(file.json["appProperties"]?["job"]?.string == "7")
            #expect(file.json["webViewLink"]?.string?.hasPrefix(client.baseURL + "/spreadsheets/d/\(id)/edit") == true)
            let root = try await client.get("/drive/v3/files/root", ["fields": "id,name"])
            #expect(file.json["parents"]?[0] == root.json["id"])
            #expect(root.json["name"]?.string == "My Drive")
        }
    }

    @Test func takesAGeneratedIdOnceAndForFoldersOnly() async throws {
        try await Client.run { client in
            let ids = try await client.get("/drive/v3/files/generateIds", ["count": "2"])
            #expect(ids.json["ids"]?.array?.count == 2)
            let id = try #require(ids.json["ids"]?[0]?.string)
            func create(_ id: String, _ type: String) async throws -> Client.Answer {
                try await client.call(
                    "POST", "/drive/v3/files", [:], ["id": .string(id), "name": "F", "mimeType": .string(type)])
            }
            let first = try await create(id, Self.folder)
            #expect(first.json["id"]?.string == id)
            let second = try await create(id, Self.folder)
            #expect(second.status == 409)
            #expect(second.json["error"]?["errors"]?[0]?["reason"]?.string == "fileIdInUse")
            #expect(second.message == "A file already exists with the provided ID.")
            let invented = try await create("invented", Self.folder)
            #expect(invented.status == 400)
            let other = try #require(ids.json["ids"]?[1]?.string)
            let spreadsheet = try await create(other, "application/vnd.google-apps.spreadsheet")
            #expect(spreadsheet.message == "Generated IDs are not supported for Docs Editors formats.")
            #expect(spreadsheet.status == 403)
        }
    }

    @Test func wantsParentsThatAreThere() async throws {
        try await Client.run { client in
            let answer = try await client.call(
                "POST", "/drive/v3/files", [:], ["name": "x", "mimeType": .string(Self.folder), "parents": ["nowhere"]])
            #expect(answer.status == 404)
            let error = answer.json["error"]
            #expect(error?["code"]?.int == 404)
            #expect(error?["message"]?.string == "File not found: nowhere.")
            #expect(error?["errors"]?[0]?["reason"]?.string == "notFound")
            #expect(error?["errors"]?[0]?["domain"]?.string == "global")
            #expect(error?["status"] == nil)
            let file = try await client.makeSpreadsheet()
            let inFile = try await client.call(
                "POST", "/drive/v3/files", [:], ["name": "x", "parents": [.string(file)]])
            #expect(inFile.json["error"]?["errors"]?[0]?["reason"]?.string == "parentNotAFolder")
        }
    }

    @Test func searchesByTheQueryLanguage() async throws {
        try await Client.run { client in
            let folder = try await client.makeFolder("It's a \\ folder")
            let inner = try await client.makeFolder("Report 2026", in: folder)
            _ = try await client.call(
                "POST", "/drive/v3/files", [:],
                [
                    "name": "marked", "mimeType": "application/vnd.google-apps.spreadsheet",
                    "parents": [.string(folder)], "appProperties": ["sheetsync": "job'1"],
                ])
            func find(_ query: String) async throws -> [String] {
                let answer = try await client.get(
                    "/drive/v3/files", ["q": query, "orderBy": "name", "fields": "files(name)"])
                #expect(answer.status == 200, "\(query): \(answer.text)")
                return answer.json["files"]?.array?.compactMap { $0["name"]?.string } ?? []
            }
            let cases: [(String, [String])] = [
                (#"name = 'It\'s a \\ folder'"#, [#"It's a \ folder"#]),
                ("mimeType=\"application/vnd.google-apps.spreadsheet\"", ["marked"]),
                ("'\(folder)' in parents and trashed = false", ["marked", "Report 2026"]),
                ("'\(folder)' in parents and not mimeType contains 'application/vnd.google-apps.f'", ["marked"]),
                (#"appProperties has { key='sheetsync' and value='job\'1' }"#, ["marked"]),
                ("name contains 'rep' or (name contains '202' and trashed=true)", ["Report 2026"]),
                ("name contains 'port'", []),
                ("'root' in parents", [#"It's a \ folder"#]),
                (
                    "'me' in owners and modifiedTime > '2020-01-01T00:00:00' and createdTime <= '2100-01-01T00:00:00Z'",
                    [#"It's a \ folder"#, "marked", "Report 2026"]
                ),
                ("name != 'marked' and mimeType != 'x' and starred = false", [#"It's a \ folder"#, "Report 2026"]),
                ("'\(inner)' in parents", []),
            ]
            for (query, names) in cases {
                let found = try await find(query)
                #expect(found == names, "\(query)")
            }
            for query in [
                "name =", "name = 'x' and", "foo = 'x'", "('a' in parents", "name = 'x\\n'", "trashed = 'true'",
            ] {
                let answer = try await client.get("/drive/v3/files", ["q": query])
                #expect(answer.status == 400, "\(query)")
                #expect(answer.json["error"]?["errors"]?[0]?["location"]?.string == "q")
            }
        }
    }

    @Test func listsInPages() async throws {
        try await Client.run { client in
            for index in 0..<5 { _ = try await client.makeFolder("F\(index)") }
            var names: [String] = []
            var token: String?
            var pages = 0
            repeat {
                var query = ["pageSize": "2", "orderBy": "name desc", "fields": "nextPageToken,files/name"]
                if let token { query["pageToken"] = token }
                let answer = try await client.get("/drive/v3/files", query)
                names += answer.json["files"]?.array?.compactMap { $0["name"]?.string } ?? []
                token = answer.json["nextPageToken"]?.string
                pages += 1
            } while token != nil && pages < 10
            #expect(names == ["F4", "F3", "F2", "F1", "F0"])
            #expect(pages == 3)
            let bad = try await client.get("/drive/v3/files", ["pageToken": "x"])
            #expect(bad.status == 400)
            let size = try await client.get("/drive/v3/files", ["pageSize": "0"])
            #expect(size.status == 400)
        }
    }

    @Test func updatesMovesTrashesAndDeletes() async throws {
        try await Client.run { client in
            let first = try await client.makeFolder("first")
            let second = try await client.makeFolder("second")
            let file = try await client.makeSpreadsheet("old")
            let path = "/drive/v3/files/\(file)"
            let fields = ["fields": "name,parents,trashed,appProperties"]
            let root = try await client.get(path, fields).json["parents"]?[0]?.string ?? ""

            let second409 = try await client.call("PATCH", path, ["addParents": first], [:])
            #expect(second409.json["error"]?["errors"]?[0]?["reason"]?.string == "cannotAddParent")
            let moved = try await client.call(
                "PATCH", path, fields.merging(["addParents": second, "removeParents": root]) { $1 },
                ["name": "new", "appProperties": ["a": "1", "b": "2"]])
            #expect(moved.json["parents"] == [.string(second)])
            #expect(moved.json["name"] == "new")
            let title = try await client.get("/v4/spreadsheets/\(file)", ["fields": "properties.title"])
            #expect(title.json["properties"]?["title"] == "new")
            let cleared = try await client.call("PATCH", path, fields, ["appProperties": ["a": nil]])
            #expect(cleared.json["appProperties"] == ["b": "2"])

            let trashed = try await client.call("PATCH", "/drive/v3/files/\(second)", fields, ["trashed": true])
            #expect(trashed.json["trashed"] == true)
            let below = try await client.get(path, fields)
            #expect(below.json["trashed"] == true)
            let inTrash = try await client.call(
                "POST", "/drive/v3/files", [:], ["name": "taken without a word", "parents": [.string(second)]])
            #expect(inTrash.status == 200)

            let gone = try await client.call("DELETE", "/drive/v3/files/\(second)")
            #expect(gone.status == 204)
            #expect(gone.bytes.isEmpty)
            let missing = try await client.get(path)
            #expect(missing.status == 404)
            let sheet = try await client.get("/v4/spreadsheets/\(file)")
            #expect(sheet.status == 404)
            #expect(sheet.json["error"]?["status"]?.string == "NOT_FOUND")
        }
    }

    @Test func tellsOfTheTrashAndOfShortcuts() async throws {
        try await Client.run { client in
            let folder = try await client.makeFolder("F", in: "root")
            let made = try await client.call(
                "POST", "/drive/v3/files", [:],
                ["name": "S", "mimeType": "application/vnd.google-apps.spreadsheet", "parents": [.string(folder)]])
            let file = try #require(made.json["id"]?.string)
            _ = try await client.call("PATCH", "/drive/v3/files/\(folder)", [:], ["trashed": true])
            let fields = ["fields": "trashed,explicitlyTrashed"]
            let above = try await client.get("/drive/v3/files/\(folder)", fields)
            let below = try await client.get("/drive/v3/files/\(file)", fields)
            #expect(above.json == ["trashed": true, "explicitlyTrashed": true], "\(above.text)")
            #expect(below.json == ["trashed": true, "explicitlyTrashed": false], "\(below.text)")

            let shortcut = try await client.call(
                "POST", "/drive/v3/files", ["fields": "mimeType,shortcutDetails"],
                [
                    "name": "L", "mimeType": "application/vnd.google-apps.shortcut",
                    "shortcutDetails": ["targetId": .string(file)],
                ])
            #expect(
                shortcut.json == [
                    "mimeType": "application/vnd.google-apps.shortcut",
                    "shortcutDetails": [
                        "targetId": .string(file), "targetMimeType": "application/vnd.google-apps.spreadsheet",
                    ],
                ], "\(shortcut.text)")
            let nowhere = try await client.call(
                "POST", "/drive/v3/files", [:], ["name": "L", "mimeType": "application/vnd.google-apps.shortcut"])
            #expect(nowhere.status == 400, "\(nowhere.text)")

            let locale = try await client.call(
                "POST", "/v4/spreadsheets/\(file):batchUpdate", [:],
                [
                    "requests": [
                        ["updateSpreadsheetProperties": ["properties": ["locale": "es_419"], "fields": "locale"]]
                    ]
                ])
            #expect(locale.status == 400 && locale.message?.contains("Unsupported locale: es_419") == true)
        }
    }

    @Test func keepsAppPropertiesWithinGooglesLimits() async throws {
        try await Client.run { client in
            func create(_ properties: JSON) async throws -> Int {
                try await client.call("POST", "/drive/v3/files", [:], ["name": "x", "appProperties": properties]).status
            }
            let fits = try await create(["k": .string(String(repeating: "ä", count: 61))])
            #expect(fits == 200)
            let tooLong = try await create(["k": .string(String(repeating: "ä", count: 62))])
            #expect(tooLong == 400)
            let many = JSONObject((0..<31).map { .init(name: "k\($0)", value: "v") })
            let tooMany = try await create(.object(many))
            #expect(tooMany == 403)
        }
    }

    @Test func hidesTheSharedDriveFromThoseWhoDoNotAsk() async throws {
        try await Client.run(.init(sharedDriveID: "0AShared", serviceAccountsOwnFiles: false)) { client in
            let own = try await client.call("POST", "/drive/v3/files", [:], ["name": "x"])
            #expect(own.status == 403)
            #expect(own.json["error"]?["errors"]?[0]?["reason"]?.string == "storageQuotaExceeded")
            #expect(own.json["error"]?["errors"]?[0]?["domain"]?.string == "usageLimits")
            let hidden = try await client.call("POST", "/drive/v3/files", [:], ["name": "x", "parents": ["0AShared"]])
            #expect(hidden.status == 404)
            let folder = try await client.makeFolder("in the drive", in: "0AShared")
            let file = try await client.get(
                "/drive/v3/files/\(folder)", ["supportsAllDrives": "True", "fields": "driveId,owners"])
            #expect(file.json == ["driveId": "0AShared"])
            let plain = try await client.get("/drive/v3/files", ["fields": "files/name"])
            #expect(plain.json["files"] == [])
            let query = [
                "corpora": "drive", "driveId": "0AShared", "includeItemsFromAllDrives": "true",
                "supportsAllDrives": "true",
                "fields": "files/name",
            ]
            let all = try await client.get("/drive/v3/files", query)
            #expect(all.json["files"] == [["name": "in the drive"]])
            let noCorpora = try await client.get("/drive/v3/files", query.filter { $0.key != "corpora" })
            #expect(noCorpora.status == 400)
        }
    }

    @Test func refusesWhatTheSchemaDoesNotKnow() async throws {
        try await Client.run { client in
            let body = try await client.call("POST", "/drive/v3/files", [:], ["name": "x", "nmae": "y"])
            #expect(body.status == 400)
            #expect(
                body.message == #"Invalid JSON payload received. Unknown name "nmae" at 'file': Cannot find field."#)
            let parameter = try await client.get("/drive/v3/files", ["pagesize": "2"])
            #expect(parameter.message?.contains("Cannot bind query parameter. Field 'pagesize'") == true)
            // What gspread does, and what Google takes in the recordings.
            let others = try await client.get("/drive/v3/files/root", ["includeItemsFromAllDrives": "True"])
            #expect(others.status == 200)
            let mask = try await client.get("/drive/v3/files", ["fields": "files(id,owner)"])
            #expect(mask.message == "Invalid field selection files/owner")
            let syntax = try await client.get("/drive/v3/files", ["fields": "files(id"])
            #expect(syntax.status == 400)
            let boolean = try await client.get("/drive/v3/files", ["supportsAllDrives": "maybe"])
            #expect(boolean.message?.contains("(TYPE_BOOL), \"maybe\"") == true)
            let readOnly = try await client.call("POST", "/drive/v3/files", [:], ["name": "x", "size": "5"])
            #expect(readOnly.json["error"]?["errors"]?[0]?["reason"]?.string == "fieldNotWritable")
            let about = try await client.get("/drive/v3/about")
            #expect(about.json["error"]?["errors"]?[0]?["reason"]?.string == "required")
            let nowhere = try await client.get("/drive/v2/files")
            #expect(nowhere.status == 404)
            #expect(nowhere.text.contains("Error 404 (Not Found)!!1"))
            let unplayed = try await client.get("/drive/v3/teamdrives")
            #expect(unplayed.status == 501)
        }
    }
}
