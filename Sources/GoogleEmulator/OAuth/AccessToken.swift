/// What an access token stands for.
struct AccessToken: Sendable {
    /// The e-mail address of who acts.
    let email: String
    /// Whether who acts is a service account, not a person it acts for.
    let isServiceAccount: Bool
    let scopes: Set<String>
    var expires: Timestamp

    /// Whether it opens no files of Drive but those that were made with the client it was given to; here, that its holder made.
    var isForOwnFiles: Bool { scopes.contains(Self.prefix + "drive.file") && !scopes.contains(Self.prefix + "drive") }

    /// The same for spreadsheets.
    var isForOwnSpreadsheets: Bool { isForOwnFiles && !scopes.contains(Self.prefix + "spreadsheets") }

    private static let prefix = "https://www.googleapis.com/auth/"

    /// Whether it opens a file that its holder may see.
    func opens(_ file: DriveFile) -> Bool { !isForOwnFiles || file.owner == email && file.parent != nil }
}
