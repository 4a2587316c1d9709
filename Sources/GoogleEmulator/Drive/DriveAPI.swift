import JSON

/// Drive v3: the methods that the emulator plays.
enum DriveAPI {
    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse? {
        // Everybody has an own drive from the first call on, so that `root` always means something.
        _ = world.drive.root(of: call.token.email, now: call.now)
        return switch call.method.id {
        case "drive.files.create": answer(try create(call, &world), call)
        case "drive.files.get":
            answer(try get(call, world.drive), call)
        case "drive.files.update": answer(try update(call, &world), call)
        case "drive.files.delete": try delete(call, &world)
        case "drive.files.list": .json(try DriveList.respond(call, &world.drive))
        case "drive.files.generateIds": .json(try generateIDs(call, &world.drive))
        case "drive.about.get": .json(try about(call))
        default: nil
        }
    }

    /// A file without a mask shows four fields only.
    static let usualFields = FieldMask(children: ["kind": .all, "id": .all, "name": .all, "mimeType": .all])

    private static func answer(_ file: JSON, _ call: APICall) -> EmulatorResponse {
        .json((call.fields ?? usualFields).filter(file))
    }

    /// The file of an id, where the caller may see it: files in shared drives need `supportsAllDrives`.
    private static func find(_ id: String, _ call: APICall, _ drive: DriveStore) throws(GoogleError) -> DriveFile {
        let id = id == "root" ? drive.roots[call.token.email] ?? id : id
        let seesAll = call.query.flag("supportsAllDrives") || call.query.flag("supportsTeamDrives")
        guard let file = drive[id], file.driveID == nil || seesAll else { throw .fileNotFound(id) }
        return file
    }

