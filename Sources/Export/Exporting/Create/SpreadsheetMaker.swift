import Google
import JSON
import JobQueue

/// Makes the spreadsheet of one job, or finds the one that an earlier attempt made: never a second one.
///
/// Drive takes no ids made beforehand for spreadsheets. So each carries its job's mark, and where the end of a create is
/// unclear, the folder is looked through for that mark, again and again until no list can be so late any more.
struct SpreadsheetMaker {
    let title: String
    /// The spreadsheet to copy; nil for an empty one.
    let original: String?
    let place: ExportDestination.Folder?
    let mark: SpreadsheetMark
    let isRedelivered: Bool
    let workspace: Workspace
    let folders: FolderDirectory
    let drive: DriveClient
    let patience: LookupPolicy
    let checkpoints: CheckpointStore

    /// The spreadsheet, and whether it is as Drive made it just now.
    func spreadsheet(after stage: ExportCheckpoint.Stage) async throws -> (ExportedSpreadsheet, isUntouched: Bool) {
        switch stage {
        case .made(let spreadsheet, _): return (spreadsheet, false)
        case .unclear(let create): return try await look(for: create)
        case .notMade: return (try await makeAgain(in: try await folder()), true)
        // Staging is for spreadsheets that are there; a job that had one has no other.
        case .begun, .staged, .unknown:
            guard !isRedelivered else {
                // Whoever had the job before may have ended in the middle of the call, just now.
                let create = UncertainCreate(since: .now(), folder: try await folder())
                try await save(.unclear(create), "looking")
                return try await look(for: create)
            }
            return (try await make(in: try await folder()), true)
        }
    }

    // MARK: Making

    private func folder() async throws -> String? {
        do {
            switch place {
            case .id(let id)?:
                try await workspace.checkFolder(id, folders, using: drive)
                return id
            case .path(let path)?: return try await folders.find(workspace.path(path.names), using: drive)
            case nil: return try await folders.find(workspace.path([]), using: drive)
            }
        } catch {
            // So that the next attempt need not look for what no attempt has begun.
            if !isRedelivered { try? await save(.notMade, "waiting") }
            throw error
        }
    }

    private func make(in folder: String?) async throws -> ExportedSpreadsheet {
        let file: DriveFile
        do throws(GoogleError) {
            file = try await create(in: folder)
        } catch {
            // Where this cannot be saved, the next attempt looks for the mark all the same.
            if error.mayHaveTakenEffect {
                try? await save(.unclear(UncertainCreate(since: .now(), folder: folder)), "looking")
            } else {
                try? await save(.notMade, "waiting")
            }
            guard error.code == .notFound else { throw error }
            throw try await explained(error, folder)
        }
        return try await outOfTrash(file, folder)
    }

    /// Makes it in a later attempt: what an earlier one saved must not outlive a create that nobody hears the end of.
    private func makeAgain(in folder: String?) async throws -> ExportedSpreadsheet {
        try await save(.unclear(UncertainCreate(since: .now(), folder: folder)), "creating")
        return try await make(in: folder)
    }

    private func create(in folder: String?) async throws(GoogleError) -> DriveFile {
        guard let original else {
            return try await drive.createSpreadsheet(name: title, parent: folder, appProperties: mark.properties)
        }
        return try await drive.copySpreadsheet(
            original, name: title, parent: folder, appProperties: mark.properties)
    }

    /// What is not there: the folder, or the spreadsheet to copy.
    private func explained(_ error: GoogleError, _ folder: String?) async throws -> any Error {
        if let original {
            do throws(GoogleError) { _ = try await drive.file(original) } catch {
                guard error.code == .notFound else { throw error }
                return JobFailure(code: error.code.rawValue, message: "copy_of: \(error)", retry: .never)
            }
        }
        // Before a folder is forgotten that is only out of sight.
        if let id = workspace.configuration.sharedDriveID, let objection = try await drive.sharedDriveObjection() {
            return JobFailure.missingDrive(id, objection)
        }
        guard let folder else { return error }
        guard place != .id(folder) else { return error }
        try await folders.forget(folder)
        return JobFailure(
            code: error.code.rawValue,
            message: "The folder \(folder), in which the spreadsheet should be made, is gone; it is looked for anew.",
            retry: .backoff)
    }

    /// Drive takes files into trashed folders without a word; its answer tells.
    private func outOfTrash(_ file: DriveFile, _ folder: String?) async throws -> ExportedSpreadsheet {
        guard file.isTrashed, let folder else { return exported(file, folder) }
        let trashed = exported(
            file, folder, warnings: ["The folder \(folder) is in the trash, and so is the spreadsheet."])
        guard place != .id(folder) else { return trashed }
        // Saved first, for it is made, wherever it lies.
        try await save(.made(trashed, written: nil), "moving")
        try await folders.forget(folder)
        let live = try await self.folder()
        if let live { _ = try await drive.move(file.id, from: folder, to: live) }
        return exported(file, live)
    }

    private func exported(_ file: DriveFile, _ folder: String?, warnings: [String] = []) -> ExportedSpreadsheet {
        ExportedSpreadsheet(id: file.id, url: workspace.url(of: file), folder: folder, warnings: warnings)
    }

    private func save(_ stage: ExportCheckpoint.Stage, _ step: String) async throws {
        try await checkpoints.save(stage, step: step)
    }

    // MARK: Looking

    private func look(for create: UncertainCreate) async throws -> (ExportedSpreadsheet, isUntouched: Bool) {
        if let found = try await marked(in: create.folder) { return (found, false) }
        var create = create
        create.looks += 1
        guard patience.isOver(for: create, now: .now()) else {
            try await save(.unclear(create), "looking")
            throw JobFailure(
                .unclearCreate,
                "Whether an earlier attempt made the spreadsheet is unclear; it is looked for until "
                    + "\(patience.time) have passed since.",
                retry: .snooze(patience.pause))
        }
        let folder = try await folder()
        let made = try await makeAgain(in: folder)
        // A list that is behind may show the earlier one by now.
        return (try await marked(in: folder) ?? made, false)
    }

    private func marked(in folder: String?) async throws(GoogleError) -> ExportedSpreadsheet? {
        try await MarkedSpreadsheets(mark: mark, workspace: workspace, drive: drive).oldest(in: folder)
    }
}
