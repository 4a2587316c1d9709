import Google
import Synchronization

/// Finds the folder of a path, and makes what is missing of it: once, whatever number of jobs and workers ask.
///
/// The first use of a path adopts the oldest live folder of that name. Otherwise an id is generated and remembered before
/// the folder is made with it; a second maker gets "exists already", which is as good.
public final class FolderDirectory: Sendable {
    private struct Place: Hashable {
        let parent: String
        let name: String
    }

    private let memory: FolderMemory
    private let root: String
    private let known = Mutex<[Place: Task<String, any Error>]>([:])

    /// Makes a directory below a root: a shared drive's id, or `root` for the identity's own Drive.
    public init(memory: FolderMemory, root: String?) {
        self.memory = memory
        self.root = root ?? "root"
    }

    /// The id of a path's last folder; of an empty path none, so that what is made lies in the root.
    func find(_ path: [String], using drive: DriveClient) async throws -> String? {
        var parent = root
        for name in path { parent = try await find(Place(parent: parent, name: name), using: drive) }
        return path.isEmpty ? nil : parent
    }

    /// Forgets a folder that is not there any more; the next job that needs it finds or makes another.
    func forget(_ id: String) async throws {
        try await memory.forget(id)
        // What lies below it is remembered under its id and never asked for again.
        known.withLock { $0 = [:] }
    }

    /// All jobs that ask for a place at the same time wait for one search.
    private func find(_ place: Place, using drive: DriveClient) async throws -> String {
        let search = known.withLock { known in
            if let search = known[place] { return search }
            let search = Task { try await self.search(place, using: drive) }
            known[place] = search
            return search
        }
        do {
            return try await search.value
        } catch {
            known.withLock { known in
                if known[place] == search { known[place] = nil }
            }
            throw error
        }
    }

    private func search(_ place: Place, using drive: DriveClient) async throws -> String {
        var entry = try await memory.find(place.name, in: place.parent)
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

    /// Names are compared here, because Drive's search by name lags behind and its search by parent does not.
    private func oldestFolder(at place: Place, using drive: DriveClient) async throws -> String? {
        let namesakes = try await drive.list(
            .parent(place.parent) && .mimeType(DriveFile.folderType) && .trashed(false)
        ).filter { $0.name == place.name }
        return namesakes.min { one, other in
            guard let made = one.createdTime, let madeOther = other.createdTime else { return one.createdTime != nil }
            return (made, one.id) < (madeOther, other.id)
        }?.id
    }
}
