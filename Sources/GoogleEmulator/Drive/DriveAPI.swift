import JSON

/// Drive v3: the methods that the emulator plays.
enum DriveAPI {
    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse? {
        // Everybody has an own drive from the first call on, so that `root` always means something.
        _ = world.drive.root(of: call.token.email, now: call.now)
        return switch call.method.id {
        case "drive.files.create": answer(try FileCreation.create(call, &world), call)
        case "drive.files.copy": answer(try FileCreation.copy(call, &world), call)
        case "drive.files.get": try get(call, world.drive)
        case "drive.files.export": try export(call, world)
        case "drive.files.update": answer(try FileUpdate.update(call, &world), call)
        case "drive.files.delete": try delete(call, &world)
        case "drive.files.emptyTrash": try emptyTrash(call, &world)
        case "drive.files.list": .json(try DriveList.respond(call, &world.drive))
        case "drive.files.generateIds": .json(try generateIDs(call, &world.drive))
        case "drive.changes.getStartPageToken", "drive.changes.list":
            try ChangesAPI.respond(call, world.drive).map { .json($0) }
        case "drive.about.get": .json(try about(call, world))
        case "drive.comments.list": .json(try comments(call, world.drive))
        case let id where id.hasPrefix("drive.permissions."): try PermissionsAPI.respond(call, &world.drive)
        case let id where id.hasPrefix("drive.drives."): try SharedDrivesAPI.respond(call, &world.drive)
        default: nil
        }
    }

    /// A file without a mask shows four fields only.
    static let usualFields = FieldMask(children: ["kind": .all, "id": .all, "name": .all, "mimeType": .all])

    private static func answer(_ file: JSON, _ call: APICall) -> EmulatorResponse {
        if call.isSecondVersion { return .json(SecondVersion.file(file, call)) }
        return .json((call.fields ?? usualFields).filter(file))
    }

    /// The file of an id, where the caller may see it: files in shared drives need `supportsAllDrives`.
    static func find(_ id: String, _ call: APICall, _ drive: DriveStore) throws(GoogleError) -> DriveFile {
        let id = id == "root" ? drive.roots[call.token.email] ?? id : id
        let seesAll = call.query.flag("supportsAllDrives") || call.query.flag("supportsTeamDrives")
        guard let file = drive[id], file.driveID == nil || seesAll, drive.role(of: call.token.email, file) != nil,
            call.token.opens(file)
        else { throw .fileNotFound(id) }
        return file
    }

    /// The file of an id, where the caller may do with it what a role allows.
    static func find(
        _ id: String, as role: Permission.Role, _ call: APICall, _ drive: DriveStore
    ) throws(GoogleError) -> DriveFile {
        let file = try find(id, call, drive)
        guard let own = drive.role(of: call.token.email, file), own >= role else { throw notPermitted(file.id) }
        return file
    }

    /// The caller sees a file but may not do this with it.
    static func notPermitted(_ id: String) -> GoogleError {
        var error = GoogleError(
            code: 403, message: "The user does not have sufficient permissions for this file.",
            reason: "insufficientFilePermissions")
        error.location = (kind: "parameter", name: "fileId")
        return error
    }

