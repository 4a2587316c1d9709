/// The files of all drives.
struct DriveStore: Sendable {
    private(set) var files: [String: DriveFile] = [:]
    /// The ids that `generateIds` has given out.
    private(set) var generatedIDs: Set<String> = []
    /// The top folders of people's own drives by address.
    private(set) var roots: [String: String] = [:]
    /// The id of the one shared drive, which is its top folder's too.
    private(set) var sharedDriveID: String?

    /// Makes the shared drive.
    mutating func addSharedDrive(id: String, name: String, now: Timestamp) {
        sharedDriveID = id
        files[id] = DriveFile(
            id: id, name: name, mimeType: DriveFile.folderType, parent: nil, createdTime: now, modifiedTime: now,
            driveID: id, owner: "shared-drive@example.com")
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

    /// Whether a file lies in the trash, by itself or by a folder above it.
    func isTrashed(_ file: DriveFile) -> Bool {
        var current: DriveFile? = file
        while let step = current {
            if step.isTrashed { return true }
            current = step.parent.flatMap { files[$0] }
        }
        return false
    }

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

    /// What lies directly in a folder, by kind and name.
    func children(of folder: String) -> [DriveFile] {
        files.values.filter { $0.parent == folder }
            .sorted { ($0.isFolder ? 0 : 1, $0.name, $0.id) < ($1.isFolder ? 0 : 1, $1.name, $1.id) }
    }
}
