import Google
import JobQueue
import Synchronization

/// Finds the folder of a path, and makes what is missing of it: once, whatever number of jobs and workers ask.
///
/// The first use of a path adopts the oldest live folder of that name. Otherwise an id is generated and remembered before
/// the folder is made with it; a second maker gets "exists already", which is as good. A remembered folder is looked at now
/// and then, since people move, rename and throw away folders, and Drive puts files into trashed ones without a word.
public final class FolderDirectory: Sendable {
    private struct Place: Hashable {
        let parent: String
        let name: String
    }

    private struct Search {
        let task: Task<String, any Error>
        let begin: ContinuousClock.Instant
    }

    private let memory: FolderMemory
    private let root: String
    private let recheckInterval: Duration
    private let known = Mutex<[Place: Search]>([:])
    /// The id that `root` stands for.
    private let rootID = Mutex<String?>(nil)

    /// Makes a directory below a root: a shared drive's id, or `root` for the identity's own Drive.
    ///
    /// - Parameter recheckInterval: How long a folder is trusted to be what it was when it was looked at last.
    public init(memory: FolderMemory, root: String?, recheckInterval: Duration = .seconds(600)) {
        self.memory = memory
        self.root = root ?? "root"
        self.recheckInterval = recheckInterval
    }

    /// The id of a path's last folder; of an empty path none, so that what is made lies in the root.
    func find(_ path: [String], using drive: DriveClient) async throws -> String? {
        var parent = root
        for name in path {
            do {
                parent = try await find(Place(parent: parent, name: name), using: drive)
            } catch {
                guard let error = error as? GoogleError, error.code == .notFound else { throw error }
                if let objection = try await drive.sharedDriveObjection() {
                    throw JobFailure.missingDrive(root, objection)
                }
                guard parent != root else { throw error }
                try await forget(parent)
                throw JobFailure(
                    code: error.code.rawValue,
                    message: "The folder \(parent), in which \(name) should lie, is gone; it is looked for anew.",
                    retry: .backoff)
            }
        }
        return path.isEmpty ? nil : parent
    }

    /// How many of a path's folders are not remembered, without a look at Google.
    func missing(of path: [String]) async throws -> Int {
        var parent = root
        for (index, name) in path.enumerated() {
            guard let entry = try await memory.find(name, in: parent), entry.isMade else { return path.count - index }
            parent = entry.id
        }
        return 0
    }

    /// The id of a path's last folder as it is remembered, without a look at Google; nil where it is not known to be made.
    func remembered(_ path: [String]) async throws -> String? {
        var parent = root
        for name in path {
            guard let entry = try await memory.find(name, in: parent), entry.isMade else { return nil }
            parent = entry.id
        }
        return parent
    }

    /// Forgets a folder that is not there any more; the next job that needs it finds or makes another.
    func forget(_ id: String) async throws {
        try await memory.forget(id)
        // What lies below it is remembered under its id and never asked for again.
        known.withLock { $0 = [:] }
    }

    /// All jobs that ask for a place at the same time wait for one search.
    private func find(_ place: Place, using drive: DriveClient) async throws -> String {
        while true {
            let now = ContinuousClock.now
            let (search, isOwn) = known.withLock { known in
                if let search = known[place], now - search.begin < recheckInterval { return (search, false) }
                // One customer's folders a day would fill the memory in a year.
                if known.count > 1_000 { known = known.filter { now - $0.value.begin < recheckInterval } }
                let search = Search(task: Task { try await self.search(place, using: drive) }, begin: now)
                known[place] = search
                return (search, true)
            }
            do {
                return try await search.task.value
            } catch {
                known.withLock { known in
                    if known[place]?.task == search.task { known[place] = nil }
                }
                // That another job may not go on says nothing of this one.
                guard !isOwn, (error as? GoogleError)?.code == .cancelled else { throw error }
            }
        }
    }

    private func search(_ place: Place, using drive: DriveClient) async throws -> String {
        var entry = try await memory.find(place.name, in: place.parent)
        if let found = entry, found.isMade, try await !isInPlace(found.id, place, using: drive) {
            try await memory.forget(found.id)
            entry = nil
        }
        if entry == nil, let oldest = try await oldestFolder(at: place, using: drive) {
            entry = try await memory.remember(place.name, in: place.parent, id: oldest, isMade: true)
        }
        if entry == nil {
            let id = try await drive.generateIDs(1)[0]
            entry = try await memory.remember(place.name, in: place.parent, id: id, isMade: false)
        }
        guard let entry else { preconditionFailure("an entry was found or made") }
        if entry.isMade { return entry.id }
        let parent = place.parent == root ? nil : place.parent
        _ = try await drive.createFolder(id: entry.id, name: place.name, parent: parent)
        return try await memory.remember(place.name, in: place.parent, id: entry.id, isMade: true).id
    }

    /// Whether a remembered folder is still a live one of this name in this place.
    private func isInPlace(_ id: String, _ place: Place, using drive: DriveClient) async throws -> Bool {
        let folder: DriveFile
        do throws(GoogleError) {
            folder = try await drive.file(id)
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
        guard !folder.isTrashed, Self.trimmed(folder.name) == Self.trimmed(place.name) else { return false }
        return folder.parents.contains(try await self.id(of: place.parent, using: drive))
    }

    private func id(of parent: String, using drive: DriveClient) async throws -> String {
        guard parent == "root" else { return parent }
        if let id = rootID.withLock(\.self) { return id }
        let id = try await drive.file(parent).id
        rootID.withLock { $0 = id }
        return id
    }

    /// A name without surrounding white space, of which nobody promises that Drive keeps it.
    private static func trimmed(_ name: String) -> Substring {
        var name = name[...]
        while name.first?.isWhitespace == true { name.removeFirst() }
        while name.last?.isWhitespace == true { name.removeLast() }
        return name
    }

    /// Names are compared here, because Drive's search by name lags behind and its search by parent does not.
    private func oldestFolder(at place: Place, using drive: DriveClient) async throws -> String? {
        let namesakes = try await drive.list(
            .parent(place.parent) && .mimeType(DriveFile.folderType) && .trashed(false)
        ).filter { Self.trimmed($0.name) == Self.trimmed(place.name) }
        return namesakes.min { one, other in
            guard let made = one.createdTime, let madeOther = other.createdTime else { return one.createdTime != nil }
            return (made, one.id) < (madeOther, other.id)
        }?.id
    }
}
