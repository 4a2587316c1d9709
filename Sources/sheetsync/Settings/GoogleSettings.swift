import Export
import FoundationEssentials
import Google
import HTTP
import Postgres

/// Who works at Google, and where.
struct GoogleSettings {
    let credentials: GoogleIdentities
    let endpoint: String?
    /// Certificates of authorities that are trusted beside the system's.
    let authorities: AuthorityCertificates?
    let sharedDriveID: String?
    let foldersEnabled: Bool
    let defaultFolder: [String]
    let quotas: QuotaSettings
    let batchBytes: Int
    let templatesPath: String?
    let sharing: Set<DrivePermission.GranteeType>
    let sharingDomains: Set<String>
    let targets: Workspace.Targets
    /// How late Drive's lists may be.
    let listDelay: Duration

    init(_ reader: SettingsReader) throws {
        guard let (setting, value) = Self.credentials(reader) else {
            throw SettingsError(
                name: "GOOGLE_SHEETS_CREDENTIALS_PATH",
                problem:
                    "is not set: give the path of a service account's key, an authorized user, an external account or an OAuth "
                    + "client, or on a machine of Google's the word metadata")
        }
        let metadataHost = reader.text("GCE_METADATA_HOST") ?? MetadataServer.defaultHost
        guard let metadataServer = MetadataServer(host: metadataHost) else {
            throw SettingsError(name: "GCE_METADATA_HOST", problem: "must be a host, with or without a port")
        }
        credentials = GoogleIdentities(
            setting: setting, value: value,
            token: Self.token(reader),
            subject: reader.text("GOOGLE_IMPERSONATE_SUBJECT"), metadataServer: metadataServer)
        authorities = try Self.authorities(reader)
        endpoint = try Self.endpoint(reader)
        sharedDriveID = reader.text("GOOGLE_DRIVE_SHARED_DRIVE_ID")
        foldersEnabled = try reader.bool("GOOGLE_DRIVE_ENABLE_FOLDERS", default: true)
        quotas = try reader.quotas()
        defaultFolder = (reader.text("GOOGLE_DRIVE_DEFAULT_FOLDER") ?? "").split(separator: "/").map(String.init)
        templatesPath = try Self.templatesPath(reader)
        sharing = try Self.sharing(reader)
        sharingDomains = try Self.sharingDomains(reader)
        batchBytes = try reader.int("SHEETSYNC_BATCH_BYTES", default: 8_000_000, in: 1_000...50_000_000)
        listDelay = try reader.seconds("SHEETSYNC_LIST_DELAY", default: 60, in: 0...3600)
        guard let targets = Workspace.Targets(rawValue: reader.text("SHEETSYNC_TARGETS") ?? "any") else {
            throw SettingsError(name: "SHEETSYNC_TARGETS", problem: "must be any, own or login")
        }
        self.targets = targets
    }

