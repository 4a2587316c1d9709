/// The codes of failures that exports and folders give to a job, beside Google's own.
public enum ExportErrorCode: String, Sendable, CaseIterable {
    case payloadInvalid = "payload.invalid"
    case payloadUnsupported = "payload.unsupported"
    case payloadNotAllowed = "payload.not_allowed"
    case payloadTooLargeForReplace = "payload.too_large_for_replace"
    case foreignTarget = "export.foreign_target"
    case sheetNotFound = "export.sheet_not_found"
    case headerMismatch = "export.header_mismatch"
    case sheetChanged = "export.sheet_changed"
    case templateInvalid = "export.template_invalid"
    case unclearCreate = "export.unclear_create"
    case foldersDisabled = "settings.folders_disabled"

    /// What it means and what to do.
    public var advice: String {
        switch self {
        case .payloadInvalid:
            "The payload is wrong at the place that the message names; correct it and enqueue it anew."
        case .payloadUnsupported: "The payload asks for something that this version does not do."
        case .payloadNotAllowed:
            "The settings forbid what the payload asks for (SHEETSYNC_SHARING); change one of the two."
        case .payloadTooLargeForReplace:
            "Sheets of an existing spreadsheet are replaced by one write or not at all; export to a new spreadsheet or split "
                + "the data."
        case .foreignTarget: "SHEETSYNC_TARGETS is `own`, and the spreadsheet was not made by this installation."
        case .sheetNotFound: "The spreadsheet has no sheet of that name; correct the name and enqueue it anew."
        case .headerMismatch:
            "The first row of the sheet does not fit the job's columns; change the row and retry the job, or enqueue another."
        case .sheetChanged: "Rows of the sheet were moved each time that it was read; the job is tried again."
        case .templateInvalid:
            "The formatting template cannot be used; mend its file in GOOGLE_SHEETS_TEMPLATES_PATH and retry the job."
        case .unclearCreate:
            "It is not known whether Google made the spreadsheet; the next attempt looks for it before it makes another."
        case .foldersDisabled:
            "Folders are switched off by GOOGLE_DRIVE_ENABLE_FOLDERS; switch them on or enqueue none."
        }
    }
}
