public import HTTPTypes
import JSON

/// A workload without a key: another identity provider vouches for it, and Google's security token service (STS) takes that
/// provider's token in exchange for one of its own (RFC 8693).
public struct ExternalAccount: Sendable {
    /// Where the other provider's token is.
    public enum Source: Sendable {
        /// In a file that somebody keeps fresh; it is read anew for each exchange.
        case file(String)
        /// At a URL that is asked with these header fields.
        case url(String, headers: HTTPFields)
    }

    /// The workload identity pool's provider, as Google names it.
    public let audience: String
    /// What kind of token the other provider gives, such as `urn:ietf:params:oauth:token-type:jwt`.
    public let subjectTokenType: String
    /// Google's security token service.
    public let tokenURL: String
    /// Where the other provider's token is.
    public let source: Source
    /// The member that holds the token where the source gives JSON; nil where it gives the token alone.
    public let tokenMember: String?
    /// The OAuth client that a workforce pool may ask for.
    let client: (id: String, secret: Secret)?
    /// The project that a workforce pool's user is counted for.
    let userProject: String?

    /// Reads Google's file of the type `external_account`.
    init(_ fields: CredentialsFields) throws(CredentialsError) {
        audience = try fields.required("audience")
        subjectTokenType = try fields.required("subject_token_type")
        tokenURL = try fields.endpoint("token_url") ?? "https://sts.googleapis.com/v1/token"
        if let id = fields.optional("client_id") {
            client = (id, Secret(fields.optional("client_secret") ?? ""))
        } else {
            client = nil
        }
        userProject = try fields.project("workforce_pool_user_project")
        guard let source = try fields.nested("credential_source") else { throw fields.missing("credential_source") }
        for (name, words) in [
            ("executable", "runs a program"), ("environment_id", "asks Amazon"),
            ("certificate", "is a client certificate"),
        ] where source.has(name) {
            throw CredentialsError(
                .unsupportedType, fields.place,
                "its \"credential_source\" \(words), which is not supported; let the token be written to a file (\"file\") "
                    + "or be given at a URL (\"url\")")
        }
        if let path = source.optional("file") {
            self.source = .file(path)
        } else if let url = try source.endpoint("url", reachesNeighbours: true) {
            self.source = .url(url, headers: try source.headers("headers"))
        } else {
            throw CredentialsError(
                .missingField, fields.place, "its \"credential_source\" has neither a \"file\" nor a \"url\"")
        }
        let format = try source.nested("format")
        switch format?.optional("type") ?? "text" {
        case "text": tokenMember = nil
        case "json": tokenMember = try format?.required("subject_token_field_name")
        default: throw fields.bad("credential_source", "has a \"format\" that is neither text nor json")
        }
    }

    /// The other provider's token in what its source gave.
    func subjectToken(in bytes: [UInt8]) -> Secret? {
        let text =
            if let tokenMember {
                (try? JSON(parsing: bytes, mostValues: 1_000))?[tokenMember]?.string ?? ""
            } else {
                String(decoding: bytes, as: UTF8.self)
            }
        let token = text.split(whereSeparator: \.isWhitespace)
        // A text of several words is a page or a message, and no token.
        return token.count == 1 ? Secret(String(token[0])) : nil
    }
}