    /// One base URL in place of Google's; nil for Google's own.
    static func endpoint(_ reader: SettingsReader) throws -> String? {
        guard let endpoint = reader.text("GOOGLE_API_ENDPOINT") else { return nil }
        guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://") else {
            throw SettingsError(name: "GOOGLE_API_ENDPOINT", problem: "must begin with http:// or https://")
        }
        return endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    }

    /// A user's token, as a path or as its text.
    static func token(_ reader: SettingsReader) -> String? {
        reader.credentialPath("GOOGLE_SHEETS_TOKEN") ?? reader.text("GOOGLE_SHEETS_TOKEN_PATH")
    }

    /// Certificates of authorities that are trusted beside the system's.
    static func authorities(_ reader: SettingsReader) throws -> AuthorityCertificates? {
        try CertificateSetting("GOOGLE_CA_CERT", of: reader)?.certificates(of: "GOOGLE_CA_CERT")
    }

    /// What calls Google.
    func httpClient() throws(HTTPError) -> HTTPClient { try Self.httpClient(trusting: authorities) }

    /// What calls Google, trusting some authorities beside the system's.
    static func httpClient(trusting authorities: AuthorityCertificates?) throws(HTTPError) -> HTTPClient {
        try HTTPClient(userAgent: "sheetsync/\(SheetSync.version) (gzip)", authorities: authorities?.pem)
    }

    /// Why no job can keep the folder that exports land in; nil where the queue's database takes its name.
    func problemOfDefaultFolder(on connection: Connection) async throws -> String? {
        let encoding = try await connection.encoding()
        guard foldersEnabled, !defaultFolder.allSatisfy({ encoding.takes($0) }) else { return nil }
        return "GOOGLE_DRIVE_DEFAULT_FOLDER has characters that the queue's database cannot keep, whose encoding is "
            + "\(encoding.name ?? "unknown"), so exports into it fail: name it otherwise, or keep the queue in a database with UTF8"
    }

    private static func templatesPath(_ reader: SettingsReader) throws -> String? {
        guard let path = reader.text("GOOGLE_SHEETS_TEMPLATES_PATH") else { return nil }
        guard (try? FileManager.default.contentsOfDirectory(atPath: path)) != nil else {
            throw SettingsError(
                name: "GOOGLE_SHEETS_TEMPLATES_PATH", problem: "names no folder that can be read", path: path)
        }
        return path
    }

    /// What is to be said of an endpoint that everybody on the way can listen to; nil for any other.
    var endpointWarning: String? {
        guard let endpoint, Endpoint.isOpenToListeners(endpoint) else { return nil }
        return
            "GOOGLE_API_ENDPOINT begins with http:// and is not on this machine: everybody on the way can read the access "
            + "tokens and the data"
    }

    /// Whom jobs may share with: names with commas between.
    private static func sharing(_ reader: SettingsReader) throws -> Set<DrivePermission.GranteeType> {
        let names = (reader.text("SHEETSYNC_SHARING") ?? "user,group").split(separator: ",")
            .map { $0.filter { !$0.isWhitespace }.lowercased() }
        // Beside others it is refused: who wrote it may have meant that they are off.
        guard names != ["none"] else { return [] }
        var types: Set<DrivePermission.GranteeType> = []
        for name in names {
            guard let type = DrivePermission.GranteeType(rawValue: name) else {
                throw SettingsError(
                    name: "SHEETSYNC_SHARING",
                    problem: "must be none alone, or some of user, group, domain and anyone with commas between")
            }
            types.insert(type)
        }
        return types
    }

    /// The domains that jobs may share with: names with commas between; empty for any.
    private static func sharingDomains(_ reader: SettingsReader) throws -> Set<String> {
        let names = (reader.text("SHEETSYNC_SHARING_DOMAINS") ?? "").split(separator: ",")
            .map { $0.filter { !$0.isWhitespace }.lowercased() }
        let areDomains = names.allSatisfy { name in
            name.contains(".") && !name.hasPrefix(".") && !name.hasSuffix(".")
                && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "." }
        }
        guard areDomains, reader.text("SHEETSYNC_SHARING_DOMAINS") == nil || !names.isEmpty else {
            throw SettingsError(
                name: "SHEETSYNC_SHARING_DOMAINS", problem: "must be domains such as example.com with commas between")
        }
        return Set(names)
    }

    /// The place that exports land in, for one account and one queue.
    func workspace(account: String, installation: String) -> Workspace.Configuration {
        var configuration = Workspace.Configuration(account: account, installation: installation)
        configuration.sharedDriveID = sharedDriveID
        configuration.foldersEnabled = foldersEnabled
        configuration.defaultFolder = defaultFolder
        configuration.sharing = sharing
        configuration.sharingDomains = sharingDomains
        configuration.targets = targets
        if let endpoint { configuration.webBase = endpoint }
        return configuration
    }

    /// The first setting that names credentials, and its value: a path or the JSON itself.
    private static func credentials(_ reader: SettingsReader) -> (String, String)? {
        if let path = reader.credentialPath("GOOGLE_SHEETS_CREDENTIALS") {
            return ("the credential google-sheets-credentials", path)
        }
        for name in [
            "GOOGLE_SHEETS_CREDENTIALS_PATH", "GOOGLE_SHEETS_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS",
        ] {
            if let value = reader.text(name) { return (name, value) }
        }
        return reader.text("GCE_METADATA_HOST").map { _ in ("GCE_METADATA_HOST", MetadataServer.word) }
    }
}

extension SettingsReader {
    /// How many calls Google allows in a window.
    fileprivate func quotas() throws -> QuotaSettings {
        var quotas = QuotaSettings()
        let limits: [(name: String, path: WritableKeyPath<QuotaSettings, Int>)] = [
            ("WRITES_PER_MINUTE_USER", \.sheetsWritesPerUser), ("WRITES_PER_MINUTE_PROJECT", \.sheetsWritesPerProject),
            ("READS_PER_MINUTE_USER", \.sheetsReadsPerUser), ("READS_PER_MINUTE_PROJECT", \.sheetsReadsPerProject),
        ]
        for (name, path) in limits {
            quotas[keyPath: path] = try int(
                "SHEETSYNC_SHEETS_\(name)", default: quotas[keyPath: path], in: 1...1_000_000)
        }
        quotas.driveCreatesPerUser = try int(
            "SHEETSYNC_DRIVE_CREATES_PER_MINUTE_USER", default: quotas.driveCreatesPerUser, in: 1...1_000_000)
        quotas.window = try seconds("SHEETSYNC_QUOTA_WINDOW", default: 60, in: 1...3600)
        return quotas
    }
}
