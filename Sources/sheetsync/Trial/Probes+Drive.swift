import Export
import Google
import HTTPTypes
import JSON

extension Probe {
    static let folderID = Probe(
        name: "folder by its id", tries: "a folder that is made twice under one id made beforehand",
        restsOnIt: "folders are there once, also after an unclear end",
        advice: "make the folders by hand, and name them by folder_id", writes: 1
    ) { stage throws(GoogleError) in
        // The trial's own folder was made so. The same call without what the client makes of the refusal.
        let body: JSON = [
            "id": .string(stage.folder.id), "name": "Folder", "mimeType": .string(DriveFile.folderType),
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
        let file = try await stage.marked()
        let query = DriveQuery.parent(stage.folder.id)
        let delay = try await stage.wait { () throws(GoogleError) in
            try await stage.drive.list(query).contains { $0.id == file.id && $0.appProperties == TrialStage.mark }
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
        let sheet = stage.sheetID()
        try await stage.batch(TrialStage.cells([header], on: sheet))
        let delay = try await stage.wait { () throws(GoogleError) in try await version() > before }
        guard let delay else { return .differs("it did not move in time") }
        let behind = try await version()
        _ = try await stage.values("A1:B1", on: sheet)
        let moves = try await version() > behind
        return .holds(
            "after \(Self.seconds(delay)) s, by \(behind - before); a read \(moves ? "moved" : "did not move") it")
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
        try await stage.batch(TrialStage.cells([header], on: stage.sheetID()))
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
        name: "trash and back", tries: "a spreadsheet that goes into the trash, and comes back",
        restsOnIt: "folders and spreadsheets in the trash are told from others",
        advice: "report it with this trial's --json", writes: 2
    ) { stage throws(GoogleError) in
        let id = try await stage.marked().id
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
        name: "sharing", tries: "a spreadsheet that is shared with the identity itself, without a mail",
        restsOnIt: "share in payloads", advice: "leave share out, and share the folder that exports land in by hand",
        writes: 1
    ) { stage throws(GoogleError) in
        let about = try await stage.api.call(APIRequest(.drive, .get, "/drive/v3/about", fields: "user(emailAddress)"))
        guard let address = about["user"]?["emailAddress"]?.string else {
            return .notTried("Drive does not say who the identity is")
        }
        let id = try await stage.marked().id
        try await stage.drive.share(
            id, with: DrivePermission(type: .user, grantee: address, role: .writer), notify: false)
        let mine = try await stage.drive.permissions(of: id).filter { $0.grantee.lowercased() == address.lowercased() }
        return .holds(
            if: mine.contains { $0.role >= .writer },
            "taken; the identity's role is \(mine.map(\.role).max()?.rawValue ?? "none")",
            else: "taken, and the identity has no right by it")
    }

    static let copyByID = Probe(
        name: "copy by its id",
        tries: "a copy under an id made beforehand, which Drive should refuse",
        restsOnIt: "nothing: spreadsheets are found by their mark after an unclear end",
        advice: "report it with this trial's --json: no mark would have to be looked for", writes: 1
    ) { stage throws(GoogleError) in
        let id = try await stage.drive.generateIDs(1)[0]
        let body: JSON = ["id": .string(id), "name": "Copy by its id", "parents": [.string(stage.folder.id)]]
        do throws(GoogleError) {
            _ = try await stage.api.call(
                APIRequest(
                    .drive, .post, "\(APIRequest.drivePath(stage.spreadsheetID))/copy",
                    query: [("supportsAllDrives", "true")], fields: "id", body: body.bytes))
            return .differs("the copy was made under it")
        } catch {
            let isRefusal = [.badRequest, .permissionDenied, .notFound].contains(error.code)
            guard isRefusal, let status = error.status else { throw error }
            return .holds("refused with HTTP \(status)")
        }
    }

    static let move = Probe(
        name: "moves", tries: "a spreadsheet that is moved into another folder",
        restsOnIt: "spreadsheets that were made in a folder which went into the trash at the same moment",
        advice: "move such spreadsheets by hand; the job's warnings name them", writes: 2
    ) { stage throws(GoogleError) in
        let file = try await stage.marked()
        let id = try await stage.drive.generateIDs(1)[0]
        let folder = try await stage.drive.createFolder(id: id, name: "Other", parent: stage.folder.id)
        _ = try await stage.drive.move(file.id, from: stage.folder.id, to: folder.id)
        return .holds(
            if: try await stage.drive.file(file.id).parents == [folder.id], "it lies there, and there alone",
            else: "it lies elsewhere, or in both")
    }

    static let workbook = Probe(
        name: "conversion of a workbook",
        tries: "an XLSX file that Drive converts, and what it keeps of it",
        restsOnIt: "a spreadsheet with its rows by a single call of Drive's, without one of Sheets'",
        advice: "nothing: no job rests on it yet", writes: 1
    ) { stage throws(GoogleError) in
        let about = try await stage.api.call(APIRequest(.drive, .get, "/drive/v3/about", fields: "maxImportSizes"))
        let most = about["maxImportSizes"]?[DriveFile.spreadsheetType]?.string.flatMap { Int($0) }
        let id = try await stage.upload(TrialWorkbook.bytes, type: TrialWorkbook.type, name: "Workbook")
        let taken = stage.calls.last?.duration ?? .zero
        var request = APIRequest(
            .sheets, .get, APIRequest.sheetsPath(id), query: [("ranges", "\(TrialWorkbook.sheetName)!A1:E3")],
            fields:
                "properties(locale,timeZone),sheets(properties.gridProperties,"
                + "data(columnMetadata.pixelSize,rowData.values(userEnteredValue,userEnteredFormat(numberFormat,textFormat.bold))))"
        )
        request.answerLimit = AnswerLimit(bytes: 1 << 20, values: 20_000)
        let found = try await stage.api.call(request)
        let lost = Self.lost(found)
        let zone = found["properties"]?["timeZone"]?.string ?? "none"
        let facts =
            "in \(Self.seconds(taken)) s, locale \(found["properties"]?["locale"]?.string ?? "none"), time zone \(zone)"
            + (most.map { ", files of up to \($0 / 1_000_000) MB" } ?? "")
        return .holds(
            if: lost.isEmpty, "all of it is kept; \(facts)", else: "not kept: \(lost.joined(separator: ", ")); \(facts)"
        )
    }

    /// What a conversion lost of the workbook, by what Sheets tells of it.
    static func lost(_ spreadsheet: JSON) -> [String] {
        let sheet = spreadsheet["sheets"]?[0]
        let data = sheet?["data"]?[0]
        func cell(_ row: Int, _ column: Int) -> JSON? { data?["rowData"]?[row]?["values"]?[column] }
        func value(_ row: Int, _ column: Int) -> JSON? { cell(row, column)?["userEnteredValue"] }
        func pattern(_ column: Int) -> String? {
            cell(1, column)?["userEnteredFormat"]?["numberFormat"]?["pattern"]?.string
        }
        let columns = TrialWorkbook.header.indices
        let checks: [(String, Bool)] = [
            ("names", columns.allSatisfy { value(0, $0)?["stringValue"]?.string == TrialWorkbook.header[$0] }),
            ("bold", columns.allSatisfy { cell(0, $0)?["userEnteredFormat"]?["textFormat"]?["bold"]?.bool == true }),
            ("text that looks like a formula", value(1, 0)?["stringValue"]?.string == TrialWorkbook.texts[0]),
            ("text that looks like a number", value(2, 0)?["stringValue"]?.string == TrialWorkbook.texts[1]),
            ("numbers", value(1, 1)?["numberValue"]?.double == TrialWorkbook.number),
            ("days", value(1, 2)?["numberValue"]?.double == Double(TrialWorkbook.day)),
            ("percentages", value(1, 3)?["numberValue"]?.double == TrialWorkbook.share),
            ("truth values", value(1, 4)?["boolValue"]?.bool == true),
            ("formats of numbers", pattern(1) == TrialWorkbook.patterns[0]),
            ("formats of days", pattern(2) == TrialWorkbook.patterns[1]),
            ("formats of percentages", pattern(3) == TrialWorkbook.patterns[2]),
            ("the frozen row", sheet?["properties"]?["gridProperties"]?["frozenRowCount"]?.int == 1),
            (
                "widths",
                // Fonts differ by a pixel a digit.
                abs((data?["columnMetadata"]?[0]?["pixelSize"]?.int ?? 0) - TrialWorkbook.pixels) <= 30
            ),
        ]
        return checks.filter { !$0.1 }.map(\.0)
    }

    /// In seconds, to a tenth.
    static func seconds(_ duration: Duration) -> Double { (duration / .milliseconds(100)).rounded() / 10 }
}
