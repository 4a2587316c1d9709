import JobQueue
import SheetModel

/// A job of kind `export` whose rows are checked and whose target was looked at, so that it can be written.
struct PreparedExport {
    let job: Job
    let payload: ExportPayload
    let spreadsheet: Spreadsheet
    /// What was found out of the spreadsheet that the payload names; nil for a new one.
    let look: TargetLook?
    /// The formatting template; nil keeps the formats that are there.
    let template: FormattingTemplate?
    /// What its mirrors need beside their sheets.
    let mirror: MirrorContext
}
