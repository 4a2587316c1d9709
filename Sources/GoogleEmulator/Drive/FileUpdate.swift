import JSON

/// Drive's `files.update`.
enum FileUpdate {
    /// Changes a file, and replaces what it holds where content came along; the resource of it.
    static func update(_ call: APICall, _ world: inout World) throws(GoogleError) -> JSON {
        var file = try DriveAPI.find(call.variable("fileId"), as: .writer, call, world.drive)
        let change = try FileChange(call.body)
        guard change.parents == nil, change.id == nil else {
            throw GoogleError(
                code: 403,
                message: "The parents field is not directly writable in update requests. Use the addParents and "
                    + "removeParents parameters instead.", reason: "fieldNotWritable")
        }
        if call.body["trashed"]?.bool != nil { try checkTrashing(file, call, world.drive) }
        let before = file.name
        try change.apply(to: &file)
        let home = file.driveID
        file.parent = try newParent(of: file, call, world.drive)
        if let parent = file.parent, let folder = world.drive[parent], folder.driveID != home {
            try world.drive.move(&file, intoDrive: folder.driveID, caller: call.token.email)
        }
        try replaceContent(of: &file, call, &world)
        let isChanged = call.body.object?.isEmpty == false || call.media != nil
        if call.body["modifiedTime"] == nil, isChanged { file.modifiedTime = call.now }
        file.version += 1
        world.drive[file.id] = file
        if file.name != before { world.spreadsheets[file.id]?.rename(file.name) }
        return DriveAPI.resource(file, call, world.drive)
    }

    /// Only owners throw away, and whoever may write in a shared drive; the top of a drive nobody.
    private static func checkTrashing(_ file: DriveFile, _ call: APICall, _ drive: DriveStore) throws(GoogleError) {
        let role: Permission.Role = file.driveID == nil ? .owner : .writer
        guard file.parent != nil, drive.role(of: call.token.email, file) ?? .reader >= role else {
            throw DriveAPI.notPermitted(file.id)
        }
    }

    private static func replaceContent(
        of file: inout DriveFile, _ call: APICall, _ world: inout World
    ) throws(GoogleError) {
        guard let media = call.media else { return }
        if file.isSpreadsheet {
            guard let imported = call.imported else { throw SpreadsheetImport.failure }
            world.spreadsheets[file.id] = SpreadsheetImport.content(imported, of: file)
            return
        }
        guard !file.mimeType.hasPrefix("application/vnd.google-apps.") else {
            throw GoogleError(
                code: 403, message: "The content of this file cannot be replaced.", reason: "fileNotUploadable")
        }
        if let type = call.body["mimeType"]?.string ?? media.type { file.mimeType = type }
        let name = call.body["originalFilename"]?.string ?? file.content?.originalName ?? file.name
        file.content = FileContent(media.bytes, originalName: name)
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
            let parent = try DriveAPI.find(id, call, drive)
            guard drive.role(of: call.token.email, parent) ?? .reader >= .writer else {
                throw GoogleError(
                    code: 403, message: "Insufficient permissions for the specified parent.",
                    reason: "insufficientParentPermissions")
            }
            guard parent.isFolder, file.parent != nil, !drive.contains(file.id, parent.id) else {
                throw GoogleError(
                    code: 403, message: "The specified parent is not valid for this file.", reason: "invalidParent")
            }
            parents.insert(parent.id)
        }
        guard parents.count <= 1 else {
            throw GoogleError(
                code: 403, message: "Increasing the number of parents is not allowed", reason: "cannotAddParent")
        }
        // A file that loses its only parent goes to the top of its drive; the top itself stays where it is.
        return parents.first ?? (file.parent == nil ? nil : file.driveID ?? drive.roots[file.owner])
    }
}
