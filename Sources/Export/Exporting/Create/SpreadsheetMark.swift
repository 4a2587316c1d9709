import Google
import JobQueue

/// The properties of a file in Drive that say which job of which installation made it, and which login had enqueued that.
///
/// Only the same Cloud project sees and writes them. They stay where the job is long removed.
struct SpreadsheetMark: Sendable, Hashable {
    private static let name = "sheetsync_job"
    private static let loginName = "sheetsync_login"

    /// The database login that enqueued the job.
    let login: String
    private let installation: String
    private let job: JobTag

    init(installation: String, job: Job) {
        self.installation = installation
        self.job = job.tag
        login = job.login
    }

    /// Both, always: a copy begins with those of its original.
    var properties: [String: String] { [Self.name: "\(installation)/\(job)", Self.loginName: login] }

    /// What Drive searches files with it by.
    var condition: DriveQuery { .appProperty(Self.name, "\(installation)/\(job)") }

    func isOn(_ file: DriveFile) -> Bool { file.appProperties[Self.name] == properties[Self.name] }

    /// Whether any job of an installation made a file.
    static func isOn(_ file: DriveFile, of installation: String) -> Bool {
        file.appProperties[name]?.hasPrefix("\(installation)/") == true
    }

    /// Whether a job of an installation made a file that this login had enqueued.
    static func isOn(_ file: DriveFile, of installation: String, login: String) -> Bool {
        isOn(file, of: installation) && file.appProperties[loginName] == login
    }
}
