import HTTPTypes

/// What a call needs of Google.
public enum GoogleResource: String, Sendable, Hashable, CaseIterable {
    /// An access token.
    case identity
    /// A call of Drive about one thing.
    case driveRead = "drive_reads"
    /// A page of a list of Drive's.
    case driveList = "drive_lists"
    /// A call of Drive that changes something.
    case driveWrite = "drive_writes"
    /// A new file in Drive.
    case driveCreate = "drive_creates"
    /// A call of Sheets that changes nothing.
    case sheetsRead = "sheets_reads"
    /// A call of Sheets that changes something.
    case sheetsWrite = "sheets_writes"

    /// The API that is called; nil for OAuth.
    public var api: APIRequest.Service? { APIRequest.Service(rawValue: service) }

    /// The service that answers: one for reads and writes of Sheets.
    public var service: String {
        switch self {
        case .identity: "identity"
        case .driveRead, .driveList, .driveWrite, .driveCreate: "drive"
        case .sheetsRead, .sheetsWrite: "sheets"
        }
    }
}

extension APIRequest {
    /// What the call needs of Google.
    var resource: GoogleResource {
        switch service {
        case .drive where method == .get: isList ? .driveList : .driveRead
        case .drive: createsFile ? .driveCreate : .driveWrite
        case .sheets: isRead ? .sheetsRead : .sheetsWrite
        }
    }

    private var isList: Bool { path == "/drive/v3/files" || path.hasSuffix("/permissions") }

    private var createsFile: Bool {
        method == .post && (["/drive/v3/files", "/upload/drive/v3/files"].contains(path) || path.hasSuffix("/copy"))
    }
}
