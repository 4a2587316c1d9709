import JSON

/// Drive's second version, as far as the emulator plays it: replacing a file's content, which gspread does by it.
enum SecondVersion {
    private static let exports = [
        ("application/x-vnd.oasis.opendocument.spreadsheet", "ods"), ("text/tab-separated-values", "tsv"),
        ("application/pdf", "pdf"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"), ("text/csv", "csv"),
        ("application/zip", "zip"), ("application/vnd.oasis.opendocument.spreadsheet", "ods"),
    ]

    /// A resource of the third version in the second's terms.
    static func file(_ file: JSON, _ call: APICall) -> JSON {
        let id = file["id"]?.string ?? ""
        let link = "https://www.googleapis.com/drive/v2/files/\(id)"
        var object = JSONObject()
        object["kind"] = "drive#file"
        object["userPermission"] = [
            "id": "me", "type": "user", "role": file["ownedByMe"] == true ? "owner" : "writer",
            "kind": "drive#permission", "selfLink": .string(link + "/permissions/me"),
            "etag": .string("\"" + Identifiers.random(27) + "\""), "pendingOwner": false,
        ]
        object["selfLink"] = .string(link)
        object["ownerNames"] = .array((file["owners"]?.array ?? []).compactMap { $0["displayName"] })
        object["lastModifyingUserName"] = file["lastModifyingUser"]?["displayName"]
        object["editable"] = file["capabilities"]?["canEdit"]
        object["writersCanShare"] = true
        object["mimeType"] = file["mimeType"]
        if file["mimeType"]?.string == DriveFile.spreadsheetType {
            object["exportLinks"] = .object(
                JSONObject(
                    exports.map { type, format in
                        let address = "\(call.baseURL)/spreadsheets/export?id=\(id)&exportFormat=\(format)"
                        return .init(name: type, value: .string(address))
                    }))
        }
        object["parents"] = .array((file["parents"]?.array ?? []).map { parent(link, $0.string ?? "") })
        object["thumbnailLink"] = .string("\(call.baseURL)/feeds/vt?gd=true&id=\(id)&v=1")
        object["appDataContents"] = false
        object["iconLink"] = .string("\(call.baseURL)/icons/16/type/\(file["mimeType"]?.string ?? "")")
        object["shared"] = file["shared"] ?? false
        object["lastModifyingUser"] = user(file["lastModifyingUser"] ?? [:])
        object["owners"] = .array((file["owners"]?.array ?? []).map(user))
        object["copyable"] = true
        object["etag"] = .string("\"" + Identifiers.random(18) + "\"")
        object["alternateLink"] = file["webViewLink"]
        object["embedLink"] = .string("\(call.baseURL)/spreadsheets/d/\(id)/htmlembed")
        object["fileSize"] = file["quotaBytesUsed"]
        object["copyRequiresWriterPermission"] = false
        object["spaces"] = ["drive"]
        object["id"] = .string(id)
        object["title"] = file["name"]
        object["labels"] = [
            "viewed": true, "restricted": false, "starred": file["starred"] ?? false, "hidden": false,
            "trashed": file["trashed"] ?? false,
        ]
        object["explicitlyTrashed"] = file["explicitlyTrashed"]
        object["createdDate"] = file["createdTime"]
        for name in ["modifiedDate", "modifiedByMeDate", "lastViewedByMeDate"] { object[name] = file["modifiedTime"] }
        object["markedViewedByMeDate"] = "1970-01-01T00:00:00.000Z"
        object["quotaBytesUsed"] = file["quotaBytesUsed"]
        object["version"] = file["version"]
        object["capabilities"] = ["canEdit": file["capabilities"]?["canEdit"] ?? false, "canCopy": true]
        let answer = JSON.object(object)
        return call.fields?.filter(answer) ?? answer
    }

    private static func parent(_ link: String, _ id: String) -> JSON {
        [
            "selfLink": .string("\(link)/parents/\(id)"), "id": .string(id), "isRoot": JSON(id.hasSuffix("Uk9PVA")),
            "kind": "drive#parentReference",
            "parentLink": .string("https://www.googleapis.com/drive/v2/files/\(id)"),
        ]
    }

    private static func user(_ user: JSON) -> JSON {
        [
            "displayName": user["displayName"] ?? .null, "kind": "drive#user",
            "isAuthenticatedUser": user["me"] ?? false, "permissionId": user["permissionId"] ?? .null,
            "emailAddress": user["emailAddress"] ?? .null,
            "picture": ["url": "https://lh3.googleusercontent.com/a/default-user=s64"],
        ]
    }
}
