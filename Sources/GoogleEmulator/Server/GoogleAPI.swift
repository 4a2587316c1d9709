/// The parts of Google that the emulator plays.
public enum GoogleAPI: String, Sendable, Hashable, CaseIterable {
    /// The token endpoint, with the consent screen, `/revoke` and `/tokeninfo`.
    case oauth
    /// Drive v3.
    case drive
    /// Sheets v4.
    case sheets
    /// The security token service, which takes other identity providers' tokens.
    case sts
    /// The IAM Credentials API, which gives tokens in the name of service accounts.
    case iamcredentials
    /// The metadata server of Google's machines.
    case metadata
    /// An identity provider that is not Google's, for the security token service.
    case idp

    /// The part that a path belongs to; nil for the emulator's own pages and controls.
    init?(path: String) {
        if ["/token", "/revoke", "/tokeninfo"].contains(path) || path.hasPrefix("/o/oauth2/") {
            self = .oauth
        } else if path.hasPrefix("/drive/v3/") || path.hasPrefix("/upload/drive/") {
            self = .drive
        } else if path.hasPrefix("/v4/") {
            self = .sheets
        } else if path == "/v1/token" {
            self = .sts
        } else if path.hasPrefix("/v1/projects/") {
            self = .iamcredentials
        } else if path.hasPrefix("/computeMetadata/") {
            self = .metadata
        } else if path.hasPrefix("/idp/") {
            self = .idp
        } else {
            return nil
        }
    }

    /// Whether it gives tokens, for the others to be called with.
    var givesTokens: Bool { self != .drive && self != .sheets }
}
