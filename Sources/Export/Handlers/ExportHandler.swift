import Google
public import JSON
public import JobQueue
import SheetModel

/// Runs jobs of kind `export`: makes a spreadsheet, or takes one that is there, fills it and shares it.
///
/// For a folder that is known it takes one call to Drive and one to Sheets (more where the data is larger than one batch, is
/// shared, or goes into a copy). What it has done is in the job's checkpoint, from which another attempt goes on.
public struct ExportHandler: JobHandler {
    private let identities: Identities
    private let templates: TemplateDirectory
    private let batchBytes: Int
    private let patience: LookupPolicy
    private let source: SourceDatabase?
    private let csvFallback: CSVFallback?
    private let mirrors: MirrorMemory

    /// Makes a handler.
    ///
    /// - Parameters:
    ///   - identities: Those as whom the installation works; the first does the jobs that nobody else was chosen for.
    ///   - batchBytes: The size that one write's body grows to; Google has been seen to take 9 MB.
    ///   - patience: How long a spreadsheet is looked for whose create had an unclear end.
    ///   - source: Where queries run; nil to refuse them.
    ///   - mirrors: Remembers what mirrors wrote.
    ///   - csvFallback: Keeps what Google refuses for good; nil to keep nothing.
    public init(
        identities: Identities, templates: TemplateDirectory = TemplateDirectory(path: nil),
        mirrors: MirrorMemory, batchBytes: Int = 8_000_000, patience: LookupPolicy = LookupPolicy(),
        source: SourceDatabase? = nil, csvFallback: CSVFallback? = nil
    ) {
        self.identities = identities
        self.templates = templates
        self.batchBytes = batchBytes
        self.patience = patience
        self.source = source
        self.csvFallback = csvFallback
        self.mirrors = mirrors
    }

