import JSON

/// Drive's `files.list`.
enum DriveList {
    /// The page of files that a call asks for.
    static func respond(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> JSON {
        let pageSize = call.query["pageSize"].flatMap(Int.init) ?? 100
        guard (1...1000).contains(pageSize) else {
            throw .invalidParameter(
                "pageSize", message: "Invalid value '\(pageSize)'. Values must be within the range: [1, 1000]",
                reason: "invalidParameter")
        }
        guard let order = DriveOrder(call.query["orderBy"]) else { throw .invalidParameter("orderBy") }
        let start = try pageStart(call.query["pageToken"])
        let found = try search(call, &drive).sorted(by: order.precedes)
        let page = found.dropFirst(start).prefix(pageSize)

        var answer = JSONObject()
        answer["kind"] = "drive#fileList"
        answer["incompleteSearch"] = false
        if start + page.count < found.count {
            answer["nextPageToken"] = .string(tokenPrefix + String(start + page.count))
        }
        let files = page.map {
            $0.resource(caller: call.token.email, drive: drive, baseURL: call.baseURL)
        }
        let fields =
            call.fields
            ?? FieldMask(children: [
                "kind": .all, "incompleteSearch": .all, "nextPageToken": .all, "files": DriveAPI.usualFields,
            ])
        answer["files"] = .array(files)
        return fields.filter(.object(answer))
    }

    private static let tokenPrefix = "~!!~"

    private static func pageStart(_ token: String?) throws(GoogleError) -> Int {
        guard let token else { return 0 }
        guard token.hasPrefix(tokenPrefix), let start = Int(token.dropFirst(tokenPrefix.count)) else {
            throw .invalidParameter("pageToken")
        }
        return start
    }

    private static func search(_ call: APICall, _ drive: inout DriveStore) throws(GoogleError) -> [DriveFile] {
        let query: DriveQuery?
        do { query = try call.query["q"].flatMap { $0.isEmpty ? nil : $0 }.map(DriveQueryParser.parse) } catch {
            throw .invalidParameter("q")
        }
        for space in (call.query["spaces"] ?? "drive").split(separator: ",") {
            guard ["drive", "appDataFolder", "photos"].contains(space) else { throw .invalidParameter("spaces") }
        }
        guard (call.query["spaces"] ?? "drive").split(separator: ",").contains("drive") else { return [] }
        let corpora = call.query["corpora"] ?? "user"
        let driveID = call.query["driveId"] ?? call.query["teamDriveId"]
        guard ["user", "drive", "domain", "allDrives", "teamDrive"].contains(corpora) else {
            throw .invalidParameter("corpora")
        }
        guard (corpora == "drive" || corpora == "teamDrive") == (driveID != nil) else {
            throw .invalidParameter(
                "corpora", message: "The driveId must be specified if and only if corpora is set to drive.")
        }
        let seesShared =
            (call.query.flag("includeItemsFromAllDrives") || call.query.flag("includeTeamDriveItems"))
            && (call.query.flag("supportsAllDrives") || call.query.flag("supportsTeamDrives"))
        if let driveID {
            guard seesShared else {
                throw .invalidParameter(
                    "includeItemsFromAllDrives",
                    message: "The includeItemsFromAllDrives parameter must be set to true when driveId is specified.")
            }
            guard let top = drive[driveID], drive.sharedDrives[driveID] != nil,
                drive.role(of: call.token.email, top) != nil
            else { throw SharedDrivesAPI.notFound(driveID) }
        }
        let root = drive.root(of: call.token.email, now: call.now)
        let store = drive
        let found = store.files.values.filter { file in
            guard file.parent != nil, seesShared || file.driveID == nil, driveID == nil || file.driveID == driveID,
                store.role(of: call.token.email, file, isListing: true) != nil && call.token.opens(file)
            else { return false }
            return query?.matches(
                .init(
                    file: file, isTrashed: store.isTrashed(file), caller: call.token.email, root: root, drive: store))
                ?? true
        }
        var visibility = store.visibility
        let listed = found.filter { !visibility.hides($0.id, query: query, now: call.now) }
        drive.visibility = visibility
        return listed
    }
}
