/// How far the appending to a sheet has come, as the queue keeps it.
///
/// The sheet's own notes say it more exactly, but not for ever: see `AppendFence`.
struct AppendProgress: Sendable, Hashable {
    /// Google's id of the sheet.
    let sheetID: Int
    /// How many rows are there for certain.
    let rows: Int
    /// The digest of those.
    let digest: String
    /// How many are there once the write that may be under way is done; the same number where there is none.
    var sent: Int
    /// What `AppendFence` said of other jobs when it was saved.
    let others: Int

    /// What a person should know where the job ends now.
    var words: String {
        sent > rows
            ? "\(rows) rows are appended for certain, and \(sent) may be."
            : "\(rows) rows are appended."
    }
}
