public import JSON
public import JobQueue

/// Runs jobs of kind `folder`: makes a path of folders, once.
public struct FolderHandler: JobHandler {
    private let identities: Identities

    /// Makes a handler.
    ///
    /// - Parameter identities: Those as whom the installation works; the first does the jobs that nobody else was chosen for.
    public init(identities: Identities) { self.identities = identities }

    /// Finds or makes the folders and returns the last one's id and address.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let identity = identities.identity(for: job)
            let (workspace, folders) = (identity.workspace, identity.folders)
            let payload = try FolderPayload(job.payload)
            guard workspace.configuration.foldersEnabled else {
                throw JobFailure(
                    .foldersDisabled,
                    "Folders are switched off by GOOGLE_DRIVE_ENABLE_FOLDERS; switch them on or enqueue no folders.",
                    retry: .never)
            }
            let (drive, _, calls) = workspace.clients(for: progress)
            let path = workspace.path(payload.path.names)
            let found: String?
            do { found = try await folders.find(path, using: drive) } catch {
                throw IdentityFallback.naming(
                    identity, in: await IdentityFallback.blamingDrive(for: error, as: identity))
            }
            guard let id = found else { preconditionFailure("the path has a name at least") }
            return [
                "folder_id": .string(id), "folder_url": .string(workspace.url(ofFolder: id)),
                "api_calls": JSON(calls.total),
            ]
        }
    }
}
