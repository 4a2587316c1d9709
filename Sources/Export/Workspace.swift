public import Google
import JobQueue

/// The Google side of an installation: whose Drive it is, and where in it exports land.
public struct Workspace: Sendable {
    /// Which files jobs may write to, copy and format.
    public enum Targets: String, Sendable, CaseIterable {
        /// Every file that the identity may.
        case any
        /// What this installation made.
        case own
        /// What this installation made for the same login.
        case login
    }

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
        /// Whom jobs may share with.
        public var sharing: Set<DrivePermission.GranteeType> = [.user, .group]
        /// The domains of those; empty for any.
        public var sharingDomains: Set<String> = []
        /// Which files jobs may write to, copy and format.
        public var targets = Targets.any
        /// What tells this queue's spreadsheets from those of others in the same Cloud project.
        public var installation: String

        /// Makes a configuration; `installation` comes from the queue's schema.
        public init(account: String, installation: String) {
            self.account = account
            self.installation = installation
        }

        /// Whether there is anybody whom jobs may not share with.
        var limitsSharing: Bool {
            !sharingDomains.isEmpty || sharing.count < DrivePermission.GranteeType.allCases.count
        }

        /// The setting that forbids to share with somebody, and why; nil where none does.
        func objection(to permission: DrivePermission) -> String? {
            guard sharing.contains(permission.type) else {
                return "SHEETSYNC_SHARING does not allow the type \(permission.type.rawValue)"
            }
            guard !sharingDomains.isEmpty else { return nil }
            let domain = permission.grantee.split(separator: "@").last?.lowercased() ?? ""
            // Everybody with the link is of no domain.
            return sharingDomains.contains(domain) ? nil : "SHEETSYNC_SHARING_DOMAINS does not name the domain"
        }
    }

    /// Where jobs put what they make.
    public let configuration: Configuration
    /// Folders beside the default one that jobs may use, as was found out lately.
    let allowedFolders = AllowedFolders()
    private var api: APIClient

    /// Makes a workspace on an API client.
    public init(_ configuration: Configuration, api: APIClient) {
        self.configuration = configuration
        self.api = api
    }

    /// The same workspace, which tells one more observer of each HTTP exchange.
    func observed(by observer: @escaping @Sendable (APICall) -> Void) -> Workspace {
        var copy = self
        copy.api = api.observed(by: observer)
        return copy
    }

    /// The same workspace, whose calls go through another gate.
    func gated(by gate: any CallGate) -> Workspace {
        var copy = self
        copy.api = api.gated(by: gate)
        return copy
    }

    /// The same workspace for a rehearsal, which sends nothing that would change something.
    func rehearsing(_ observer: @escaping @Sendable (APIRequest) -> Void) -> Workspace {
        var copy = self
        copy.api = api.rehearsing(observer)
        return copy
    }

    /// Gets an access token, unless there is a good one.
    func signIn() async throws(GoogleError) { try await api.signIn() }

    /// Clients for one job, which count that job's calls and send none once it may be another worker's.
    func clients(for progress: ProgressReporter) -> (drive: DriveClient, sheets: SheetsClient, calls: CallCounter) {
        let calls = CallCounter()
        let observed = api.observed { calls.count($0) }.sending { progress.isHeld }
        return (
            DriveClient(api: observed, sharedDriveID: configuration.sharedDriveID), SheetsClient(api: observed), calls
        )
    }

    /// A path from the root on; empty where folders are switched off.
    func path(_ names: [String]) -> [String] {
        configuration.foldersEnabled ? configuration.defaultFolder + names : []
    }

    /// Where a person opens a spreadsheet.
    func url(of file: DriveFile) -> String {
        // Drive's link says where it was given out (?usp=drivesdk); the address works without.
        file.webViewLink.map { String($0.prefix { $0 != "?" }) }
            ?? "https://docs.google.com/spreadsheets/d/\(file.id)/edit"
    }

    /// Where a person opens a folder.
    func url(ofFolder id: String) -> String { "\(configuration.webBase)/drive/folders/\(id)" }
}
