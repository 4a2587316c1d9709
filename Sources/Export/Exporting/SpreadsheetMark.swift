import Google
import JobQueue

/// The property of a file in Drive that says which job of which installation made it; only the same Cloud project sees it.
struct SpreadsheetMark: Sendable, Hashable {
    private static let name = "sheetsync_job"

    private let installation: String
    private let job: JobTag

    init(installation: String, job: JobTag) {
        self.installation = installation
        self.job = job
    }

    var properties: [String: String] { [Self.name: "\(installation)/\(job)"] }

    /// What Drive searches files with it by.
    var condition: DriveQuery { .appProperty(Self.name, "\(installation)/\(job)") }

    func isOn(_ file: DriveFile) -> Bool { file.appProperties[Self.name] == properties[Self.name] }

    /// Whether any job of an installation made a file.
    static func isOn(_ file: DriveFile, of installation: String) -> Bool {
        file.appProperties[name]?.hasPrefix("\(installation)/") == true
    }
}
