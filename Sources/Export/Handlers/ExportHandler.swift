import Google
public import JSON
public import JobQueue
import SheetModel

/// Runs jobs of kind `export`: makes a spreadsheet, or takes one that is there, fills it and shares it.
///
/// For a folder that is known it takes one call to Drive and one to Sheets (more where the data is larger than one batch, is
/// shared, or goes into a copy). What it has done is in the job's checkpoint, from which another attempt goes on.
public struct ExportHandler: JobHandler {
    private let workspace: Workspace
    private let folders: FolderDirectory
    private let templates: TemplateDirectory
    private let batchBytes: Int
    private let patience: LookingPatience
    private let source: SourceDatabase?

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - batchBytes: The size that one write's body grows to; Google has been seen to take 9 MB.
    ///   - patience: How long a spreadsheet is looked for whose create had an unclear end.
    ///   - source: Where queries run; nil to refuse them.
    public init(
        workspace: Workspace, folders: FolderDirectory, templates: TemplateDirectory = TemplateDirectory(path: nil),
        batchBytes: Int = 8_000_000, patience: LookingPatience = LookingPatience(), source: SourceDatabase? = nil
    ) {
        self.workspace = workspace
        self.folders = folders
        self.templates = templates
        self.batchBytes = batchBytes
        self.patience = patience
        self.source = source
    }

    /// Makes and fills the spreadsheet and returns its id, address, sheets and what is worth a warning.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let payload = try ExportPayload(job.payload)
            try checkSharing(payload)
            let template: FormattingTemplate?
            let queried: [CheckedSheet]
            do {
                template = try self.template(of: payload)
                queried = try await QuerySource(payload: payload, database: source, progress: progress).sheets()
            } catch {
                // So that the next attempt need not look for what this one has not begun.
                if !job.isRedelivered {
                    try? await progress.save(ExportCheckpoint.notMade.json, step: "waiting")
                }
                throw error
            }
            let spreadsheet = try self.spreadsheet(of: payload, queried)
            if payload.isDryRun {
                return try await DryRun(
                    payload: payload, spreadsheet: spreadsheet, template: template, workspace: workspace,
                    folders: folders, batchBytes: batchBytes
                ).result()
            }
            return try await ExportRun(
                job, payload, spreadsheet, template: template, workspace: workspace, folders: folders,
                batchBytes: batchBytes,
                patience: patience, progress: progress
            ).result()
        }
    }

    /// The look that a payload asks for; a copy keeps its own unless the payload names one.
    private func template(of payload: ExportPayload) throws -> FormattingTemplate? {
        if case .new(_, _, .some) = payload.destination, payload.template == nil { return nil }
        return try templates.template(named: payload.template ?? TemplateDirectory.standardName)
    }

    private func spreadsheet(of payload: ExportPayload, _ queried: [CheckedSheet]) throws -> Spreadsheet {
        if case .existing = payload.destination, let index = payload.modes.firstIndex(where: { $0 != .replace }) {
            throw PayloadError(.unsupported, at: "sheets[\(index)].mode", "is not supported by this version")
        }
        return try payload.spreadsheet(queried: queried)
    }

    private func checkSharing(_ payload: ExportPayload) throws(PayloadError) {
        let allowed = workspace.configuration.sharing
        for (index, share) in payload.shares.enumerated() where !allowed.contains(share.permission.type) {
            throw PayloadError(
                .notAllowed, at: "share[\(index)].type",
                "SHEETSYNC_SHARING does not allow the type \(share.permission.type.rawValue)")
        }
    }
}
