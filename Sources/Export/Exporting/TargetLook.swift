import Google
import JSON
import JobQueue
import SheetModel

/// What was found out of the spreadsheet that a job names, before the job's values become cells.
struct TargetLook: Sendable {
    /// The time zone in which it shows times; nil where none of the job's values need it.
    let zone: TimeZoneRules?
    /// What Sheets tells of it; nil for one that is copied.
    let target: TargetSpreadsheet?
    /// What the job has to be told.
    let warnings: [String]
    /// How many calls that took.
    let calls: Int

    /// Looks at the spreadsheet that a payload names; nil for a new one.
    ///
    /// - Parameter checkpoint: How far earlier attempts came: what they made is looked at in place of what they copied.
    init?(
        _ payload: ExportPayload, for login: String, after checkpoint: ExportCheckpoint, in workspace: Workspace,
        _ progress: ProgressReporter
    ) async throws {
        let (drive, sheets, calls) = workspace.clients(for: progress)
        let name: String?
        switch payload.destination {
        case .new(_, _, copyOf: nil): return nil
        case .existing(let id):
            try await workspace.checkTarget(id, for: login, using: drive)
            let found = try await TargetSpreadsheet(
                id, of: workspace.configuration.installation, using: sheets, withBelongings: payload.hasResets)
            (target, name) = (found, found.timeZone)
        case .new(_, _, copyOf: let original?):
            target = nil
            var id = original
            if case .made(let spreadsheet, _) = checkpoint.stage {
                id = spreadsheet.id
            } else {
                try await workspace.checkTarget(original, as: "copy_of", for: login, using: drive)
            }
            name = try await Self.needsZone(payload) ? Self.timeZone(of: id, using: sheets) : nil
        }
        (zone, warnings) = try Self.zone(named: name, payload)
        self.calls = calls.total
    }

    private static func needsZone(_ payload: ExportPayload) -> Bool {
        payload.hasMoments || !payload.queries.isEmpty || payload.timeZone != nil
    }

    private static func timeZone(of id: String, using sheets: SheetsClient) async throws(GoogleError) -> String? {
        do {
            return try await sheets.spreadsheet(id, fields: "properties.timeZone")["properties"]?["timeZone"]?.string
        } catch  where error.code == .notFound {
            // Whoever goes on in it finds that out, and says it.
            return nil
        }
    }

    private static func zone(
        named name: String?, _ payload: ExportPayload
    ) throws(JobFailure) -> (TimeZoneRules?, warnings: [String]) {
        guard let name, needsZone(payload) else { return (nil, []) }
        do throws(SheetModelError) {
            let zone = try TimeZoneRules(named: name)
            guard let asked = payload.timeZone, asked.googleName != zone.googleName else { return (zone, []) }
            return (
                zone,
                [
                    "time_zone: a spreadsheet that is there keeps its own time zone, and a copy that of the original; times "
                        + "are shown in \(zone.googleName), not in \(asked.googleName)."
                ]
            )
        } catch {
            throw JobFailure(
                .unknownTimeZone,
                "The time zone \(String(name.prefix(64).filter { $0.isASCII })) of the spreadsheet is not known on this machine, "
                    + "so that its times cannot be told; install a newer tzdata.", retry: .snooze(.seconds(60)),
                needsMending: true)
        }
    }
}

extension Workspace {
    /// Refuses a file that a payload names and that is no live spreadsheet, or that somebody else made, where the settings
    /// want that.
    ///
    /// - Parameters:
    ///   - field: The field of the payload that names it.
    ///   - login: Who enqueued the job.
    func checkTarget(
        _ id: String, as field: String = "spreadsheet_id", for login: String, using drive: DriveClient
    ) async throws {
        let file: DriveFile
        do throws(GoogleError) { file = try await drive.file(id) } catch {
            guard error.code == .notFound else { throw error }
            if field == "copy_of" {
                throw JobFailure(code: error.code.rawValue, message: "copy_of: \(error)", retry: .never)
            }
            // Sheets may know what is shared by a link alone; where it does not, it says the same.
            guard configuration.targets != .any else { return }
            throw error
        }
        if let objection = file.objectionToWriting { throw JobFailure(PayloadError(at: field, objection)) }
        if let maker = requiredMaker(for: login), !maker.hasMade(file) {
            throw JobFailure(
                .foreignTarget,
                "SHEETSYNC_TARGETS is \(configuration.targets.rawValue), and \(field) names a file that \(maker.none) made. Nothing "
                    + "was written; name one that such a job made, or let an operator widen SHEETSYNC_TARGETS and retry the job.",
                retry: .never)
        }
        guard !file.isTrashed else {
            let place =
                file.isExplicitlyTrashed ? "is in Drive's trash" : "lies in a folder that is in Drive's trash"
            throw JobFailure(
                .targetTrashed,
                "\(field): The spreadsheet \(place), and nothing is written there. Restore \(file.isExplicitlyTrashed ? "it" : "the folder") "
                    + "in Drive (Trash > Restore) and retry the job.", retry: .never)
        }
    }
}

extension Workspace {
    /// Whose job must have made what a job of a login names, as the settings want it; nil where anybody may have.
    private func requiredMaker(for login: String) -> (hasMade: (DriveFile) -> Bool, none: String)? {
        let installation = configuration.installation
        return switch configuration.targets {
        case .any: nil
        case .own: ({ SpreadsheetMark.isOn($0, of: installation) }, "no job of this installation")
        case .login:
            ({ SpreadsheetMark.isOn($0, of: installation, login: login) }, "no job of the login \(login)")
        }
    }
}

extension DriveFile {
    /// Why it is no spreadsheet that can be written to, and what to do; nil for one that is.
    fileprivate var objectionToWriting: String? {
        if let shortcutTarget { return "names a shortcut; name the file that it points to, \(shortcutTarget)" }
        let google = "application/vnd.google-apps."
        let open = "open it, choose File > Save as Google Sheets and use the new spreadsheet's id"
        switch mimeType {
        case DriveFile.spreadsheetType, "": return nil
        case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.ms-excel",
            "application/vnd.ms-excel.sheet.macroenabled.12", "application/vnd.ms-excel.sheet.binary.macroenabled.12":
            return "names an Excel workbook, not a Google spreadsheet: \(open)"
        case "application/vnd.oasis.opendocument.spreadsheet":
            return "names an OpenDocument spreadsheet, not a Google spreadsheet: \(open)"
        case "text/csv", "text/tab-separated-values":
            return "names a text file of rows, not a Google spreadsheet: open it with Google Sheets and use the new id"
        case DriveFile.folderType:
            return "names a folder, not a spreadsheet; folder_id is the field for folders of new spreadsheets"
        case "\(google)document": return "names a Google Doc, not a spreadsheet"
        case "\(google)presentation": return "names a Google Slides presentation, not a spreadsheet"
        case "\(google)form": return "names a Google Form, not a spreadsheet"
        default:
            let type = String(mimeType.prefix(100).filter { $0.isASCII && !$0.isWhitespace })
            return "names a file of the type \(type), not a Google spreadsheet"
        }
    }
}
