import HTTP
import JSON
import ScriptedHTTP
import Synchronization
import Testing

@testable import Google

@Suite(.timeLimit(.minutes(5))) struct DriveAndSheetsTests {
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
            request.query["fields"]
                == "id,name,mimeType,parents,driveId,webViewLink,appProperties,createdTime,trashed,explicitlyTrashed,"
                + "shortcutDetails.targetId")
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

    @Test func aCopyGetsItsNamePlaceAndMark() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: Self.file) }
        let copy = try await drive.copySpreadsheet("o/1", name: "Copy", parent: "p", appProperties: ["job": "7"])
        #expect(copy.id == "f1")
        let request = google.apiRequests[0]
        #expect(request.method == "POST" && request.path == "/drive/v3/files/o%2F1/copy")
        #expect(request.query["supportsAllDrives"] == "true")
        #expect(request.json == ["name": "Copy", "parents": ["p"], "appProperties": ["job": "7"]])
        // Without a parent it would lie beside the original.
        _ = try await drive.copySpreadsheet("o", name: "Copy", parent: nil)
        #expect(google.apiRequests[1].json?["parents"] == ["root"])
        let (other, shared) = try self.drive(sharedDrive: "d") { _, _ in FakeGoogle.Answer(body: "{}") }
        let error = await #expect(throws: GoogleError.self) {
            try await shared.copySpreadsheet("o", name: "Copy", parent: nil)
        }
        #expect(error?.mayHaveTakenEffect == true)
        #expect(other.apiRequests[0].json?["parents"] == ["d"])
    }

    @Test func aFileIsMoved() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: Self.file) }
        #expect(try await drive.move("f1", from: "a", to: "b").id == "f1")
        #expect(google.apiRequests[0].method == "PATCH")
        #expect(google.apiRequests[0].query["addParents"] == "b" && google.apiRequests[0].query["removeParents"] == "a")
        #expect(google.apiRequests[0].json == [:])
    }

    @Test func sharingSaysWhomWhatAndWhetherToTell() async throws {
        let (google, drive) = try drive { _, _ in FakeGoogle.Answer(body: #"{"id":"1"}"#) }
        let ada = DrivePermission(type: .user, grantee: "ada@example.com", role: .writer)
        try await drive.share("f1", with: ada, notify: true, message: "Look & see")
        try await drive.share("f1", with: ada, notify: false, message: "Look")
        try await drive.share(
            "f1", with: DrivePermission(type: .domain, grantee: "e.org", role: .reader), notify: false)
        try await drive.share("f1", with: DrivePermission(type: .anyone, grantee: "", role: .commenter), notify: false)
        let requests = google.apiRequests
        #expect(requests.allSatisfy { $0.method == "POST" && $0.path == "/drive/v3/files/f1/permissions" })
        #expect(
            requests.map(\.json) == [
                ["type": "user", "role": "writer", "emailAddress": "ada@example.com"],
                ["type": "user", "role": "writer", "emailAddress": "ada@example.com"],
                ["type": "domain", "role": "reader", "domain": "e.org"], ["type": "anyone", "role": "commenter"],
            ])
        #expect(requests.map { $0.query["sendNotificationEmail"] } == ["true", "false", nil, nil])
        #expect(requests.map { $0.query["emailMessage"] } == ["Look & see", nil, nil, nil])
    }

    @Test func permissionsAreReadToTheirLastPageAndCompared() async throws {
        let (google, drive) = try drive { number, _ in
            let next = number < 1 ? #""nextPageToken":"more","# : ""
            return FakeGoogle.Answer(
                body:
                    #"{\#(next)"permissions":[{"type":"user","role":"writer","emailAddress":"Ada@e.org"},{"type":"robot","role":"reader"}]}"#
            )
        }
        let permissions = try await drive.permissions(of: "f1")
        #expect(permissions.count == 2 && google.apiRequests.count == 2)
        #expect(google.apiRequests[1].query["pageToken"] == "more")
        let ada = permissions[0]
        #expect(ada.covers(DrivePermission(type: .user, grantee: "ada@E.org", role: .reader)))
        #expect(!ada.covers(DrivePermission(type: .user, grantee: "ada@e.org", role: .organizer)))
        #expect(!ada.covers(DrivePermission(type: .group, grantee: "ada@e.org", role: .reader)))
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

    @Test func rectanglesAreReadByAQuestionThatChangesNothing() async throws {
        let google = try FakeGoogle(api: { number, _ in
            number == 0 ? FakeGoogle.Answer(body: #"{"sheets":[]}"#) : .error(503, "UNAVAILABLE", "Try again.")
        })
        let calls = Mutex<[APICall]>([])
        let sheets = SheetsClient(api: try google.api().observed { call in calls.withLock { $0.append(call) } })
        let place = GridRectangle(sheetID: 7, rows: 1..<3, columns: 0..<2)
        #expect(try await sheets.spreadsheet("s1", in: [place], fields: "sheets.data") == ["sheets": []])
        let request = google.apiRequests[0]
        #expect(request.method == "POST" && request.path == "/v4/spreadsheets/s1:getByDataFilter")
        let range: JSON = [
            "sheetId": 7, "startRowIndex": 1, "endRowIndex": 3, "startColumnIndex": 0, "endColumnIndex": 2,
        ]
        #expect(request.json == ["dataFilters": [["gridRange": range]]])
        let error = await #expect(throws: GoogleError.self) {
            try await sheets.spreadsheet("s1", in: [place], fields: "sheets.data")
        }
        #expect(error?.mayHaveTakenEffect == false)
        #expect(calls.withLock { $0.map(\.isWrite) } == [false, false])
    }

    @Test func valuesComeRangeByRange() async throws {
        let google = try FakeGoogle(api: { _, _ in
            FakeGoogle.Answer(body: #"{"valueRanges":[{"range":"A1:A9"},{"range":"B1:B9","values":[[1,"x"]]}]}"#)
        })
        let sheets = SheetsClient(api: try google.api())
        #expect(
            try await sheets.values("s1", in: ["A1:A9", "B1:B9"], cells: 18, byColumns: true) == [[], [[1, "x"]]])
        let request = google.apiRequests[0]
        #expect(request.method == "GET" && request.path == "/v4/spreadsheets/s1/values:batchGet")
        #expect(request.query["majorDimension"] == "COLUMNS" && request.query["ranges"] == "B1:B9")
        let error = await #expect(throws: GoogleError.self) { try await sheets.values("s1", in: ["A1"], cells: 1) }
        #expect(error?.code == .badAnswer)
    }
}