    private static func get(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> EmulatorResponse {
        let file = try find(call.variable("fileId"), call, drive)
        guard call.query["alt"] == "media" else { return answer(resource(file, call, drive), call) }
        guard let content = file.content else {
            throw GoogleError(
                code: 403,
                message:
                    "Only files with binary content can be directly downloaded. Use Export with Docs Editors files.",
                reason: "fileNotDownloadable")
        }
        return EmulatorResponse(status: 200, contentType: file.mimeType, body: content.bytes)
    }

    private static func export(_ call: APICall, _ world: World) throws(GoogleError) -> EmulatorResponse {
        // The one method of files that takes no `supportsAllDrives`.
        let id = call.variable("fileId")
        guard let file = world.drive[id], world.drive.role(of: call.token.email, file) != nil else {
            throw .fileNotFound(id)
        }
        guard let spreadsheet = world.spreadsheets[id] else {
            throw GoogleError(
                code: 403, message: "Export only supports Docs Editors files.", reason: "fileNotExportable")
        }
        guard let type = call.query["mimeType"] else {
            throw .invalidParameter("mimeType", message: "Required parameter: mimeType", reason: "required")
        }
        guard let body = SpreadsheetExport.bytes(of: spreadsheet, type: type) else {
            throw .invalidParameter(
                "convertTo", message: "The requested conversion is not supported.", reason: "badRequest")
        }
        var response = EmulatorResponse(status: 200, contentType: type, body: body)
        response.headers.append((name: "Content-Disposition", value: "attachment"))
        return response
    }

    /// The resource of a file as the caller sees it.
    static func resource(_ file: DriveFile, _ call: APICall, _ drive: DriveStore) -> JSON {
        file.resource(caller: call.token.email, drive: drive, baseURL: call.baseURL)
    }

    private static func delete(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse {
        let file = try find(call.variable("fileId"), call, world.drive)
        let role: Permission.Role = file.driveID == nil ? .owner : .organizer
        guard file.parent != nil, world.drive.role(of: call.token.email, file) ?? .reader >= role else {
            throw notPermitted(file.id)
        }
        for id in world.drive.delete(file.id) { world.spreadsheets[id] = nil }
        return .noContent
    }

    private static func emptyTrash(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse {
        let driveID = call.query["driveId"]
        if let driveID {
            guard let top = world.drive[driveID], world.drive.sharedDrives[driveID] != nil,
                world.drive.role(of: call.token.email, top) == .organizer
            else { throw SharedDrivesAPI.notFound(driveID) }
        }
        let doomed = world.drive.files.values.filter {
            $0.isTrashed && $0.driveID == driveID && (driveID != nil || $0.owner == call.token.email)
        }
        for file in doomed {
            for id in world.drive.delete(file.id) { world.spreadsheets[id] = nil }
        }
        return .noContent
    }

    /// No file has comments here, but clients look for them when they copy.
    private static func comments(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON {
        let id = call.variable("fileId")
        guard let file = drive[id], drive.role(of: call.token.email, file) != nil else { throw .fileNotFound(id) }
        guard let fields = call.fields else {
            throw .invalidParameter(
                "fields", message: "The 'fields' parameter is required for this method.", reason: "required")
        }
        return fields.filter(["kind": "drive#commentList", "comments": []])
    }

    private static func generateIDs(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> JSON {
        let count = call.query["count"].flatMap(Int.init) ?? 10
        guard (1...1000).contains(count) else {
            throw .invalidParameter(
                "count", message: "Invalid value '\(count)'. Values must be within the range: [1, 1000]",
                reason: "invalidParameter")
        }
        let ids: JSON = [
            "kind": "drive#generatedIds", "space": .string(call.query["space"] ?? "drive"),
            "ids": .array(drive.generateIDs(count).map(JSON.string)),
        ]
        return call.fields?.filter(ids) ?? ids
    }

    private static func about(_ call: APICall, _ world: World) throws(GoogleError) -> JSON {
        guard let fields = call.fields else {
            throw .invalidParameter(
                "fields", message: "The 'fields' parameter is required for this method.", reason: "required")
        }
        let own = world.drive.files.values.filter { $0.driveID == nil && $0.owner == call.token.email }
        let used = own.reduce(0) { $0 + ($1.content?.bytes.count ?? 0) }
        let trashed = own.reduce(0) { $0 + (world.drive.isTrashed($1) ? $1.content?.bytes.count ?? 0 : 0) }
        let formats = SpreadsheetImport.types.map {
            JSONObject.Member(name: $0, value: [.string(DriveFile.spreadsheetType)])
        }
        return fields.filter([
            "kind": "drive#about",
            "user": DriveFile.user(call.token.email, caller: call.token.email),
            "storageQuota": [
                "limit": .string(
                    call.token.isServiceAccount && !world.serviceAccountsOwnFiles ? "0" : "16106127360"),
                "usage": .string(String(used)),
                "usageInDrive": .string(String(used)), "usageInDriveTrash": .string(String(trashed)),
            ],
            "importFormats": .object(JSONObject(formats)),
            "exportFormats": [
                DriveFile.spreadsheetType: .array(SpreadsheetExport.types.map(JSON.string))
            ],
            "maxImportSizes": [DriveFile.spreadsheetType: "104857600"],
            "maxUploadSize": "5242880000000",
            "appInstalled": false,
            "canCreateDrives": true,
            "canCreateTeamDrives": true,
            "folderColorPalette": ["#ac725e", "#d06b64", "#f83a22"],
        ])
    }
}
