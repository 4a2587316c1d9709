import JSON

/// Who may do what with a file.
struct Permission: Sendable {
    /// What somebody may do, from the least to the most.
    enum Role: String, Sendable, Comparable, CaseIterable {
        case reader, commenter, writer, fileOrganizer, organizer, owner

        static func < (left: Self, right: Self) -> Bool {
            allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
        }
    }

    /// Whom a permission is for.
    enum Grantee: Sendable, Hashable {
        case user(String)
        case group(String)
        case domain(String, isFindable: Bool)
        case anyone(isFindable: Bool)
    }

    let grantee: Grantee
    var role: Role
    var expirationTime: String?

    /// The id, which stays the same for a grantee.
    var id: String {
        switch grantee {
        case .user(let email), .group(let email): Self.id(ofAddress: email)
        case .domain(let domain, _): Self.id(ofAddress: domain) + "k"
        case .anyone(let isFindable): isFindable ? "anyone" : "anyoneWithLink"
        }
    }

    /// Whether somebody is meant; whom groups hold, the emulator does not know.
    func covers(_ email: String) -> Bool {
        switch grantee {
        case .user(let address), .group(let address): address.lowercased() == email.lowercased()
        case .domain(let domain, _): email.lowercased().hasSuffix("@" + domain.lowercased())
        case .anyone: true
        }
    }

    /// Whether files of this permission show up in the grantee's lists, not only by their address.
    var isListed: Bool {
        switch grantee {
        case .user, .group: true
        case .domain(_, let isFindable), .anyone(let isFindable): isFindable
        }
    }

    /// Google's resource; `inheritedFrom` is the item that a permission in a shared drive comes from.
    func resource(inSharedDrive: Bool, inheritedFrom: String?) -> JSON {
        var object = JSONObject()
        object["kind"] = "drive#permission"
        object["id"] = .string(id)
        object["type"] = .string(typeName)
        switch grantee {
        case .user(let email):
            object["emailAddress"] = .string(email)
            object["displayName"] = .string(DriveFile.displayName(email))
            object["deleted"] = false
            object["pendingOwner"] = false
        case .group(let email):
            object["emailAddress"] = .string(email)
            object["displayName"] = .string(DriveFile.displayName(email))
            object["deleted"] = false
        case .domain(let domain, let isFindable):
            object["domain"] = .string(domain)
            object["displayName"] = .string(domain)
            object["allowFileDiscovery"] = JSON(isFindable)
        case .anyone(let isFindable): object["allowFileDiscovery"] = JSON(isFindable)
        }
        object["role"] = .string(role.rawValue)
        object["expirationTime"] = expirationTime.map(JSON.string)
        if inSharedDrive {
            var detail: JSON = [
                "permissionType": inheritedFrom == nil ? "file" : "member", "role": .string(role.rawValue),
            ]
            if case .object(var members) = detail {
                members["inherited"] = JSON(inheritedFrom != nil)
                members["inheritedFrom"] = inheritedFrom.map(JSON.string)
                detail = .object(members)
            }
            object["permissionDetails"] = [detail]
        }
        return .object(object)
    }

    private var typeName: String {
        switch grantee {
        case .user: "user"
        case .group: "group"
        case .domain: "domain"
        case .anyone: "anyone"
        }
    }

    /// A number of 20 digits that stays the same for an address (FNV-1a).
    static func id(ofAddress email: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in email.lowercased().utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash)
        return String(repeating: "0", count: 20 - digits.count) + digits
    }
}
