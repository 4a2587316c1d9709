import Google
import JSON
import JobQueue

/// The spreadsheet of a job that ended before its time, if there is one, of which no attempt could save that it is there.
struct OrphanedSpreadsheet {
    let job: Job
    /// Where the job makes it.
    let place: ExportDestination.Folder?
    /// Those as whom it may have been made.
    let identities: [Identity]
    let patience: LookupPolicy

    /// Looks for it; what is not there some time after the job's end was not made.
    func reconciliation(endedAgo age: Duration) async throws -> Reconciliation {
        let create: UncertainCreate?
        switch job.exportCheckpoint.stage {
        case .made, .notMade, .staged: return .upToDate
        case .unclear(let unclear): create = unclear
        case .begun, .unknown: create = nil
        }
        var failure: (any Error)?
        for identity in identities {
            do {
                if let found = try await spreadsheet(after: create, as: identity) { return .found(Self.result(found)) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        guard age > patience.time else { return .notYetKnown }
        return .found([
            "folder_id": JSON(create?.folder),
            "warnings": ["No spreadsheet of this job is to be found at Google: none was made."],
        ])
    }

    private func spreadsheet(
        after create: UncertainCreate?, as identity: Identity
    ) async throws -> ExportedSpreadsheet? {
        let workspace = identity.workspace
        let marked = MarkedSpreadsheets(
            mark: SpreadsheetMark(installation: workspace.configuration.installation, job: job),
            workspace: workspace, drive: workspace.clients(for: ProgressReporter { _ in }).drive)
        do {
            if let create { return try await marked.oldest(in: create.folder) }
            switch place {
            case .id(let id)?: return try await marked.oldest(in: id)
            case .path(let path)?: return try await self.spreadsheet(below: path.names, of: marked, as: identity)
            case nil: return try await self.spreadsheet(below: [], of: marked, as: identity)
            }
        } catch let error as GoogleError where error.code == .notFound {
            // With its folder, unless this identity has lost the drive for a while.
            if let failure = await IdentityFallback.blamingDrive(for: error, as: identity) as? JobFailure {
                throw failure
            }
            return nil
        }
    }

    private func spreadsheet(
        below names: [String], of marked: MarkedSpreadsheets, as identity: Identity
    ) async throws -> ExportedSpreadsheet? {
        let path = identity.workspace.path(names)
        if path.isEmpty { return try await marked.oldest(in: nil) }
        // Where the folder was forgotten since, it was moved, renamed or thrown away.
        guard let folder = try await identity.folders.remembered(path) else { return try await marked.oldestAnywhere() }
        return try await marked.oldest(in: folder)
    }

    private static func result(_ found: ExportedSpreadsheet) -> JSON {
        ExportResult.unfinished(
            found.id, found.url,
            warnings: ["The spreadsheet is made, and nothing is written into it."] + found.warnings)
    }
}
