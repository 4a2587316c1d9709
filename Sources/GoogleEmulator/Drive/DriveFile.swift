import JSON

/// A file or folder of Drive.
struct DriveFile: Sendable {
    static let folderType = "application/vnd.google-apps.folder"
    static let spreadsheetType = "application/vnd.google-apps.spreadsheet"
    static let shortcutType = "application/vnd.google-apps.shortcut"

    let id: String
    var name: String
    var mimeType: String
    /// The folder it lies in; nil for the top of a drive.
    var parent: String?
    /// Whether it was thrown away itself, not only with a folder above it.
    var isTrashed = false
    var isStarred = false
    var description: String?
    var appProperties: [String: String] = [:]
    var properties: [String: String] = [:]
    var createdTime: Timestamp
    var modifiedTime: Timestamp
    /// The shared drive it lives in; nil in somebody's own drive.
    var driveID: String?
    /// Whose it is; files in shared drives belong to the drive, and this is who made them.
    var owner: String
    /// Counts the changes.
    var version = 1
    /// The permissions that were given for this very file; its owner's goes without saying.
    var permissions: [Permission] = []
    /// The bytes, where it is no folder and no document.
    var content: FileContent?
    /// What a shortcut points to, and of which type that was when the shortcut was made.
    var shortcut: (targetID: String, targetType: String)?

    var isFolder: Bool { mimeType == Self.folderType }
    var isSpreadsheet: Bool { mimeType == Self.spreadsheetType }

    /// Google's resource of the file, with what the emulator knows.
    func resource(caller: String, drive: DriveStore, baseURL: String) -> JSON {
        let permissions = drive.permissions(of: self)
        let role = drive.role(of: caller, self)
        var file: JSONObject = JSONObject()
        file["kind"] = "drive#file"
        file["id"] = .string(id)
        file["name"] = .string(name)
        file["mimeType"] = .string(mimeType)
        file["description"] = description.map(JSON.string)
        file["starred"] = JSON(isStarred)
        file["trashed"] = JSON(drive.isTrashed(self))
        file["explicitlyTrashed"] = JSON(isTrashed)
        if let parent { file["parents"] = [.string(parent)] }
        if !properties.isEmpty { file["properties"] = Self.map(properties) }
        if !appProperties.isEmpty { file["appProperties"] = Self.map(appProperties) }
        file["spaces"] = ["drive"]
        file["version"] = .string(String(version))
        file["webViewLink"] = webViewLink(baseURL: baseURL).map(JSON.string)
        if isSpreadsheet {
            let link = "\(baseURL)/drive/v3/files/\(id)/export?mimeType="
            file["exportLinks"] = .object(
                JSONObject(
                    SpreadsheetExport.types.map { .init(name: $0, value: .string(link + PercentCoding.encode($0))) }))
        }
        file["createdTime"] = .string(createdTime.rfc3339)
        file["modifiedTime"] = .string(modifiedTime.rfc3339)
        if let driveID {
            file["driveId"] = .string(driveID)
            file["teamDriveId"] = .string(driveID)
            file["hasAugmentedPermissions"] = JSON(!self.permissions.isEmpty)
        } else {
            file["owners"] = [Self.user(owner, caller: caller)]
            file["ownedByMe"] = JSON(owner == caller)
            file["shared"] = JSON(permissions.count > 1)
            // Only who may share a file sees whom it is shared with, and in shared drives nobody sees it here.
            if role ?? .reader >= .writer {
                file["permissions"] = .array(
                    permissions.map { $0.permission.resource(inSharedDrive: false, inheritedFrom: nil) })
            }
        }
        if role ?? .reader >= .writer {
            file["permissionIds"] = .array(permissions.map { .string($0.permission.id) })
        }
        file["lastModifyingUser"] = Self.user(owner, caller: caller)
        file["writersCanShare"] = true
        file["quotaBytesUsed"] = .string(isSpreadsheet ? "1024" : String(content?.bytes.count ?? 0))
        content?.describe(in: &file)
        if let shortcut {
            file["shortcutDetails"] = [
                "targetId": .string(shortcut.targetID), "targetMimeType": .string(shortcut.targetType),
            ]
        }
        file["capabilities"] = capabilities(role ?? .reader)
        return .object(file)
    }

    private func capabilities(_ role: Permission.Role) -> JSON {
        let canEdit = JSON(role >= .writer)
        let isMember = driveID != nil
        return [
            "canEdit": canEdit, "canRename": canEdit, "canModifyContent": canEdit, "canShare": canEdit,
            "canComment": JSON(role >= .commenter), "canCopy": JSON(!isFolder), "canDownload": JSON(!isFolder),
            "canAddChildren": JSON(isFolder && role >= .writer), "canListChildren": JSON(isFolder),
            "canTrash": JSON(parent != nil && role >= (isMember ? .writer : .owner)),
            "canUntrash": JSON(parent != nil && role >= (isMember ? .writer : .owner)),
            "canDelete": JSON(parent != nil && role >= (isMember ? .organizer : .owner)),
        ]
    }

    /// Where a person looks at it; nil for what has no page.
    func webViewLink(baseURL: String) -> String? {
        if isSpreadsheet { return "\(baseURL)/spreadsheets/d/\(id)/edit?usp=drivesdk" }
        return isFolder ? "\(baseURL)/drive/folders/\(id)" : nil
    }

    /// Google's resource of a person.
    static func user(_ email: String, caller: String) -> JSON {
        [
            "kind": "drive#user", "displayName": .string(displayName(email)),
            "me": JSON(email == caller), "permissionId": .string(Permission.id(ofAddress: email)),
            "emailAddress": .string(email),
        ]
    }

    /// The name of a person; a service account has none but its address.
    static func displayName(_ email: String) -> String {
        email.hasSuffix(".gserviceaccount.com") ? email : String(email.prefix { $0 != "@" })
    }

    private static func map(_ values: [String: String]) -> JSON {
        .object(
            JSONObject(values.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
    }
}
