import JSON

/// Drive's `files.create` and `files.copy`.
enum FileCreation {
    /// Makes a file, with the content that came along; the resource of it.
    static func create(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        let change = try FileChange(call.body)
        let mimeType = change.mimeType ?? call.media?.type ?? "application/octet-stream"
        if let id = change.id { try checkGeneratedID(id, mimeType, world.drive) }
        let parent = try parent(change, call, &world)
        var file = DriveFile(
            id: change.id ?? newID(mimeType), name: "Untitled", mimeType: mimeType, parent: parent.id,
            createdTime: call.now, modifiedTime: call.now, driveID: parent.driveID, owner: call.token.email)
        try change.apply(to: &file)
        if mimeType == DriveFile.shortcutType {
            guard let id = change.shortcutTarget else {
                throw GoogleError(
                    code: 400, message: "The shortcut target ID is required.", reason: "shortcutTargetInvalid")
            }
            let target = try DriveAPI.find(id, call, world.drive)
            file.shortcut = (target.id, target.mimeType)
        }
        if file.isSpreadsheet {
            if call.media != nil {
                guard let imported = call.imported else { throw SpreadsheetImport.failure }
                world.spreadsheets[file.id] = SpreadsheetImport.content(imported, of: file)
            } else {
                world.spreadsheets[file.id] = Spreadsheet(id: file.id, title: file.name)
            }
        } else if !mimeType.hasPrefix("application/vnd.google-apps.") {
            file.content = FileContent(call.media?.bytes ?? [], originalName: change.originalName ?? file.name)
        }
        return add(file, call, &world)
    }

    /// Makes a copy of a file with all it holds; the resource of it.
    static func copy(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        let source = try DriveAPI.find(call.variable("fileId"), call, world.drive)
        guard !source.isFolder else {
            var error = GoogleError(
                code: 403, message: "This file cannot be copied by the user.", reason: "cannotCopyFile")
            error.location = (kind: "parameter", name: "fileId")
            throw error
        }
        let change = try FileChange(call.body)
        if let id = change.id { try checkGeneratedID(id, source.mimeType, world.drive) }
        // Without a parent of its own, a copy lies beside the original where the caller may write there.
        var beside: String?
        if let id = source.parent, let folder = world.drive[id] {
            beside = (world.drive.role(of: call.token.email, folder) ?? .reader) >= .writer ? id : nil
        }
        let parent = try parent(change, usual: beside, call, &world)
        var file = source
        file = DriveFile(
            id: change.id ?? newID(source.mimeType), name: "Copy of " + source.name, mimeType: source.mimeType,
            parent: parent.id, createdTime: call.now, modifiedTime: call.now, driveID: parent.driveID,
            owner: call.token.email)
        file.description = source.description
        file.properties = source.properties
        file.appProperties = source.appProperties
        file.content = source.content
        file.shortcut = source.shortcut
        try change.apply(to: &file)
        world.spreadsheets[file.id] = world.spreadsheets[source.id]?.copy(id: file.id, title: file.name)
        return add(file, call, &world)
    }

    private static func add(_ file: DriveFile, _ call: APICall, _ world: inout World) -> JSON {
        world.drive[file.id] = file
        world.drive.visibility.add(file.id, now: call.now)
        return DriveAPI.resource(file, call, world.drive)
    }

    private static func newID(_ mimeType: String) -> String {
        Identifiers.file(
            isDocument: mimeType.hasPrefix("application/vnd.google-apps.") && mimeType != DriveFile.folderType)
    }

    /// The folder that a new file goes to.
    private static func parent(
        _ change: FileChange, usual: String? = nil, _ call: APICall, _ world: inout World
    ) throws(GoogleError) -> DriveFile {
        let root = world.drive.root(of: call.token.email, now: call.now)
        guard change.parents?.count ?? 1 <= 1 else {
            throw .invalidParameter("parents", message: "A file must have exactly one parent.")
        }
        let id = change.parents?.first ?? usual ?? root
        // Into the top folder everybody may put files, even who may not look at it.
        let parent: DriveFile
        if [root, "root"].contains(id), let top = world.drive[root] {
            parent = top
        } else {
            parent = try DriveAPI.find(id, call, world.drive)
        }
        guard parent.isFolder else {
            throw GoogleError(
                code: 403, message: "The specified parent is not a folder.", reason: "parentNotAFolder")
        }
        guard world.drive.role(of: call.token.email, parent) ?? .reader >= .writer else {
            throw GoogleError(
                code: 403, message: "Insufficient permissions for the specified parent.",
                reason: "insufficientParentPermissions")
        }
        if parent.driveID == nil, call.token.isServiceAccount, !world.serviceAccountsOwnFiles { throw noStorage }
        return parent
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
}
