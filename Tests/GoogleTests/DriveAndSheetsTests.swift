import HTTP
import JSON
import ScriptedHTTP
import Testing

@testable import Google

@Suite(.timeLimit(.minutes(1))) struct DriveAndSheetsTests {
    private static let file =
        #"{"id":"f1","name":"Sales","mimeType":"application/vnd.google-apps.spreadsheet","parents":["p"],"driveId":"d","webViewLink":"https://docs.google.com/x","appProperties":{"job":"7"},"createdTime":"2026-09-30T12:34:56.789Z","trashed":true}"#

    private func drive(sharedDrive: String? = nil, _ api: @escaping FakeGoogle.Script) throws -> (
        FakeGoogle, DriveClient
    ) {
        let google = try FakeGoogle(api: api)
        return (google, DriveClient(api: try google.api(), sharedDriveID: sharedDrive))
    }

    @Test func aSpreadsheetIsCreatedWithItsMark() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: Self.file) }
        let file = try await drive.createSpreadsheet(name: "Sales", parent: "p", appProperties: ["job": "7", "a": "b"])
        #expect(file.id == "f1")
        #expect(file.webViewLink == "https://docs.google.com/x")
        #expect(file.parents == ["p"])
        #expect(file.driveID == "d")
        #expect(file.appProperties == ["job": "7"])
        #expect(file.createdTime == Timestamp(rfc3339: "2026-09-30T12:34:56.789Z"))
        #expect(file.isTrashed)
        let request = google.apiRequests[0]
        #expect(request.method == "POST")
        #expect(request.path == "/drive/v3/files")
        #expect(request.query["supportsAllDrives"] == "true")
        #expect(
            request.query["fields"] == "id,name,mimeType,parents,driveId,webViewLink,appProperties,createdTime,trashed")
        let body: JSON = [
            "name": "Sales", "mimeType": "application/vnd.google-apps.spreadsheet", "parents": ["p"],
            "appProperties": ["a": "b", "job": "7"],
        ]
        #expect(request.json == body)
    }

    @Test func withoutParentTheSharedDriveIsTheParent() async throws {
        let (google, drive) = try drive(sharedDrive: "d") { _, _ in FakeGoogle.Answer(body: Self.file) }
        _ = try await drive.createSpreadsheet(name: "Sales", parent: nil)
        #expect(google.apiRequests[0].json?["parents"] == ["d"])
        let (other, own) = try self.drive { _, _ in FakeGoogle.Answer(body: Self.file) }
        _ = try await own.createSpreadsheet(name: "Sales", parent: nil)
        #expect(other.apiRequests[0].json?["parents"] == nil)
    }

    @Test func aFolderThatExistsAlreadyIsFound() async throws {
        let (google, drive) = try drive { number, _ in
            number == 0
                ? .driveError(409, "fileIdInUse", "A file already exists with the provided ID.")
                : FakeGoogle.Answer(body: Self.file)
        }
        #expect(try await drive.createFolder(id: "f1", name: "Sales", parent: "p").name == "Sales")
        #expect(google.apiRequests[0].json?["id"] == "f1")
        #expect(google.apiRequests[0].json?["mimeType"] == "application/vnd.google-apps.folder")
        #expect(google.apiRequests[1].method == "GET")
        #expect(google.apiRequests[1].path == "/drive/v3/files/f1")
    }

    @Test func otherRefusalsOfAFolderAreErrors() async throws {
        let (google, drive) = try drive { _, _ in .driveError(409, "conflict", "busy") }
        let error = await #expect(throws: GoogleError.self) {
            try await drive.createFolder(id: "f1", name: "Sales", parent: "p")
        }
        #expect(error?.code == .aborted)
        #expect(google.apiRequests.count == 1)
    }

    @Test func aCreationWhoseAnswerSaysNothingIsUnclear() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: "{}") }
        let error = await #expect(throws: GoogleError.self) {
            try await drive.createSpreadsheet(name: "x", parent: nil)
        }
        #expect(error?.code == .badAnswer)
        #expect(error?.mayHaveTakenEffect == true)
        #expect(google.apiRequests.count == 1)
    }

    @Test func listsAreReadToTheirLastPage() async throws {
        let (google, drive) = try drive(sharedDrive: "d") { number, _ in
            let next = number < 2 ? #""nextPageToken":"page \#(number)","# : ""
            return FakeGoogle.Answer(
                body: #"{\#(next)"incompleteSearch":false,"files":[{"id":"\#(number)","name":"n"}]}"#)
        }
        let files = try await drive.list(.parent("it's") && .trashed(false))
        #expect(files.map(\.id) == ["0", "1", "2"])
        let query = google.apiRequests[0].query
        #expect(query["q"] == #"'it\'s' in parents and trashed = false"#)
        #expect(query["supportsAllDrives"] == "true")
        #expect(query["includeItemsFromAllDrives"] == "true")
        #expect(query["corpora"] == "drive")
        #expect(query["driveId"] == "d")
        #expect(query["pageToken"] == nil)
        #expect(google.apiRequests.map { $0.query["pageToken"] } == [nil, "page 0", "page 1"])
    }

    @Test func aListWithoutSharedDriveNamesNone() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: "{}") }
        #expect(try await drive.list(.name("x")).isEmpty)
        #expect(google.apiRequests[0].query["corpora"] == nil)
        #expect(google.apiRequests[0].query["driveId"] == nil)
    }

    @Test(arguments: [
        #"{"incompleteSearch":true,"files":[]}"#, #"{"nextPageToken":"again","files":[]}"#, #"{"files":[{"id":"1"}]}"#,
    ])
    func aListThatIsNotCompleteIsAnError(body: String) async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: body) }
        let error = await #expect(throws: GoogleError.self) { try await drive.list(.name("x")) }
        #expect(error?.code == .badAnswer)
        #expect(google.apiRequests.count <= 2)
    }

    @Test func idsAreGenerated() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: #"{"ids":["a","b"]}"#) }
        #expect(try await drive.generateIDs(2) == ["a", "b"])
        #expect(google.apiRequests[0].path == "/drive/v3/files/generateIds")
        #expect(
            google.apiRequests[0].query == [
                "count": "2", "space": "drive", "type": "files", "fields": "ids", "prettyPrint": "false",
            ])
        let error = await #expect(throws: GoogleError.self) { try await drive.generateIDs(3) }
        #expect(error?.code == .badAnswer)
    }

    @Test func idsCannotLeaveTheirPlaceInThePath() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: Self.file) }
        _ = try await drive.file("../x?y=z#&/")
        #expect(google.apiRequests[0].path == "/drive/v3/files/..%2Fx%3Fy%3Dz%23%26%2F")
    }

    @Test func aBatchGivesItsReplies() async throws {
        let google = try FakeGoogle(api: { _, _ in FakeGoogle.Answer(body: #"{"replies":[{},{"addSheet":{"x":1}}]}"#) })
        let sheets = SheetsClient(api: try google.api())
        let body = Array(#"{"requests":[]}"#.utf8)
        #expect(try await sheets.batchUpdate("s1", body: body) == [[:], ["addSheet": ["x": 1]]])
        let request = google.apiRequests[0]
        #expect(request.method == "POST")
        #expect(request.path == "/v4/spreadsheets/s1:batchUpdate")
        #expect(request.query == ["fields": "replies", "prettyPrint": "false"])
        #expect(request.body == body)
    }

    @Test func aSpreadsheetIsReadByMask() async throws {
        let google = try FakeGoogle(api: { _, _ in FakeGoogle.Answer(body: #"{"sheets":[]}"#) })
        let sheets = SheetsClient(api: try google.api())
        #expect(try await sheets.spreadsheet("s1", fields: "sheets.properties(sheetId,title)") == ["sheets": []])
        #expect(google.apiRequests[0].path == "/v4/spreadsheets/s1")
        #expect(google.apiRequests[0].query["fields"] == "sheets.properties(sheetId,title)")
    }
}
