import JSON

/// A file or folder of Drive.
struct DriveFile: Sendable {
    static let folderType = "application/vnd.google-apps.folder"
    static let spreadsheetType = "application/vnd.google-apps.spreadsheet"

    let id: String
    var name: String
    let mimeType: String
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
    let driveID: String?
    /// Whose it is; files in shared drives belong to the drive, and this is who made them.
    let owner: String
    /// Counts the changes.
    var version = 1

    var isFolder: Bool { mimeType == Self.folderType }
    var isSpreadsheet: Bool { mimeType == Self.spreadsheetType }

    /// Google's resource of the file, with what the emulator knows.
    ///
    /// - Parameters:
    ///   - isTrashed: whether it lies in the trash, be it by a folder above it
    ///   - caller: the e-mail address of who asks
    ///   - baseURL: where the emulator's pages are
    func resource(isTrashed: Bool, caller: String, baseURL: String) -> JSON {
        var file: JSONObject = JSONObject()
        file["kind"] = "drive#file"
        file["id"] = .string(id)
        file["name"] = .string(name)
        file["mimeType"] = .string(mimeType)
        file["description"] = description.map(JSON.string)
        file["starred"] = JSON(isStarred)
        file["trashed"] = JSON(isTrashed)
        file["explicitlyTrashed"] = JSON(self.isTrashed)
        if let parent { file["parents"] = [.string(parent)] }
        if !properties.isEmpty { file["properties"] = Self.map(properties) }
        if !appProperties.isEmpty { file["appProperties"] = Self.map(appProperties) }
        file["spaces"] = ["drive"]
        file["version"] = .string(String(version))
        file["webViewLink"] = webViewLink(baseURL: baseURL).map(JSON.string)
        file["createdTime"] = .string(createdTime.rfc3339)
        file["modifiedTime"] = .string(modifiedTime.rfc3339)
        if let driveID {
            file["driveId"] = .string(driveID)
            file["teamDriveId"] = .string(driveID)
        } else {
            file["owners"] = [Self.user(owner, caller: caller)]
            file["ownedByMe"] = JSON(owner == caller)
        }
        file["lastModifyingUser"] = Self.user(owner, caller: caller)
        file["shared"] = JSON(driveID != nil)
        file["capabilities"] = ["canEdit": true, "canRename": true, "canTrash": true, "canAddChildren": JSON(isFolder)]
        return .object(file)
    }

    /// Where a person looks at it; nil for what has no page.
    func webViewLink(baseURL: String) -> String? {
        if isSpreadsheet { return "\(baseURL)/spreadsheets/d/\(id)/edit?usp=drivesdk" }
        return isFolder ? "\(baseURL)/drive/folders/\(id)" : nil
    }

    /// Google's resource of a person.
    static func user(_ email: String, caller: String) -> JSON {
        [
            "kind": "drive#user", "displayName": .string(String(email.prefix { $0 != "@" })),
            "me": JSON(email == caller), "permissionId": .string(permissionID(email)), "emailAddress": .string(email),
        ]
    }

    /// A number that stays the same for an address (FNV-1a, cut to 20 digits).
    private static func permissionID(_ email: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in email.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }

    private static func map(_ values: [String: String]) -> JSON {
        .object(
            JSONObject(values.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .string($0.value)) }))
    }
}
