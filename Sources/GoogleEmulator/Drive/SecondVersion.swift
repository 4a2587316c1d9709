import JSON

/// Drive's second version, as far as the emulator plays it: replacing a file's content, which gspread does by it.
enum SecondVersion {
    /// A resource of the third version in the second's terms.
    static func file(_ file: JSON) -> JSON {
        var object = JSONObject()
        object["kind"] = "drive#file"
        object["id"] = file["id"] ?? .null
        object["title"] = file["name"] ?? .null
        object["mimeType"] = file["mimeType"] ?? .null
        object["labels"] = ["starred": file["starred"] ?? false, "trashed": file["trashed"] ?? false]
        object["createdDate"] = file["createdTime"] ?? .null
        object["modifiedDate"] = file["modifiedTime"] ?? .null
        object["alternateLink"] = file["webViewLink"]
        object["parents"] = .array(
            (file["parents"]?.array ?? []).map { ["kind": "drive#parentReference", "id": $0] })
        object["version"] = file["version"] ?? .null
        return .object(object)
    }
}
