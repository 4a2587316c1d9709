public import JSON

/// What somebody may do with a file.
public struct DrivePermission: Sendable, Hashable {
    /// Whom a permission is for.
    public enum GranteeType: String, Sendable, Hashable, CaseIterable {
        /// A person, by address.
        case user
        /// A group of people, by address.
        case group
        /// Everybody of a Workspace domain.
        case domain
        /// Everybody who has the link.
        case anyone
    }

    /// What may be done, from the least to the most.
    public enum Role: String, Sendable, Hashable, CaseIterable, Comparable {
        case reader, commenter, writer, fileOrganizer, organizer, owner

        /// Orders by what may be done.
        public static func < (left: Self, right: Self) -> Bool {
            (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
        }
    }

    static let mask = "type,role,emailAddress,domain"

    /// Whom it is for.
    public let type: GranteeType
    /// The address of a user or group, or a domain's name; empty for anyone.
    public let grantee: String
    /// What may be done.
    public let role: Role

    /// Makes a permission.
    public init(type: GranteeType, grantee: String, role: Role) {
        self.type = type
        self.grantee = grantee
        self.role = role
    }

    /// Reads Google's JSON; nil for a kind that Google has added since.
    public init?(_ json: JSON) {
        guard let type = json["type"]?.string.flatMap(GranteeType.init),
            let role = json["role"]?.string.flatMap(Role.init)
        else { return nil }
        self.init(type: type, grantee: (json["emailAddress"] ?? json["domain"])?.string ?? "", role: role)
    }

    /// Whether it lets the grantee of another one do at least as much.
    public func covers(_ other: DrivePermission) -> Bool {
        type == other.type && grantee.lowercased() == other.grantee.lowercased() && role >= other.role
    }

    var json: JSON {
        var json = JSONObject()
        json["type"] = .string(type.rawValue)
        json["role"] = .string(role.rawValue)
        switch type {
        case .user, .group: json["emailAddress"] = .string(grantee)
        case .domain: json["domain"] = .string(grantee)
        case .anyone: break
        }
        return .object(json)
    }
}
