import Foundation
import GoogleEmulator
import JSON
import Testing

@Suite(.timeLimit(.minutes(2))) struct UploadTests {
    private static let spreadsheet = "application/vnd.google-apps.spreadsheet"

    private static func upload(_ client: Client, _ metadata: JSON, _ content: String, type: String) async throws
        -> Client.Answer
    {
        let body =
            "--cut\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n\(metadata)\r\n"
            + "--cut\r\nContent-Type: \(type)\r\n\r\n\(content)\r\n--cut--"
        return try await client.send(
            "POST", "/upload/drive/v3/files?uploadType=multipart", Array(body.utf8),
            type: "multipart/related; boundary=cut")
    }

    @Test func turnsCSVIntoASpreadsheetAndBack() async throws {
        try await Client.run { client in
            let content =
                "name,amount,when,good,share\r\n\"a, \"\"b\"\"\",\"1,234.5\",2026-11-22,TRUE,12%\r\n=A1,007x,,false,"
            let answer = try await Self.upload(
                client, ["name": "Table", "mimeType": .string(Self.spreadsheet)], content, type: "text/csv")
            #expect(answer.json["mimeType"]?.string == Self.spreadsheet, "\(answer.text)")
            let id = try #require(answer.json["id"]?.string)
            let values = try await client.get(
                "/v4/spreadsheets/\(id)/values/A1:E3", ["valueRenderOption": "UNFORMATTED_VALUE"])
            #expect(
                values.json["values"]?[1] == ["a, \"b\"", 1234.5, 46348, true, 0.12], "\(values.text)")
            #expect(values.json["values"]?[2]?[1] == "007x")
            let sheet = try await client.get(
                "/v4/spreadsheets/\(id)", ["fields": "properties.timeZone,sheets.properties"])
            #expect(sheet.json["sheets"]?[0]?["properties"]?["title"]?.string == "Table")
            #expect(sheet.json["properties"]?["timeZone"]?.string == "America/Los_Angeles")
            let csv = try await client.get("/drive/v3/files/\(id)/export", ["mimeType": "text/csv"])
            #expect(csv.headers["content-type"] == "text/csv")
            #expect(
                csv.text.hasPrefix("name,amount,when,good,share\r\n\"a, \"\"b\"\"\",1234.5,2026-11-22,TRUE,12%\r\n"))
            #expect(!csv.text.hasSuffix("\n"))
            let tsv = try await client.get(
                "/drive/v3/files/\(id)/export", ["mimeType": "text/tab-separated-values"])
            #expect(tsv.text.hasPrefix("name\tamount"))
            let picture = try await client.get("/drive/v3/files/\(id)/export", ["mimeType": "image/png"])
            #expect(picture.status == 400)
        }
    }

    @Test func keepsBytesOfOtherFiles() async throws {
        try await Client.run { client in
            let answer = try await client.send(
                "POST", "/upload/drive/v3/files?uploadType=media&fields=*", Array("hello".utf8), type: "text/x-note")
            #expect(answer.json["size"]?.string == "5")
            #expect(answer.json["md5Checksum"]?.string == "5d41402abc4b2a76b9719d911017c592")
            #expect(answer.json["mimeType"]?.string == "text/x-note")
            let id = try #require(answer.json["id"]?.string)
            let media = try await client.get("/drive/v3/files/\(id)", ["alt": "media"])
            #expect(media.text == "hello")
            let changed = try await client.send(
                "PATCH", "/upload/drive/v3/files/\(id)?uploadType=media&fields=size", Array("hi".utf8),
                type: "text/x-note")
            #expect(changed.json == ["size": "2"])
            let sheet = try await client.makeSpreadsheet()
            let refused = try await client.get("/drive/v3/files/\(sheet)", ["alt": "media"])
            #expect(refused.json["error"]?["errors"]?[0]?["reason"]?.string == "fileNotDownloadable")
            let unreadable = try await Self.upload(
                client, ["mimeType": .string(Self.spreadsheet)], "PK\u{3}\u{4}rubbish", type: "application/zip")
            #expect(unreadable.status == 400)
        }
    }

    @Test func replacesASpreadsheetByTheSecondVersion() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("Old")
            let answer = try await client.send(
                "PUT", "/upload/drive/v2/files/\(id)?uploadType=media&convert=True&supportsAllDrives=True",
                Array("1,2\n3,4\n".utf8), type: "text/csv")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.json["title"]?.string == "Old")
            #expect(answer.json["userPermission"]?["role"]?.string == "owner")
            #expect(answer.json["parents"]?[0]?["isRoot"] == true)
            let values = try await client.get("/v4/spreadsheets/\(id)/values/Old")
            #expect(values.json["values"] == [["1", "2"], ["3", "4"]], "\(values.text)")
        }
    }

    @Test func takesChunksAndGoesOnAfterABreak() async throws {
        try await Client.run { client in
            let quarter = 256 << 10
            let content = (0..<quarter + 1000).map { UInt8(truncatingIfNeeded: $0) }
            let begun = try await client.send(
                "POST", "/upload/drive/v3/files?uploadType=resumable&fields=id,size,name",
                Array(#"{"name":"big"}"#.utf8),
                type: "application/json",
                headers: ["X-Upload-Content-Type": "application/x-data", "X-Upload-Content-Length": "\(content.count)"])
            #expect(begun.status == 200)
            let location = try #require(begun.headers["location"])
            let target = String(location.dropFirst(client.baseURL.count))
            func put(_ bytes: some Sequence<UInt8>, _ range: String) async throws -> Client.Answer {
                try await client.send("PUT", target, Array(bytes), headers: ["Content-Range": range])
            }
            let nothing = try await put([], "bytes */\(content.count)")
            #expect(nothing.status == 308)
            #expect(nothing.headers["range"] == nil)
            // Of a chunk that is no multiple of 256 KiB, only the multiple is kept.
            let first = try await put(content.prefix(quarter + 10), "bytes 0-\(quarter + 9)/\(content.count)")
            #expect(first.status == 308)
            #expect(first.headers["range"] == "bytes=0-\(quarter - 1)")
            let ahead = try await put(
                content.suffix(10), "bytes \(content.count - 10)-\(content.count - 1)/\(content.count)")
            #expect(ahead.headers["range"] == "bytes=0-\(quarter - 1)")
            let wrong = try await put([1, 2], "bytes \(quarter)-\(quarter + 5)/\(content.count)")
            #expect(wrong.status == 400)
            let last = try await put(
                content.dropFirst(quarter), "bytes \(quarter)-\(content.count - 1)/\(content.count)")
            #expect(last.status == 200, "\(last.text)")
            #expect(last.json["size"]?.string == "\(content.count)")
            let again = try await put([], "bytes */\(content.count)")
            #expect(again.json == last.json)
            let id = try #require(last.json["id"]?.string)
            let media = try await client.get("/drive/v3/files/\(id)", ["alt": "media"])
            #expect(media.bytes == content)
            let unknown = try await client.send("PUT", "/upload/drive/v3/files?upload_id=none", [1])
            #expect(unknown.status == 404)
        }
    }

    @Test func copiesAFileWithAllItHolds() async throws {
        try await Client.run { client in
            let id = try await client.makeSpreadsheet("Template")
            let renamed: JSON = [
                "updateSheetProperties": ["properties": ["sheetId": 0, "title": "Data"], "fields": "title"]
            ]
            #expect(try await client.batch(id, [renamed]).status == 200)
            let copy = try await client.call("POST", "/drive/v3/files/\(id)/copy", [:], ["name": nil])
            #expect(copy.json["name"]?.string == "Copy of Template")
            let other = try #require(copy.json["id"]?.string)
            let sheet = try await client.get(
                "/v4/spreadsheets/\(other)", ["fields": "properties.title,sheets.properties.title"])
            #expect(
                sheet.json == [
                    "properties": ["title": "Copy of Template"], "sheets": [["properties": ["title": "Data"]]],
                ])
            let folder = try await client.makeFolder("F")
            let refused = try await client.call("POST", "/drive/v3/files/\(folder)/copy", [:], [:])
            #expect(refused.json["error"]?["errors"]?[0]?["reason"]?.string == "cannotCopyFile")
            let comments = try await client.get("/drive/v3/files/\(id)/comments", ["fields": "comments/content"])
            #expect(comments.json == ["comments": []])
        }
    }
}
