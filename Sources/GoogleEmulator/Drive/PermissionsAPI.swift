import JSON

/// Drive's permissions.
enum PermissionsAPI {
    private static let usualFields = FieldMask(children: ["kind": .all, "id": .all, "type": .all, "role": .all])

    /// Answers a call.
    static func respond(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> EmulatorResponse? {
        let file = try DriveAPI.find(call.variable("fileId"), call, drive)
        switch call.method.id {
        case "drive.permissions.list": return .json(try list(file, call, drive))
        case "drive.permissions.get":
            let found = try find(file, call, drive)
            return answer(found.permission, file, found.inheritedFrom, call)
        case "drive.permissions.create": return try create(file, call, &drive)
        case "drive.permissions.update": return try update(file, call, &drive)
        case "drive.permissions.delete": return try delete(file, call, &drive)
        default: return nil
        }
    }

    private static func answer(
        _ permission: Permission, _ file: DriveFile, _ origin: String?, _ call: APICall
    ) -> EmulatorResponse {
        .json(
            (call.fields ?? usualFields).filter(
                permission.resource(inSharedDrive: file.driveID != nil, inheritedFrom: origin)))
    }

    private static func find(
        _ file: DriveFile, _ call: APICall, _ drive: DriveStore
    ) throws(GoogleError) -> (permission: Permission, inheritedFrom: String?) {
        try checkRole(of: file, call, drive, isOwn: true)
        let id = call.variable("permissionId")
        guard let found = drive.permissions(of: file).first(where: { $0.permission.id == id }) else {
            var error = GoogleError(code: 404, message: "Permission not found: \(id).", reason: "notFound")
            error.location = (kind: "parameter", name: "permissionId")
            throw error
        }
        return found
    }

    /// Who shares must be able to write, and to organize where a shared drive itself is meant.
    private static func checkRole(
        of file: DriveFile, _ call: APICall, _ drive: DriveStore, isOwn: Bool = false
    ) throws(GoogleError) {
        let needed: Permission.Role = drive.sharedDrives[file.id] == nil ? .writer : .organizer
        if isOwn, call.variables["permissionId"] == Permission.id(ofAddress: call.token.email) { return }
        guard drive.role(of: call.token.email, file) ?? .reader >= needed else {
            throw GoogleError(
                code: 403, message: "The user does not have sufficient permissions for file \(file.id).",
                reason: "insufficientFilePermissions")
        }
    }

    private static func list(_ file: DriveFile, _ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON {
        try checkRole(of: file, call, drive)
        let all = drive.permissions(of: file)
        let size = call.query["pageSize"].flatMap(Int.init) ?? (file.driveID == nil ? max(all.count, 1) : 100)
        guard (1...100).contains(size) || call.query["pageSize"] == nil else { throw .invalidParameter("pageSize") }
        let start = call.query["pageToken"].map { Int($0) ?? -1 } ?? 0
        guard start >= 0 else { throw .invalidParameter("pageToken") }
        let page = all.dropFirst(start).prefix(size)
        var answer = JSONObject()
        answer["kind"] = "drive#permissionList"
        if start + page.count < all.count { answer["nextPageToken"] = .string(String(start + page.count)) }
        answer["permissions"] = .array(
            page.map { $0.permission.resource(inSharedDrive: file.driveID != nil, inheritedFrom: $0.inheritedFrom) })
        let usual = FieldMask(children: ["kind": .all, "nextPageToken": .all, "permissions": usualFields])
        return (call.fields ?? usual).filter(.object(answer))
    }

    private static func create(
        _ file: DriveFile, _ call: APICall, _ drive: inout DriveStore
    ) throws(GoogleError) -> EmulatorResponse {
        try checkRole(of: file, call, drive)
        let request = try PermissionRequest(call, file)
        if request.permission.role == .owner { return try transfer(file, to: request.permission, call, &drive) }
        let inherited = drive.permissions(of: file).first { $0.permission.id == request.permission.id }
        if let inherited, inherited.permission.role >= request.permission.role, inherited.inheritedFrom != nil {
            return answer(inherited.permission, file, inherited.inheritedFrom, call)
        }
        if inherited?.permission.role == .owner {
            return answer(Permission(grantee: request.permission.grantee, role: .owner), file, nil, call)
        }
        set(request.permission, of: file.id, &drive)
        return answer(request.permission, file, nil, call)
    }

    private static func set(_ permission: Permission, of id: String, _ drive: inout DriveStore) {
        drive[id]?.permissions.removeAll { $0.id == permission.id }
        drive[id]?.permissions.append(permission)
        drive[id]?.version += 1
    }

    private static func transfer(
        _ file: DriveFile, to permission: Permission, _ call: APICall, _ drive: inout DriveStore
    ) throws(GoogleError) -> EmulatorResponse {
        guard case .user(let email) = permission.grantee, file.owner == call.token.email else {
            throw DriveAPI.notPermitted(file.id)
        }
        let root = drive.root(of: email, now: call.now)
        if call.query.flag("moveToNewOwnersRoot") { drive[file.id]?.parent = root }
        drive[file.id]?.permissions.removeAll { $0.id == permission.id }
        drive[file.id]?.owner = email
        set(Permission(grantee: .user(file.owner), role: .writer), of: file.id, &drive)
        return answer(permission, file, nil, call)
    }

    private static func update(
        _ file: DriveFile, _ call: APICall, _ drive: inout DriveStore
    ) throws(GoogleError) -> EmulatorResponse {
        var (permission, origin) = try find(file, call, drive)
        try checkRole(of: file, call, drive)
        guard call.body.object?.names.allSatisfy(["role", "expirationTime", "kind", "id"].contains) != false else {
            throw GoogleError(
                code: 403, message: "The resource body includes fields which are not directly writable.",
                reason: "fieldNotWritable")
        }
        if let name = call.body["role"]?.string { permission.role = try PermissionRequest.role(name, call, file) }
        if let time = call.body["expirationTime"]?.string { permission.expirationTime = time }
        if call.query.flag("removeExpiration") { permission.expirationTime = nil }
        if permission.role == .owner { return try transfer(file, to: permission, call, &drive) }
        if permission.id == Permission.id(ofAddress: file.owner), file.driveID == nil {
            throw DriveAPI.notPermitted(file.id)
        }
        if origin != nil, file.driveID != nil {
            throw GoogleError(
                code: 403, message: "Cannot update the permission because it is inherited.",
                reason: "cannotModifyInheritedTeamDrivePermission")
        }
        set(permission, of: file.id, &drive)
        return answer(permission, file, nil, call)
    }

    private static func delete(
        _ file: DriveFile, _ call: APICall, _ drive: inout DriveStore
    ) throws(GoogleError) -> EmulatorResponse {
        let (permission, origin) = try find(file, call, drive)
        guard permission.role != .owner else {
            throw GoogleError(
                code: 403, message: "The owner of a file cannot be removed.", reason: "insufficientFilePermissions")
        }
        guard origin == nil else {
            throw GoogleError(
                code: 403, message: "Cannot delete the permission because it is inherited.",
                reason: "cannotModifyInheritedTeamDrivePermission")
        }
        drive[file.id]?.permissions.removeAll { $0.id == permission.id }
        drive[file.id]?.version += 1
        return .noContent
    }
}
