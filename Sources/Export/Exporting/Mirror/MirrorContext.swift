import SheetModel

/// What mirrors of a job need beside its sheets.
struct MirrorContext: Sendable {
    let memory: MirrorMemory
    /// Whose job it is.
    let login: String
    /// The name of the time zone in which its times were read; nil where none of its values need one.
    let timeZone: String?
    let allowsDeletes: Bool
    var isFromScratch: Bool
    /// How many calls were made before.
    var calls = 0
    /// What was read of the job's rows already, by the sheets' indices in the payload.
    var sources: [Int: MirrorSource] = [:]
    /// The spreadsheet's address, where it is known without a call.
    var url: String?

    /// The same where nothing is known.
    var fromScratch: MirrorContext {
        var copy = self
        copy.isFromScratch = true
        return copy
    }
}
