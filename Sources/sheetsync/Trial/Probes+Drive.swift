import Export
import Google
import HTTPTypes
import JSON

extension Probe {
    static let folderID = Probe(
        name: "folder by its id", tries: "a folder that is made twice under one id made beforehand",
        restsOnIt: "folders are there once, also after an unclear end",
        advice: "make the folders by hand, and name them by folder_id", writes: 2
    ) { stage throws(GoogleError) in
        let id = try await stage.drive.generateIDs(1)[0]
        let first = try await stage.drive.createFolder(id: id, name: "Folder", parent: stage.folder.id)
        guard first.id == id else { return .differs("the folder has another id than the one that was asked for") }
        // The same call without what the client makes of the refusal.
        let body: JSON = [
            "id": .string(id), "name": "Folder", "mimeType": .string(DriveFile.folderType),
            "parents": [.string(stage.folder.id)],
        ]
        do throws(GoogleError) {
            _ = try await stage.api.call(
                APIRequest(
                    .drive, .post, "/drive/v3/files", query: [("supportsAllDrives", "true")], fields: "id",
                    body: body.bytes))
            return .differs("the second folder was made as well")
        } catch {
            guard error.status == 409 else { throw error }
            return .holds("the second one was refused with HTTP 409")
        }
    }

    static let listDelay = Probe(
        name: "delay of lists", tries: "when the list of a folder shows a new spreadsheet with its marks",
        restsOnIt: "no duplicate after an unclear end: the mark is looked for, for SHEETSYNC_LIST_DELAY",
        advice: "set SHEETSYNC_LIST_DELAY to more than what was seen, in seconds", writes: 1
    ) { stage throws(GoogleError) in
        let mark = ["sheetsync_trial": "1"]
        let file = try await stage.drive.createSpreadsheet(name: "Marked", parent: stage.folder.id, appProperties: mark)
        let query = DriveQuery.parent(stage.folder.id)
        let delay = try await stage.wait { () throws(GoogleError) in
            try await stage.drive.list(query).contains { $0.id == file.id && $0.appProperties == mark }
        }
        guard let delay else { return .differs("it did not show it in time") }
        let seconds = Self.seconds(delay)
        return .holds(
            if: delay <= stage.listDelay, "after \(seconds) s", else: "after \(seconds) s, later than the setting says")
    }

    static let version = Probe(
        name: "version of a file", tries: "when Drive's version of a spreadsheet moves after a write",
        restsOnIt: "a look whether anybody has changed a spreadsheet, without reading it",
        advice: "nothing: no job rests on it yet", writes: 1
    ) { stage throws(GoogleError) in
        func version() async throws(GoogleError) -> Int {
            let file = try await stage.api.call(
                APIRequest(
                    .drive, .get, APIRequest.drivePath(stage.spreadsheetID), query: [("supportsAllDrives", "true")],
                    fields: "version"))
            return file["version"]?.string.flatMap { Int($0) } ?? 0
        }
        let before = try await version()
        try await stage.batch(stage.newSheet(stage.sheetID()))
        let delay = try await stage.wait { () throws(GoogleError) in try await version() > before }
        guard let delay else { return .differs("it did not move in time") }
        return .holds("after \(Self.seconds(delay)) s")
    }

    static let changes = Probe(
        name: "list of changes", tries: "when Drive's list of changes shows a spreadsheet after a write",
        restsOnIt: "to hear of changed spreadsheets without asking for each",
        advice: "nothing: no job rests on it yet", writes: 1
    ) { stage throws(GoogleError) in
        var query = [(name: "supportsAllDrives", value: "true")]
        if let id = stage.sharedDriveID { query.append((name: "driveId", value: id)) }
        let start = try await stage.api.call(
            APIRequest(.drive, .get, "/drive/v3/changes/startPageToken", query: query, fields: "startPageToken"))
        guard let token = start["startPageToken"]?.string else { return .differs("there is no token to begin with") }
        try await stage.batch(stage.newSheet(stage.sheetID()))
        query += [("pageToken", token), ("includeItemsFromAllDrives", "true"), ("pageSize", "1000")]
        let question = query
        let delay = try await stage.wait { () throws(GoogleError) in
            var request = APIRequest(.drive, .get, "/drive/v3/changes", query: question, fields: "changes(fileId)")
            request.answerLimit = AnswerLimit(bytes: 1 << 20, values: 20_000)
            let page = try await stage.api.call(request)
            return (page["changes"]?.array ?? []).contains { $0["fileId"]?.string == stage.spreadsheetID }
        }
        guard let delay else { return .differs("it did not show it in time") }
        return .holds("after \(Self.seconds(delay)) s")
    }

    static let copy = Probe(
        name: "copies", tries: "a copy of the spreadsheet with marks of its own", restsOnIt: "copy_of",
        advice: "leave copy_of out, or report it with this trial's --json", writes: 1
    ) { stage throws(GoogleError) in
        let copy = try await stage.drive.copySpreadsheet(
            stage.spreadsheetID, name: "Copy", parent: stage.folder.id, appProperties: ["sheetsync_trial": "2"])
        let found = try await stage.drive.file(copy.id)
        return .holds(
            if: found.appProperties["sheetsync_trial"] == "2" && found.parents == [stage.folder.id],
            "it lies in the folder and has its marks", else: "it lies elsewhere, or lacks its marks")
    }

    static let trash = Probe(
        name: "trash and back", tries: "a folder that goes into the trash, and comes back",
        restsOnIt: "folders and spreadsheets in the trash are told from others",
        advice: "report it with this trial's --json", writes: 3
    ) { stage throws(GoogleError) in
        let id = try await stage.drive.generateIDs(1)[0]
        _ = try await stage.drive.createFolder(id: id, name: "Thrown away", parent: stage.folder.id)
        func set(_ isTrashed: Bool) async throws(GoogleError) {
            let body: JSON = ["trashed": .bool(isTrashed)]
            _ = try await stage.api.call(
                APIRequest(
                    .drive, .patch, APIRequest.drivePath(id), query: [("supportsAllDrives", "true")], fields: "id",
                    body: body.bytes))
        }
        try await set(true)
        let thrown = try await stage.drive.file(id)
        try await set(false)
        let back = try await stage.drive.file(id)
        return .holds(
            if: thrown.isTrashed && thrown.isExplicitlyTrashed && !back.isTrashed, "both are seen at once",
            else: "they are not seen at once")
    }

    static let share = Probe(
        name: "sharing", tries: "a folder that is shared with the identity itself, without a mail",
        restsOnIt: "share in payloads", advice: "leave share out, and share the folder that exports land in by hand",
        writes: 2
    ) { stage throws(GoogleError) in
        let about = try await stage.api.call(APIRequest(.drive, .get, "/drive/v3/about", fields: "user(emailAddress)"))
        guard let address = about["user"]?["emailAddress"]?.string else {
            return .notTried("Drive does not say who the identity is")
        }
        let id = try await stage.drive.generateIDs(1)[0]
        _ = try await stage.drive.createFolder(id: id, name: "Shared", parent: stage.folder.id)
        try await stage.drive.share(
            id, with: DrivePermission(type: .user, grantee: address, role: .writer), notify: false)
        let mine = try await stage.drive.permissions(of: id).filter { $0.grantee.lowercased() == address.lowercased() }
        return .holds(
            if: mine.contains { $0.role >= .writer },
            "taken; the identity's role is \(mine.map(\.role).max()?.rawValue ?? "none")",
            else: "taken, and the identity has no right by it")
    }

    private static func seconds(_ duration: Duration) -> Double { (duration / .milliseconds(100)).rounded() / 10 }
}
