import Google
import JobQueue
import Synchronization

/// The folders that were found to be allowed, for some minutes.
final class AllowedFolders: Sendable {
    private static let trust = Duration.seconds(600)
    /// Whoever names ever other folders makes this forget, and not grow.
    private static let most = 1_000

    private let folders = Mutex<[String: ContinuousClock.Instant]>([:])

    func contains(_ id: String) -> Bool {
        folders.withLock { $0[id].map { ContinuousClock.now - $0 < Self.trust } ?? false }
    }

    func insert(_ id: String) {
        folders.withLock { folders in
            if folders.count >= Self.most { folders.removeAll() }
            folders[id] = .now
        }
    }
}

extension Workspace {
    /// Drive nests folders no deeper.
    private static let deepest = 100

    /// Refuses a folder by whose members a spreadsheet in it would be shared with whom the settings forbid.
    ///
    /// What lies in a folder is for everybody who may see the folder. The default folder, what lies below it, and the shared
    /// drive are the operator's choice; any other folder counts as sharing with each of its members.
    func checkFolder(_ id: String, _ folders: FolderDirectory, using drive: DriveClient) async throws {
        guard configuration.limitsSharing, !allowedFolders.contains(id) else { return }
        let folder: DriveFile
        do throws(GoogleError) { folder = try await drive.file(id) } catch {
            // What is not there takes no file; whoever makes it there says so.
            if error.code == .notFound { return }
            throw error
        }
        if try await !isOwn(folder, folders, using: drive) {
            guard !configuration.sharing.isEmpty else {
                throw PayloadError(
                    .notAllowed, at: "folder_id",
                    "SHEETSYNC_SHARING is none, and this folder lies outside of the default folder and shared drive")
            }
            for permission in try await drive.permissions(of: id) where !isOwnAccount(permission) {
                guard let objection = configuration.objection(to: permission) else { continue }
                throw PayloadError(
                    .notAllowed, at: "folder_id",
                    "this folder lies outside of the default folder and shared drive, and is shared: \(objection)")
            }
        }
        allowedFolders.insert(id)
    }

    /// The identity itself is a member of each folder that it may use.
    private func isOwnAccount(_ permission: DrivePermission) -> Bool {
        permission.type == .user && !permission.grantee.isEmpty
            && configuration.account.lowercased().split(separator: " ").contains(
                Substring(permission.grantee.lowercased()))
    }

    /// Whether a folder is the default folder or the shared drive, or lies in it.
    private func isOwn(_ folder: DriveFile, _ folders: FolderDirectory, using drive: DriveClient) async throws -> Bool {
        if let shared = configuration.sharedDriveID { return folder.id == shared || folder.driveID == shared }
        let home = try await folders.find(path([]), using: drive)
        let top: String
        if let home { top = home } else { top = try await drive.file("root").id }
        var folder = folder
        for _ in 0..<Self.deepest {
            if folder.id == top { return true }
            guard let parent = folder.parents.first else { return false }
            if parent == top { return true }
            do throws(GoogleError) { folder = try await drive.file(parent) } catch {
                // What this identity may not see is nobody's own.
                if error.code == .notFound { return false }
                throw error
            }
        }
        return false
    }
}
