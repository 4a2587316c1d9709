import JSON

/// What a call of `permissions.create` asks for, checked against Drive's rules.
struct PermissionRequest: Sendable {
    let permission: Permission

    init(_ call: APICall, _ file: DriveFile) throws(GoogleError) {
        guard let type = call.body["type"]?.string else {
            throw Self.wrong("type", "The permission type field is required.", "required")
        }
        guard let name = call.body["role"]?.string else {
            throw Self.wrong("role", "The permission role field is required.", "required")
        }
        let role = try Self.role(name, call, file)
        let isFindable = call.body["allowFileDiscovery"]?.bool == true
        let grantee: Permission.Grantee
        switch type {
        case "user", "group":
            guard let email = call.body["emailAddress"]?.string, let at = email.firstIndex(of: "@"),
                at > email.startIndex, email.index(after: at) < email.endIndex, !email.contains(" ")
            else {
                throw Self.wrong(
                    "emailAddress",
                    "The specified emailAddress is invalid or not applicable for the given permission type.")
            }
            grantee = type == "user" ? .user(email) : .group(email)
        case "domain":
            guard let domain = call.body["domain"]?.string, domain.contains("."), !domain.contains("@") else {
                throw Self.wrong(
                    "domain", "The specified domain is invalid or not applicable for the given permission type.")
            }
            grantee = .domain(domain, isFindable: isFindable)
        case "anyone": grantee = .anyone(isFindable: isFindable)
        default: throw Self.wrong("type", "The specified permission type is invalid or not supported.")
        }
        try Self.checkNotification(type, role, call)
        permission = Permission(
            grantee: grantee, role: role, expirationTime: call.body["expirationTime"]?.string)
    }

    /// Reads a role, and checks that the file can have it.
    static func role(_ name: String, _ call: APICall, _ file: DriveFile) throws(GoogleError) -> Permission.Role {
        guard let role = Permission.Role(rawValue: name) else {
            throw wrong("role", "The specified role is invalid or not supported.")
        }
        let isShared = file.driveID != nil
        switch role {
        case .owner:
            guard !isShared else {
                throw GoogleError(
                    code: 403, message: "Files in shared drives have no owner.",
                    reason: "ownerOnTeamDriveItemNotSupported")
            }
            guard call.query.flag("transferOwnership") else {
                var error = GoogleError(
                    code: 403,
                    message: "The transferOwnership parameter must be enabled when the permission role is 'owner'.",
                    reason: "forbidden")
                error.location = (kind: "parameter", name: "transferOwnership")
                throw error
            }
        case .organizer where !isShared:
            throw GoogleError(
                code: 403, message: "The organizer role is only valid in shared drives.",
                reason: "organizerOnNonTeamDriveItemNotSupported")
        case .fileOrganizer where !isShared:
            throw GoogleError(
                code: 403, message: "The fileOrganizer role is only valid in shared drives.",
                reason: "fileOrganizerOnNonTeamDriveNotSupported")
        default: break
        }
        return role
    }

    /// Mail goes to people and groups only, and to a new owner always.
    private static func checkNotification(
        _ type: String, _ role: Permission.Role, _ call: APICall
    ) throws(GoogleError) {
        if call.query.flag("sendNotificationEmail"), type != "user", type != "group" {
            throw .invalidParameter(
                "sendNotificationEmail",
                message: "Notification emails can only be sent for permissions of the types user and group.")
        }
        if role == .owner, call.query["sendNotificationEmail"]?.lowercased() == "false" {
            throw .invalidParameter(
                "sendNotificationEmail",
                message: "Notification emails cannot be suppressed for ownership transfers.")
        }
    }

    private static func wrong(_ field: String, _ message: String, _ reason: String = "invalid") -> GoogleError {
        var error = GoogleError(code: 400, message: message, reason: reason)
        error.location = (kind: "other", name: "permission.\(field)")
        return error
    }
}
