public import Google
import Synchronization

/// The Google side of an installation: whose Drive it is, and where in it exports land.
public struct Workspace: Sendable {
    /// Where jobs put what they make, from the settings.
    public struct Configuration: Sendable {
        /// The name under which folders of this identity are remembered.
        public var account: String
        /// The shared drive that exports live in; nil for the identity's own Drive.
        public var sharedDriveID: String?
        /// Whether jobs are put into folders at all.
        public var foldersEnabled = true
        /// The path under which all other paths lie.
        public var defaultFolder: [String] = []
        /// Where people open folders in a browser.
        public var webBase = "https://drive.google.com"
        /// What tells this queue's spreadsheets from those of others in the same Cloud project.
        public var installation: String

        /// Makes a configuration; `installation` comes from the queue's schema.
        public init(account: String, installation: String) {
            self.account = account
            self.installation = installation
        }
    }

    /// Where jobs put what they make.
    public let configuration: Configuration
    private let api: APIClient

    /// Makes a workspace on an API client.
    public init(_ configuration: Configuration, api: APIClient) {
        self.configuration = configuration
        self.api = api
    }

    /// Clients for one job, which count that job's calls.
    func clients() -> (drive: DriveClient, sheets: SheetsClient, calls: CallCounter) {
        let calls = CallCounter()
        let observed = api.observed { _ in calls.count() }
        return (
            DriveClient(api: observed, sharedDriveID: configuration.sharedDriveID), SheetsClient(api: observed), calls
        )
    }

    /// Where a person opens a folder.
    func url(ofFolder id: String) -> String { "\(configuration.webBase)/drive/folders/\(id)" }
}

/// Counts the calls of one job.
final class CallCounter: Sendable {
    private let calls = Atomic<Int>(0)

    func count() { calls.add(1, ordering: .relaxed) }

    var total: Int { calls.load(ordering: .relaxed) }
}
