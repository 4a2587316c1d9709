/// The parts of Google that the emulator plays.
public enum GoogleAPI: String, Sendable, Hashable {
    /// The token endpoint.
    case oauth
    /// Drive v3.
    case drive
    /// Sheets v4.
    case sheets

    /// The part that a path belongs to; nil for the emulator's own pages and controls.
    init?(path: String) {
        if path == "/token" {
            self = .oauth
        } else if path.hasPrefix("/drive/v3/") || path.hasPrefix("/upload/drive/") {
            self = .drive
        } else if path.hasPrefix("/v4/") {
            self = .sheets
        } else {
            return nil
        }
    }
}