    private static func get(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON {
        let file = try find(call.variable("fileId"), call, drive)
        guard call.query["alt"] != "media" else {
            throw GoogleError(
                code: 403,
                message:
                    "Only files with binary content can be directly downloaded. Use Export with Docs Editors files.",
                reason: "fileNotDownloadable")
        }
        return resource(file, call, drive)
    }

    private static func resource(_ file: DriveFile, _ call: APICall, _ drive: DriveStore) -> JSON {
        file.resource(isTrashed: drive.isTrashed(file), caller: call.token.email, baseURL: call.baseURL)
    }

    private static func create(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        let change = try FileChange(call.body)
        let mimeType = change.mimeType ?? "application/octet-stream"
        if let id = change.id { try checkGeneratedID(id, mimeType, world.drive) }
        let root = world.drive.root(of: call.token.email, now: call.now)
        guard change.parents?.count ?? 1 <= 1 else {
            throw .invalidParameter("parents", message: "A file must have exactly one parent.")
        }
        let parent = try find(change.parents?.first ?? root, call, world.drive)
        guard parent.isFolder else {
            throw GoogleError(
                code: 403, message: "The specified parent is not a folder.", reason: "parentNotAFolder")
        }
        if parent.driveID == nil, call.token.isServiceAccount, !world.serviceAccountsOwnFiles { throw noStorage }
        let isDocument = mimeType.hasPrefix("application/vnd.google-apps.") && mimeType != DriveFile.folderType
        var file = DriveFile(
            id: change.id ?? Identifiers.file(isDocument: isDocument), name: "Untitled", mimeType: mimeType,
            parent: parent.id, createdTime: call.now, modifiedTime: call.now, driveID: parent.driveID,
            owner: call.token.email)
        try change.apply(to: &file)
        world.drive[file.id] = file
        if file.isSpreadsheet { world.spreadsheets[file.id] = Spreadsheet(id: file.id, title: file.name) }
        return resource(file, call, world.drive)
    }

    private static func checkGeneratedID(_ id: String, _ mimeType: String, _ drive: DriveStore) throws(GoogleError) {
        if mimeType != DriveFile.folderType, mimeType.hasPrefix("application/vnd.google-apps.") {
            throw GoogleError(
                code: 403, message: "Generated IDs are not supported for Docs Editors formats.",
                reason: "insufficientFilePermissions")
        }
        if drive[id] != nil {
            throw GoogleError(
                code: 409, message: "A file already exists with the provided ID.", reason: "fileIdInUse")
        }
        guard drive.generatedIDs.contains(id) else {
            throw .invalidParameter(
                "file.id", message: "The provided file ID is not usable.", reason: "fileIdNotUsable")
        }
    }

    private static let noStorage: GoogleError = {
        var error = GoogleError(
            code: 403,
            message: "Service Accounts do not have storage quota. Leverage shared drives "
                + "(https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation "
                + "(http://support.google.com/a/answer/7281227) instead.",
            reason: "storageQuotaExceeded")
        error.domain = "usageLimits"
        return error
    }()

    private static func update(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        var file = try find(call.variable("fileId"), call, world.drive)
        let change = try FileChange(call.body)
        guard change.parents == nil, change.id == nil else {
            throw GoogleError(
                code: 403,
                message: "The parents field is not directly writable in update requests. Use the addParents and "
                    + "removeParents parameters instead.", reason: "fieldNotWritable")
        }
        let before = file.name
        try change.apply(to: &file)
        file.parent = try newParent(of: file, call, world.drive)
        if call.body["modifiedTime"] == nil, call.body.object?.isEmpty == false { file.modifiedTime = call.now }
        file.version += 1
        world.drive[file.id] = file
        if file.name != before { world.spreadsheets[file.id]?.rename(file.name) }
        return resource(file, call, world.drive)
    }

    /// Where a file lies after `addParents` and `removeParents`.
    private static func newParent(
        of file: DriveFile, _ call: APICall, _ drive: DriveStore
    ) throws(GoogleError) -> String? {
        func ids(_ name: String) -> [String] {
            (call.query[name] ?? "").split(separator: ",").map {
                $0 == "root" ? drive.roots[call.token.email] ?? "root" : String($0)
            }
        }
        var parents = Set([file.parent].compactMap(\.self))
        parents.subtract(ids("removeParents"))
        for id in ids("addParents") {
            let parent = try find(id, call, drive)
            guard parent.isFolder, !drive.contains(file.id, parent.id), file.driveID == parent.driveID else {
                throw GoogleError(
                    code: 403, message: "The specified parent is not valid for this file.", reason: "invalidParent")
            }
            parents.insert(parent.id)
        }
        guard parents.count <= 1 else {
            throw GoogleError(
                code: 403, message: "Increasing the number of parents is not allowed", reason: "cannotAddParent")
        }
        // A file that loses its only parent goes to the top of its drive.
        return parents.first ?? file.driveID ?? drive.roots[file.owner]
    }

    private static func delete(_ call: APICall, _ world: inout World) throws(GoogleError) -> EmulatorResponse {
        let file = try find(call.variable("fileId"), call, world.drive)
        guard file.parent != nil else {
            throw GoogleError(
                code: 403, message: "The user does not have sufficient permissions for this file.",
                reason: "insufficientFilePermissions")
        }
        for id in world.drive.delete(file.id) { world.spreadsheets[id] = nil }
        return .noContent
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

    private static func about(_ call: APICall) throws(GoogleError) -> JSON {
        guard let fields = call.fields else {
            throw .invalidParameter(
                "fields", message: "The 'fields' parameter is required for this method.", reason: "required")
        }
        let hasStorage = !call.token.isServiceAccount
        return fields.filter([
            "kind": "drive#about",
            "user": DriveFile.user(call.token.email, caller: call.token.email),
            "storageQuota": [
                "limit": .string(hasStorage ? "16106127360" : "0"), "usage": "0", "usageInDrive": "0",
                "usageInDriveTrash": "0",
            ],
            "maxUploadSize": "5242880000000",
            "appInstalled": false,
            "canCreateDrives": false,
        ])
    }
}
