/// All that the emulator remembers of Google.
struct World: Sendable {
    var authority: Authority
    var drive = DriveStore()
    /// The contents of the files that are spreadsheets, by the file's id.
    var spreadsheets: [String: Spreadsheet] = [:]
    /// The resumable uploads that have begun.
    var uploads = UploadSessions()
    /// How much each identity and the project have called lately.
    var quotas = QuotaMeter()
    /// Whether service accounts may own files, as those made before April 2025 could for a while.
    var serviceAccountsOwnFiles: Bool
    /// Whether each answer is checked against the API's schema before it goes out.
    var checksAnswers = false
    /// Where the emulator answers: `http://127.0.0.1:8080`.
    var baseURL = ""
}