    /// Makes and fills the spreadsheet and returns its id, address, sheets and what is worth a warning.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let fallback = IdentityFallback(identities, for: job)
            let chosen = fallback.chosen
            var payload = try await checking { [job] in try ExportPayload(job.payload) }
            try checkSharing(payload, chosen.workspace.configuration)
            let template: FormattingTemplate?
            let queried: [CheckedSheet]
            var found: Result<TargetLook?, any Error> = .success(nil)
            var job = job
            let records = try await records(of: payload)
            do {
                template = try self.template(of: payload)
                if let records {
                    // The zone is known, so that nothing need be asked before the rows are there.
                    if let name = records[0].first?.timeZone, name != payload.shownZone.googleName,
                        let zone = try? TimeZoneRules(named: name)
                    {
                        payload = try await checking { [job] in try ExportPayload(job.payload, shownIn: zone) }
                    }
                } else {
                    do { found = .success(try await look(at: payload, job, fallback, progress)) } catch {
                        // Where the rows are kept of what is refused, they are got first.
                        guard csvFallback != nil, !payload.isDryRun else { throw error }
                        found = .failure(error)
                    }
                }
                if case .success(let look?) = found, let zone = look.zone,
                    payload.hasMoments || !payload.queries.isEmpty,
                    zone.googleName != payload.shownZone.googleName
                {
                    payload = try await checking { [job] in try ExportPayload(job.payload, shownIn: zone) }
                }
                (queried, job) = try await QuerySource(
                    job: job, payload: payload, database: source, progress: progress
                ).sheets()
            } catch {
                // So that the next attempt need not look for what this one has not begun.
                if !job.isRedelivered {
                    try? await progress.save(ExportCheckpoint(stage: .notMade).json, step: "waiting")
                }
                throw error
            }
            let spreadsheet = try await checking { [payload, queried] in try Self.spreadsheet(of: payload, queried) }
            var mirror = MirrorContext(
                memory: mirrors, login: job.login,
                timeZone: payload.hasMoments || !payload.queries.isEmpty ? payload.shownZone.googleName : nil,
                allowsDeletes: payload.allowsDeletes, isFromScratch: payload.isFromScratch)
            if let records, case .existing(let id) = payload.destination {
                mirror.sources = try Self.sources(payload, spreadsheet)
                if let result = try Self.unchanged(
                    payload, spreadsheet, mirror.sources, records, in: id, for: job.login)
                {
                    return result
                }
                mirror.url = records[0].first?.url
                mirror.calls = try await fallback.run(job, isWriting: false) { [job] identity in
                    let (drive, _, calls) = identity.workspace.clients(for: progress)
                    try await identity.workspace.checkTarget(id, for: job.login, using: drive)
                    return calls.total
                }
            }
            func export() throws -> PreparedExport {
                PreparedExport(
                    job: job, payload: payload, spreadsheet: spreadsheet, look: try found.get(), template: template,
                    mirror: mirror)
            }
            if payload.isDryRun {
                let export = try export()
                return try await fallback.run(job) { identity in
                    try await DryRun(
                        export: export, workspace: identity.workspace, folders: identity.folders,
                        batchBytes: batchBytes, progress: progress
                    ).result()
                }
            }
            return try await withCSVFallback(of: spreadsheet, job) {
                let export = try export()
                return try await fallback.run(job) { identity in
                    let checkpoints = CheckpointStore(of: job, as: identity, progress)
                    if identity.isOneOfSeveral, job.identity != identity.account {
                        try await begin(job, as: identity, checkpoints)
                    }
                    return try await ExportRun(
                        export, in: identity.workspace, folders: identity.folders, batchBytes: batchBytes,
                        patience: patience, progress: progress, checkpoints: checkpoints
                    ).result()
                }
            }
        }
    }

    /// What is known of all sheets of a job that keeps them the same; nil where one is not known yet, or everything is to be
    /// asked anew.
    private func records(of payload: ExportPayload) async throws -> [[MirrorMemory.Record]]? {
        guard payload.isMirror, !payload.isDryRun, !payload.isFromScratch, payload.shares.isEmpty,
            case .existing(let id) = payload.destination
        else { return nil }
        var all: [[MirrorMemory.Record]] = []
        for name in payload.sheetNames {
            let records = try await mirrors.find(name, of: id).filter(\.isFresh)
            guard let zone = records.first?.timeZone, zone == all.first?.first?.timeZone ?? zone else { return nil }
            all.append(records)
        }
        return all
    }

    /// Reads the rows of all mirrors.
    private static func sources(
        _ payload: ExportPayload, _ spreadsheet: Spreadsheet
    ) throws -> [Int: MirrorSource] {
        var sources: [Int: MirrorSource] = [:]
        for (index, mode) in payload.modes.enumerated() {
            guard case .mirror(let options) = mode else { continue }
            sources[index] = try SheetMirror.source(spreadsheet.sheets[index], options, index: index)
        }
        return sources
    }

    /// The result of a job whose sheets hold its rows already, by what was written and read in the last hour; nil where one
    /// does not.
    private static func unchanged(
        _ payload: ExportPayload, _ spreadsheet: Spreadsheet, _ sources: [Int: MirrorSource],
        _ records: [[MirrorMemory.Record]], in id: String, for login: String
    ) throws -> JSON? {
        var summaries: [SheetSummary] = []
        for (index, sheet) in spreadsheet.sheets.enumerated() {
            guard case .mirror(let options) = payload.modes[index] else { return nil }
            let definition = SheetMirror.definition(sheet.columns, options.key, payload.positions[index])
            guard let source = sources[index],
                let record = records[index].first(where: { $0.definition == definition })
            else { return nil }
            guard SheetMirror.isUpToDate(record, SheetMirror.result(source, options), for: login) else { return nil }
            summaries.append(record.summary(of: sheet))
        }
        return ExportResult.json(
            ExportedSpreadsheet(id: id, url: records[0][0].url, folder: nil), folder: nil, sheets: summaries,
            warnings: spreadsheet.warnings.map(\.description), calls: 0)
    }

    /// Looks at the spreadsheet that a payload names, as whoever may see it; nil for a new one.
    private func look(
        at payload: ExportPayload, _ job: Job, _ fallback: IdentityFallback, _ progress: ProgressReporter
    ) async throws -> TargetLook? {
        if case .new(_, _, copyOf: nil) = payload.destination { return nil }
        return try await fallback.run(job, isWriting: false) { identity in
            try await TargetLook(
                payload, for: job.login, after: job.exportCheckpoint, in: identity.workspace, progress)
        }
    }

    /// Notes whose job it is before anything is made: a later attempt by another identity might not see it.
    ///
    /// Who gets no token makes nothing, and the job is anybody's yet.
    private func begin(_ job: Job, as identity: Identity, _ checkpoints: CheckpointStore) async throws {
        do { try await identity.workspace.signIn() } catch {
            if !job.isRedelivered { try? await checkpoints.save(.notMade, step: "waiting") }
            throw error
        }
        try await checkpoints.saveIdentity(step: "beginning")
    }

    /// Looks for the spreadsheet of a job by its mark, as whom it was begun, or where nobody noted that, as everybody.
    public func reconcile(_ job: Job, endedAgo age: Duration) async throws -> Reconciliation {
        guard let payload = try? await checking({ try ExportPayload(job.payload) }), !payload.isDryRun,
            case .new(_, let place, _) = payload.destination
        else { return .upToDate }
        let known = identities.all.filter { $0.account == job.identity }
        return try await failingAsJob {
            try await OrphanedSpreadsheet(
                job: job, place: place, identities: known.isEmpty ? identities.all : known, patience: patience
            ).reconciliation(endedAgo: age)
        }
    }

    /// Runs an export; where it fails for good before all its rows are written, they land as CSV.
    private func withCSVFallback(
        of spreadsheet: Spreadsheet, _ job: Job, _ body: () async throws -> JSON
    ) async throws -> JSON {
        do {
            let result = try await body()
            if job.isRedelivered { csvFallback?.removeFiles(of: job) }
            return result
        } catch let behind as PostWriteFailure {
            throw behind.cause
        } catch {
            // Of a job that was cancelled, or is another worker's by now, nobody asks for a file.
            guard let csvFallback, !Task.isCancelled,
                let failure = error as? JobFailure ?? (error as? GoogleError).map({ JobFailure($0) }),
                !failure.code.hasPrefix("queue.")
            else { throw error }
            throw await csvFallback.failure(failure, of: job, spreadsheet)
        }
    }

    /// The formatting template that a payload asks for; a copy keeps its own formats unless the payload names one.
    private func template(of payload: ExportPayload) throws -> FormattingTemplate? {
        if case .new(_, _, .some) = payload.destination, payload.template == nil { return nil }
        return try templates.template(named: payload.template ?? TemplateDirectory.standardName)
    }

    private static func spreadsheet(of payload: ExportPayload, _ queried: [CheckedSheet]) throws -> Spreadsheet {
        let spreadsheet = try payload.spreadsheet(queried: queried)
        try payload.checkKeys(of: spreadsheet)
        return spreadsheet
    }

    private func checkSharing(
        _ payload: ExportPayload, _ settings: Workspace.Configuration
    ) throws(PayloadError) {
        for (index, share) in payload.shares.enumerated() {
            guard let objection = settings.objection(to: share.permission) else { continue }
            let field =
                settings.sharing.contains(share.permission.type)
                ? share.permission.type == .domain ? "domain" : share.permission.type == .anyone ? "type" : "email"
                : "type"
            throw PayloadError(.notAllowed, at: "share[\(index)].\(field)", objection)
        }
    }
}
