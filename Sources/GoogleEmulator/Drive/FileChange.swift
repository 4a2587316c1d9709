import JSON

/// What a create or an update says of a file, checked against Drive's rules.
struct FileChange: Sendable {
    private static let writable: Set<String> = [
        "id", "kind", "name", "mimeType", "description", "starred", "trashed", "parents", "properties", "appProperties",
        "folderColorRgb", "createdTime", "modifiedTime", "viewedByMeTime", "contentHints", "writersCanShare",
        "copyRequiresWriterPermission", "viewersCanCopyContent", "originalFilename", "contentRestrictions",
        "downloadRestrictions", "inheritedPermissionsDisabled", "shortcutDetails",
    ]

    private let body: JSON

    init(_ body: JSON) throws(GoogleError) {
        self.body = body
        guard body.object?.names.allSatisfy(Self.writable.contains) != false else {
            throw GoogleError(
                code: 403, message: "The resource body includes fields which are not directly writable.",
                reason: "fieldNotWritable")
        }
    }

    var id: String? { body["id"]?.string }
    var name: String? { body["name"]?.string }
    var mimeType: String? { body["mimeType"]?.string }
    var shortcutTarget: String? { body["shortcutDetails"]?["targetId"]?.string }
    var originalName: String? { body["originalFilename"]?.string }
    var parents: [String]? { body["parents"]?.array?.compactMap(\.string) }

    /// Brings the change into a file.
    func apply(to file: inout DriveFile) throws(GoogleError) {
        if let name { file.name = name }
        if let description = body["description"] { file.description = description.string }
        if let starred = body["starred"]?.bool { file.isStarred = starred }
        if let trashed = body["trashed"]?.bool { file.isTrashed = trashed }
        file.properties = try merged(file.properties, "properties")
        file.appProperties = try merged(file.appProperties, "appProperties")
        file.createdTime = try time("createdTime") ?? file.createdTime
        file.modifiedTime = try time("modifiedTime") ?? file.modifiedTime
    }

    private func time(_ name: String) throws(GoogleError) -> Timestamp? {
        guard let text = body[name]?.string else { return nil }
        guard let time = Timestamp(rfc3339: text) else { throw .invalidParameter(name) }
        return time
    }

    /// Properties merge key by key, null takes one away.
    ///
    /// At most 30 of each kind, each at most 124 bytes with its key.
    private func merged(_ old: [String: String], _ name: String) throws(GoogleError) -> [String: String] {
        guard let changes = body[name]?.object else { return old }
        var result = old
        for change in changes {
            guard let value = change.value.string else {
                result[change.name] = nil
                continue
            }
            guard change.name.utf8.count + value.utf8.count <= 124 else {
                throw GoogleError(
                    code: 400, message: "The key and the value of a property must not exceed 124 bytes together.",
                    reason: "invalid")
            }
            result[change.name] = value
        }
        guard result.count <= 30 else {
            throw GoogleError(
                code: 403, message: "The maximum number of properties for this file has been exceeded.",
                reason: "limitExceeded")
        }
        return result
    }
}
