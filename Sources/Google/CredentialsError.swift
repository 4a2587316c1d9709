/// Why credentials cannot be used.
///
/// Names the file or setting and the field, never what stands in it.
public struct CredentialsError: Error, Sendable, Hashable {
    /// What is wrong, in a form that programs compare.
    public enum Code: String, Sendable, CaseIterable {
        /// The file is missing, not a regular file, too large or not readable.
        case unreadable = "credentials.unreadable"
        /// Others than the owner may write the file.
        case writableByOthers = "credentials.writable_by_others"
        /// The text is not a JSON object.
        case notJSON = "credentials.not_json"
        /// A field is missing, empty or of another type.
        case missingField = "credentials.missing_field"
        /// A field has a value that cannot be used.
        case badField = "credentials.bad_field"
        /// The JSON is of a kind that is not supported, or of none.
        case unsupportedType = "credentials.unsupported_type"
        /// The private key cannot be used.
        case badKey = "credentials.bad_key"
        /// An OAuth client file stands without a user's token.
        case missingToken = "credentials.missing_token"
        /// The token file belongs to another OAuth client.
        case otherClient = "credentials.other_client"
        /// The token endpoint is reached without encryption, which would show the credentials to everybody on the way.
        case insecureEndpoint = "credentials.insecure_endpoint"
        /// A user to act for is named, but the credentials are not a service account's.
        case subjectNotSupported = "credentials.subject_not_supported"
        /// OpenSSL could not sign.
        case signingFailed = "credentials.signing_failed"
        /// The token file could not be replaced.
        case notWritten = "credentials.not_written"
    }

    /// What is wrong.
    public let code: Code
    /// The file or setting concerned.
    public let place: String
    /// What is wrong and what to do, as a part of a sentence.
    public let problem: String

    /// Makes an error.
    init(_ code: Code, _ place: String, _ problem: String) {
        self.code = code
        self.place = place
        self.problem = problem
    }
}

extension CredentialsError: CustomStringConvertible {
    /// One sentence: where, what, and what to do.
    public var description: String { "\(place): \(problem)" }
}
