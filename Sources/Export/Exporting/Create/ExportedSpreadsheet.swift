/// The spreadsheet of a job, once it is known.
struct ExportedSpreadsheet: Sendable, Hashable {
    let id: String
    let url: String
    /// The folder it was made in; nil where it lies in the root, or was there before.
    let folder: String?
    /// What happened on the way to it that a person should know.
    var warnings: [String] = []
}
