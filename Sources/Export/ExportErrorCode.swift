import JobQueue

/// The codes of failures that exports and folders give to a job, beside Google's own.
public enum ExportErrorCode: String, Sendable, CaseIterable {
    case payloadInvalid = "payload.invalid"
    case payloadNotAllowed = "payload.not_allowed"
    case foreignTarget = "export.foreign_target"
    case targetTrashed = "export.target_trashed"
    case unknownTimeZone = "export.unknown_time_zone"
    case sheetNotFound = "export.sheet_not_found"
    case headerMismatch = "export.header_mismatch"
    case rowsChanged = "export.rows_changed"
    case sheetChanged = "export.sheet_changed"
    case templateInvalid = "export.template_invalid"
    case unclearCreate = "export.unclear_create"
    case foldersDisabled = "settings.folders_disabled"
    case noSource = "export.no_source"
    case spoolFull = "export.spool_full"
    case spoolFailed = "export.spool_failed"
    case tooManyDeletes = "sync.too_many_deletes"
    case emptyResult = "sync.empty_result"
    case protectedCells = "sync.protected"
    case queryFailed = "query.failed"
    case queryTimedOut = "query.timed_out"
    case queryLoginRefused = "query.login_refused"
    case queryUnavailable = "query.unavailable"

    /// What it means and what to do.
    public var advice: String {
        switch self {
        case .payloadInvalid:
            "The payload is wrong at the place that the message names; correct it and enqueue it anew."
        case .payloadNotAllowed:
            "The settings forbid what the payload asks for (SHEETSYNC_SHARING, SHEETSYNC_SHARING_DOMAINS); change one of the two."
        case .foreignTarget:
            "SHEETSYNC_TARGETS is `own` or `login`, and the spreadsheet, or the one to copy, was not made by a job of this "
                + "installation, or of the same login; name one that was, or widen SHEETSYNC_TARGETS and retry the job."
        case .targetTrashed:
            "The spreadsheet, or a folder above it, is in Drive's trash; restore it and retry the job."
        case .unknownTimeZone:
            "The spreadsheet's time zone is not known on this machine, and the job waits; install a newer tzdata."
        case .sheetNotFound: "The spreadsheet has no sheet of that name; correct the name and enqueue it anew."
        case .headerMismatch:
            "The header of the sheet does not fit the job's columns; change it and retry the job, or enqueue another."
        case .rowsChanged:
            "An append was interrupted, and its query gives other rows now, or the sheet does not tell any more which of its "
                + "rows are there; take out what it appended, or leave out what is there, and enqueue it anew."
        case .sheetChanged: "Rows or columns of the sheet were moved while the job was at it; the job is tried again."
        case .templateInvalid:
            "The formatting template cannot be used; mend its file in GOOGLE_SHEETS_TEMPLATES_PATH and retry the job."
        case .unclearCreate:
            "It is not known whether Google made the spreadsheet; the next attempt looks for it before it makes another."
        case .foldersDisabled:
            "Folders are switched off by GOOGLE_DRIVE_ENABLE_FOLDERS; switch them on or enqueue none."
        case .noSource:
            "The payload has a query, and neither SHEETSYNC_SOURCE_DATABASE_URL is set nor does SHEETSYNC_SOURCE_DATABASE_URLS "
                + "name the job's login; set one and retry the job."
        case .spoolFull:
            "The rows of queries need more disk than SHEETSYNC_SPOOL_MAX_MB allows; a job that only waits for others goes "
                + "on by itself."
        case .spoolFailed:
            "The rows of a query could not be kept in SHEETSYNC_SPOOL_DIR, mostly because its disk is full; the job is "
                + "tried again."
        case .tooManyDeletes:
            "More rows have left the query than `max_deletes` lets a mirror delete; look at the query, and if it is right, let one "
                + "run through with allow_deletes."
        case .emptyResult:
            "The query of a mirror gave no rows, and nothing was cleared; look at the query, or set allow_empty."
        case .protectedCells:
            "A protected range lies over cells that a mirror is to write; let the account edit it, or take the protection away, "
                + "and retry the job."
        case .queryFailed:
            "The source database refused the query, or it gives no rows; correct it and enqueue it anew."
        case .queryTimedOut:
            "The query took longer than SHEETSYNC_QUERY_TIMEOUT; make it faster or raise that, and retry the job."
        case .queryLoginRefused:
            "The login of SHEETSYNC_SOURCE_DATABASE_URL(S) may do more than read data; give it less or name another, and retry "
                + "the job."
        case .queryUnavailable: "The source database could not be reached or was busy; the job is tried again."
        }
    }
}

extension JobFailure {
    /// A failure with one of this module's codes.
    init(_ code: ExportErrorCode, _ message: String, retry: Retry, needsMending: Bool = false) {
        self.init(code: code.rawValue, message: message, retry: retry, needsMending: needsMending)
    }
}
