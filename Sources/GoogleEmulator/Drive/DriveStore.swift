/// The files of all drives.
struct DriveStore: Sendable {
    private(set) var files: [String: DriveFile] = [:]
    /// The ids that `generateIds` has given out.
    private(set) var generatedIDs: Set<String> = []
    /// The top folders of people's own drives by address.
    private(set) var roots: [String: String] = [:]
    /// The shared drives by id.
    private(set) var sharedDrives: [String: SharedDrive] = [:]
    /// The ids of drives by the request that made them, for that request may come again.
    var driveRequests: [String: String] = [:]
    /// How late new files show up in lists.
    var visibility = LateVisibility()

    /// Makes a shared drive; an open one has everybody as a member, another its maker.
    mutating func addSharedDrive(id: String, name: String, maker: String?, now: Timestamp) {
        sharedDrives[id] = SharedDrive(id: id, name: name, createdTime: now, isOpen: maker == nil)
        var folder = DriveFile(
            id: id, name: name, mimeType: DriveFile.folderType, parent: nil, createdTime: now, modifiedTime: now,
            driveID: id, owner: maker ?? "shared-drive@example.com")
        if let maker { folder.permissions = [Permission(grantee: .user(maker), role: .organizer)] }
        files[id] = folder
    }

    /// Changes a shared drive; nil takes it away.
    mutating func setSharedDrive(_ id: String, _ drive: SharedDrive?) {
        sharedDrives[id] = drive
        if let drive { files[id]?.name = drive.name } else { files[id] = nil }
    }

    /// The top folder of somebody's own drive, made when it is first asked for.
    mutating func root(of email: String, now: Timestamp) -> String {
        if let id = roots[email] { return id }
        let id = "0A" + Identifiers.random(11) + "Uk9PVA"
        roots[email] = id
        files[id] = DriveFile(
            id: id, name: "My Drive", mimeType: DriveFile.folderType, parent: nil, createdTime: now, modifiedTime: now,
            driveID: nil, owner: email)
        return id
    }

    /// The file of an id.
    subscript(id: String) -> DriveFile? {
        get { files[id] }
        set { files[id] = newValue }
    }

    /// Gives out ids that a create may use.
    mutating func generateIDs(_ count: Int) -> [String] {
        let ids = (0..<count).map { _ in Identifiers.file(isDocument: false) }
        generatedIDs.formUnion(ids)
        return ids
    }

    /// A file and the folders above it, up to the top of its drive.
    func lineage(_ file: DriveFile) -> some Sequence<DriveFile> {
        sequence(first: file) { $0.parent.flatMap { files[$0] } }
    }

    /// Whether a file lies in the trash, by itself or by a folder above it.
    func isTrashed(_ file: DriveFile) -> Bool { lineage(file).contains { $0.isTrashed } }

    /// Whether a file is a folder's own or lies anywhere below it.
    func contains(_ folder: String, _ id: String) -> Bool {
        var current: String? = id
        while let step = current {
            if step == folder { return true }
            current = files[step]?.parent
        }
        return false
    }

    /// Takes a file away, with all that lies below it; the ids of what went.
    mutating func delete(_ id: String) -> [String] {
        let doomed = files.keys.filter { contains(id, $0) }
        for id in doomed { files[id] = nil }
        return doomed
    }

    /// Takes a file into another drive, or out of a shared one to the caller's own; folders stay in their drive.
    func move(_ file: inout DriveFile, intoDrive id: String?, caller: String) throws(GoogleError) {
        guard !file.isFolder else {
            throw GoogleError(
                code: 403, message: "Moving folders into shared drives is not supported.",
                reason: "teamDrivesFolderMoveInNotSupported")
        }
        file.driveID = id
        if id == nil { file.owner = caller }
    }

    /// What lies directly in a folder, by kind and name.
    func children(of folder: String) -> [DriveFile] {
        files.values.filter { $0.parent == folder }
            .sorted { ($0.isFolder ? 0 : 1, $0.name, $0.id) < ($1.isFolder ? 0 : 1, $1.name, $1.id) }
    }

    /// What somebody may do with a file; nil for nothing.
    ///
    /// Only permissions that make files show up in lists count where `isListing` is set.
    func role(of email: String, _ file: DriveFile, isListing: Bool = false) -> Permission.Role? {
        if file.driveID == nil, file.owner == email { return .owner }
        if let id = file.driveID, sharedDrives[id]?.isOpen == true { return .organizer }
        var best: Permission.Role?
        for step in lineage(file) {
            if step.driveID == nil, step.owner == email { best = max(best ?? .writer, .writer) }
            for permission in step.permissions where permission.covers(email) && (!isListing || permission.isListed) {
                best = max(best ?? permission.role, permission.role)
            }
        }
        return best
    }

    /// The permissions of a file with those it takes over from the folders above, and where each comes from.
    func permissions(of file: DriveFile) -> [(permission: Permission, inheritedFrom: String?)] {
        var found: [(permission: Permission, inheritedFrom: String?)] = []
        if file.driveID == nil { found.append((Permission(grantee: .user(file.owner), role: .owner), nil)) }
        for step in lineage(file) {
            for permission in step.permissions where !found.contains(where: { $0.permission.id == permission.id }) {
                found.append((permission, step.id == file.id ? nil : step.id))
            }
        }
        return found
    }
}
