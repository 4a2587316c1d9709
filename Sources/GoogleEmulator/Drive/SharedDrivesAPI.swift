import JSON

/// Drive's shared drives.
enum SharedDrivesAPI {
    private static let usualFields = FieldMask(children: ["kind": .all, "id": .all, "name": .all])

    /// Answers a call; nil for a method that the emulator does not play.
    static func respond(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> EmulatorResponse? {
        switch call.method.id {
        case "drive.drives.list": return .json(try list(call, drive))
        case "drive.drives.create": return try create(call, &drive)
        case "drive.drives.get": return answer(try find(call, drive), call, drive)
        case "drive.drives.update", "drive.drives.hide", "drive.drives.unhide": return try update(call, &drive)
        case "drive.drives.delete": return try delete(call, &drive)
        default: return nil
        }
    }

    /// The caller does not see a shared drive.
    static func notFound(_ id: String) -> GoogleError {
        var error = GoogleError(code: 404, message: "Shared drive not found: \(id)", reason: "notFound")
        error.location = (kind: "parameter", name: "driveId")
        return error
    }

    private static func role(_ id: String, _ call: APICall, _ drive: DriveStore) -> Permission.Role? {
        drive[id].flatMap { drive.role(of: call.token.email, $0) }
    }

    private static func answer(_ shared: SharedDrive, _ call: APICall, _ drive: DriveStore) -> EmulatorResponse {
        .json((call.fields ?? usualFields).filter(shared.resource(role: role(shared.id, call, drive))))
    }

    private static func find(
        _ call: APICall, _ drive: DriveStore, organizes: Bool = false
    ) throws(GoogleError) -> SharedDrive {
        let id = call.variable("driveId")
        guard let shared = drive.sharedDrives[id], let role = role(id, call, drive) else { throw notFound(id) }
        guard !organizes || role == .organizer else { throw DriveAPI.notPermitted(id) }
        return shared
    }

    private static func list(_ call: APICall, _ drive: DriveStore) throws(GoogleError) -> JSON {
        let size = call.query["pageSize"].flatMap(Int.init) ?? 10
        let start = call.query["pageToken"].map { Int($0) ?? -1 } ?? 0
        guard (1...100).contains(size) else { throw .invalidParameter("pageSize") }
        guard start >= 0 else { throw .invalidParameter("pageToken") }
        let query: DriveQuery?
        do { query = try call.query["q"].flatMap { $0.isEmpty ? nil : $0 }.map(DriveQueryParser.parse) } catch {
            throw .invalidParameter("q")
        }
        let found = drive.sharedDrives.values
            .filter { shared in
                guard let top = drive[shared.id], drive.role(of: call.token.email, top) != nil else { return false }
                return query?.matches(
                    .init(file: top, isTrashed: false, caller: call.token.email, root: nil, drive: drive)) ?? true
            }
            .sorted { ($0.name, $0.id) < ($1.name, $1.id) }
        let page = found.dropFirst(start).prefix(size)
        var answer = JSONObject()
        answer["kind"] = "drive#driveList"
        if start + page.count < found.count { answer["nextPageToken"] = .string(String(start + page.count)) }
        answer["drives"] = .array(page.map { $0.resource(role: role($0.id, call, drive)) })
        let usual = FieldMask(children: ["kind": .all, "nextPageToken": .all, "drives": usualFields])
        return (call.fields ?? usual).filter(.object(answer))
    }

    /// The one create that may be repeated: the same request id makes no second drive.
    private static func create(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> EmulatorResponse {
        guard let request = call.query["requestId"], !request.isEmpty else {
            throw .invalidParameter("requestId", message: "Required parameter: requestId", reason: "required")
        }
        guard let name = call.body["name"]?.string, !name.isEmpty else {
            throw GoogleError(
                code: 400, message: "The name of a shared drive cannot be empty.", reason: "invalid")
        }
        guard drive.driveRequests[request] == nil else {
            throw GoogleError(
                code: 409, message: "A shared drive already exists with the provided request ID.", reason: "conflict")
        }
        let id = "0A" + Identifiers.random(11) + "Uk9PVA"
        drive.driveRequests[request] = id
        drive.addSharedDrive(id: id, name: name, maker: call.token.email, now: call.now)
        guard let shared = drive.sharedDrives[id] else { throw notFound(id) }
        return answer(shared, call, drive)
    }

    private static func update(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> EmulatorResponse {
        let isRenaming = call.method.id == "drive.drives.update"
        var shared = try find(call, drive, organizes: isRenaming)
        if isRenaming, let name = call.body["name"]?.string { shared.name = name }
        if !isRenaming { shared.isHidden = call.method.id == "drive.drives.hide" }
        drive.setSharedDrive(shared.id, shared)
        return answer(shared, call, drive)
    }

    private static func delete(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> EmulatorResponse {
        let shared = try find(call, drive, organizes: true)
        guard drive.children(of: shared.id).isEmpty else {
            throw GoogleError(
                code: 403, message: "A shared drive that holds items cannot be deleted.",
                reason: "cannotDeleteNonEmptyTeamDrive")
        }
        drive.setSharedDrive(shared.id, nil)
        return .noContent
    }
}
