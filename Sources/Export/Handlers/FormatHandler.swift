import Google
public import JSON
public import JobQueue
import SheetModel

/// Runs jobs of kind `format`: puts a formatting template over sheets that are there, as often as it is asked to.
public struct FormatHandler: JobHandler {
    private let identities: Identities
    private let templates: TemplateDirectory

    /// Makes a handler.
    ///
    /// - Parameter identities: Those as whom the installation works; the first does the jobs that nobody else was chosen for.
    public init(identities: Identities, templates: TemplateDirectory) {
        self.identities = identities
        self.templates = templates
    }

    /// Formats the sheets and returns which ones they were.
    public func run(_ job: Job, reporting progress: ProgressReporter) async throws -> JSON {
        try await failingAsJob {
            let payload = try await checking { try FormatPayload(job.payload) }
            let template = try templates.template(named: payload.template)
            return try await IdentityFallback(identities, for: job).run(job) { identity in
                try await format(payload, template, for: job.login, as: identity, progress)
            }
        }
    }

    private func format(
        _ payload: FormatPayload, _ template: FormattingTemplate, for login: String, as identity: Identity,
        _ progress: ProgressReporter
    ) async throws -> JSON {
        let workspace = identity.workspace
        let (drive, sheets, calls) = workspace.clients(for: progress)
        try await workspace.checkTarget(payload.spreadsheetID, for: login, using: drive)
        let target = try await TargetSpreadsheet(
            payload.spreadsheetID, of: workspace.configuration.installation, using: sheets)
        let chosen = try Self.chosen(payload, in: target.sheets)
        let plan: FormatPlan
        do throws(SheetModelError) {
            plan = try FormatPlan(template, sheets: chosen)
        } catch {
            throw JobFailure(.payloadInvalid, error.description, retry: .never)
        }
        if !chosen.isEmpty { _ = try await sheets.batchUpdate(payload.spreadsheetID, body: plan.body) }
        return [
            "spreadsheet_id": .string(payload.spreadsheetID), "spreadsheet_url": .string(target.url),
            "sheets": .array(
                chosen.map { sheet in
                    [
                        "name": .string(sheet.title), "sheet_id": JSON(sheet.id), "rows": JSON(sheet.rows),
                        "columns": JSON(sheet.columns),
                    ]
                }),
            "api_calls": JSON(calls.total), "warnings": [],
        ]
    }

    /// The sheets that a payload names, or all; charts have no cells to format.
    private static func chosen(_ payload: FormatPayload, in sheets: [ExistingSheet]) throws -> [ExistingSheet] {
        let grids = sheets.filter { $0.rows > 0 && $0.columns > 0 }
        guard let names = payload.sheets else { return grids }
        let known = Dictionary(grids.map { ($0.title.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
        return try names.enumerated().map { index, name in
            guard let sheet = known[name.lowercased()] else {
                throw JobFailure(
                    .sheetNotFound,
                    "sheets[\(index)]: the spreadsheet has no sheet of this name; check its tabs.",
                    retry: .never)
            }
            return sheet
        }
    }
}
