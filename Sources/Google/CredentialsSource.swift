/// Where credentials come from: a file or the text itself, read anew at each load.
public struct CredentialsSource: Sendable, Hashable {
    /// A path, or JSON text: a value that begins with `{` is text.
    public var value: Secret
    /// The setting that holds the value; stands in errors in place of a path.
    public var setting: String
    /// The file of a user's token, for an OAuth client.
    public var tokenPath: String?
    /// The user for whom a service account acts.
    public var subject: String?

    /// Makes a source.
    public init(value: Secret, setting: String, tokenPath: String? = nil, subject: String? = nil) {
        self.value = value
        self.setting = setting
        self.tokenPath = tokenPath
        self.subject = subject
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
        let trimmed = String(value.text.drop(while: \.isWhitespace))
        guard !trimmed.isEmpty else { throw CredentialsError(.unreadable, setting, "is empty") }
        var warnings: [String] = []
        var text = trimmed
        var place = setting
        if !trimmed.hasPrefix("{") {
            place = value.text
            let file: CredentialsFile
            do { file = try CredentialsFile(path: place) } catch {
                // It may be the key itself, quoted or in Base64, and then no error may show it.
                guard error.code != .unreadable || trimmed.hasPrefix("/") || trimmed.hasSuffix(".json") else {
                    throw CredentialsError(
                        .unreadable, setting, "is neither JSON text nor the path of a file that can be read")
                }
                throw error
            }
            text = file.text
            if let warning = file.warning { warnings.append(warning) }
        }
        // A service account needs no token file; one that is missing then does no harm.
        var token: (text: String, place: String)?
        if let tokenPath, try CredentialsFields(text, place).optional("type") == nil {
            let file = try CredentialsFile(path: tokenPath)
            token = (file.text, tokenPath)
            if let warning = file.warning { warnings.append(warning) }
        }
        let credentials = try Credentials(parsing: text, from: place, token: token, subject: subject)
        return Loaded(credentials: credentials, warnings: warnings)
    }
}
