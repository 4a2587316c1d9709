public import JSON

/// A file or folder as Drive describes it.
public struct DriveFile: Sendable, Hashable {
    /// The type of a folder.
    public static let folderType = "application/vnd.google-apps.folder"
    /// The type of a spreadsheet.
    public static let spreadsheetType = "application/vnd.google-apps.spreadsheet"

    /// What is asked of Drive about each file.
    static let mask =
        "id,name,mimeType,parents,driveId,webViewLink,appProperties,createdTime,trashed,explicitlyTrashed,"
        + "shortcutDetails.targetId"

    /// The id.
    public let id: String
    /// The name; not unique in a folder.
    public let name: String
    /// The type; empty where Drive did not tell.
    public let mimeType: String
    /// The folders it lies in: one, or none where this identity may not see it.
    public let parents: [String]
    /// The shared drive it lies in; nil for somebody's own drive.
    public let driveID: String?
    /// Where a person opens it.
    public let webViewLink: String?
    /// Marks that only this Cloud project sees.
    public let appProperties: [String: String]
    /// When it was made.
    public let createdTime: Timestamp?
    /// Whether it, or a folder above it, is in the trash.
    public let isTrashed: Bool
    /// Whether it is in the trash itself, and not only with a folder above it.
    public let isExplicitlyTrashed: Bool
    /// The id of the file that a shortcut points to; nil for what is no shortcut.
    public let shortcutTarget: String?

    /// Reads a file's JSON; nil without id and name.
    public init?(_ json: JSON) {
        guard let id = json["id"]?.string, let name = json["name"]?.string else { return nil }
        self.id = id
        self.name = name
        mimeType = json["mimeType"]?.string ?? ""
        parents = json["parents"]?.array?.compactMap(\.string) ?? []
        driveID = json["driveId"]?.string
        webViewLink = json["webViewLink"]?.string
        var properties: [String: String] = [:]
        for member in json["appProperties"]?.object ?? JSONObject() { properties[member.name] = member.value.string }
        appProperties = properties
        createdTime = json["createdTime"]?.string.flatMap { Timestamp(rfc3339: $0) }
        isTrashed = json["trashed"]?.bool ?? false
        isExplicitlyTrashed = json["explicitlyTrashed"]?.bool ?? false
        shortcutTarget = json["shortcutDetails"]?["targetId"]?.string
    }
}
