/// Where credentials come from: a file or the text itself, read anew at each load.
public struct CredentialsSource: Sendable, Hashable {
    /// A path, or JSON text: a value that begins with `{` is text; or the word `metadata`, which may stand in the file too.
    public var value: Secret
    /// The setting that holds the value; stands in errors in place of a path.
    public var setting: String
    /// A user's token, for an OAuth client: a path or JSON text, as the credentials are.
    public var token: Secret?
    /// The setting that holds it.
    public var tokenSetting: String
    /// The user for whom a service account acts.
    public var subject: String?
    /// Where credentials come from that are the machine's own.
    public var metadataServer: MetadataServer

    /// Makes a source.
    public init(
        value: Secret, setting: String, token: Secret? = nil, tokenSetting: String = "GOOGLE_SHEETS_TOKEN_PATH",
        subject: String? = nil, metadataServer: MetadataServer = MetadataServer()
    ) {
        self.value = value
        self.setting = setting
        self.token = token
        self.tokenSetting = tokenSetting
        self.subject = subject
        self.metadataServer = metadataServer
    }

    /// What a load gives.
    public struct Loaded: Sendable {
        /// The credentials.
        public let credentials: Credentials
        /// Sentences about what works but should be changed, such as a key file that others may read.
        public let warnings: [String]
    }

    /// Reads and checks everything.
    public func load() throws(CredentialsError) -> Loaded {
        var warnings: [String] = []
        let (text, place) = try Self.read(value, setting, &warnings)
        if text == MetadataServer.word {
            guard subject == nil else {
                throw CredentialsError(
                    .subjectNotSupported, place,
                    "only a service account with a key can act for another user (GOOGLE_IMPERSONATE_SUBJECT)")
            }
            return Loaded(credentials: Credentials(metadataServer), warnings: warnings)
        }
        // A service account needs no token; one that is missing then does no harm.
        var token: (text: String, place: String)?
        if let given = self.token, try CredentialsFields(text, place).optional("type") == nil {
            token = try Self.read(given, tokenSetting, &warnings)
        }
        let credentials = try Credentials(parsing: text, from: place, token: token, subject: subject)
        return Loaded(credentials: credentials, warnings: warnings)
    }

    /// The text of a value, and where it stands: the file, or the setting itself.
    private static func read(
        _ value: Secret, _ setting: String, _ warnings: inout [String]
    ) throws(CredentialsError) -> (text: String, place: String) {
        let trimmed = String(value.text.drop(while: \.isWhitespace))
        guard !trimmed.isEmpty else { throw CredentialsError(.unreadable, setting, "is empty") }
        if trimmed.hasPrefix("{") || isWord(trimmed) {
            return (isWord(trimmed) ? MetadataServer.word : trimmed, setting)
        }
        let file: CredentialsFile
        do { file = try CredentialsFile(path: value.text) } catch {
            // It may be the secret itself, quoted, cut or in Base64, and then no error may show it.
            guard error.code != .unreadable || FilePath.isPlausible(value.text) else {
                throw CredentialsError(
                    .unreadable, setting, "is neither JSON text nor the path of a file that can be read")
            }
            throw error
        }
        if let warning = file.warning { warnings.append(warning) }
        return (isWord(file.text) ? MetadataServer.word : file.text, value.text)
    }

    private static func isWord(_ text: String) -> Bool {
        text.split(whereSeparator: \.isWhitespace) == [Substring(MetadataServer.word)]
    }
}

/// Tells paths from what somebody put into a setting for a path by mistake, such as the secret that the file should hold.
public enum FilePath {
    /// Whether an error may show a value as a path: it is absolute, begins with a dot or ends in `.json`, and has none of the
    /// characters and lengths that paths hardly have.
    public static func isPlausible(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: true)
        let isLocated = text.hasPrefix("/") || text.hasPrefix("./") || text.hasPrefix("../") || text.hasSuffix(".json")
        return isLocated && text.utf8.count <= 1_000 && parts.allSatisfy { $0.count <= 128 }
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.generalCategory != .control && !"{}[]\"'=+".unicodeScalars.contains(scalar)
            }
    }
}
