import JSON

/// Who speaks to Google, and how they prove it.
public enum Credentials: Sendable {
    /// A service account with its key.
    case serviceAccount(ServiceAccount)
    /// A user with a refresh token.
    case authorizedUser(AuthorizedUser)

    /// Google's token endpoint, for files that name none.
    static let defaultTokenURI = "https://oauth2.googleapis.com/token"

    /// The name for reports: the service account's address with the user it acts for, or the OAuth client's id.
    public var identity: String {
        switch self {
        case .serviceAccount(let account): account.subject.map { "\(account.email) for \($0)" } ?? account.email
        case .authorizedUser(let user): "a user of the OAuth client \(user.clientID)"
        }
    }

    /// Reads a service-account key, an authorized user, or an OAuth client with the token of a user.
    ///
    /// - Parameters:
    ///   - text: the JSON of the credentials.
    ///   - place: the file or setting it comes from, for errors.
    ///   - token: the JSON of a user's token (google-auth's form) and where it comes from; only for an OAuth client.
    ///   - subject: the user for whom a service account acts.
    public init(
        parsing text: String, from place: String, token: (text: String, place: String)? = nil, subject: String? = nil
    ) throws(CredentialsError) {
        let fields = try CredentialsFields(text, place)
        let type = fields.optional("type")
        if type == "service_account" {
            self = .serviceAccount(try ServiceAccount(fields, subject: subject))
            return
        }
        guard subject == nil else {
            throw CredentialsError(
                .subjectNotSupported, place,
                "only a service account can act for another user (GOOGLE_IMPERSONATE_SUBJECT)")
        }
        if type == "authorized_user" || (type == nil && fields.optional("refresh_token") != nil) {
            self = .authorizedUser(try AuthorizedUser(fields))
        } else if type == nil, let client = try fields.nested("installed", or: "web") {
            guard let token else {
                throw CredentialsError(
                    .missingToken, place,
                    "is an OAuth client without a user's token; name the token's file in GOOGLE_SHEETS_TOKEN_PATH")
            }
            self = .authorizedUser(
                try AuthorizedUser(client: client, token: CredentialsFields(token.text, token.place)))
        } else if let type {
            throw CredentialsError(
                .unsupportedType, place,
                "has a \"type\" that is not supported (\(type.prefix(40))); use a service_account or authorized_user file"
            )
        } else {
            throw CredentialsError(
                .unsupportedType, place,
                "is none of a service-account key, an authorized user and an OAuth client (installed, web)")
        }
    }
}

extension ServiceAccount {
    fileprivate init(_ fields: CredentialsFields, subject: String?) throws(CredentialsError) {
        email = try fields.required("client_email")
        let pem = try fields.required("private_key")
        do { key = try RSAPrivateKey(pem: pem) } catch {
            throw CredentialsError(
                .badKey, fields.place, "its \"private_key\" \(error.problem); download a new JSON key if need be")
        }
        keyID = fields.optional("private_key_id")
        tokenURI = try fields.tokenURI() ?? Credentials.defaultTokenURI
        self.subject = subject
    }
}

extension AuthorizedUser {
    fileprivate init(_ fields: CredentialsFields) throws(CredentialsError) {
        clientID = try fields.required("client_id")
        clientSecret = Secret(try fields.required("client_secret"))
        refreshToken = Secret(try fields.required("refresh_token"))
        tokenURI = try fields.tokenURI() ?? Credentials.defaultTokenURI
    }

    fileprivate init(client: CredentialsFields, token: CredentialsFields) throws(CredentialsError) {
        clientID = try client.required("client_id")
        clientSecret = Secret(try client.required("client_secret"))
        refreshToken = Secret(try token.required("refresh_token"))
        let (own, other) = (try client.tokenURI(), try token.tokenURI())
        tokenURI = own ?? other ?? Credentials.defaultTokenURI
        if let other = token.optional("client_id"), other != clientID {
            throw CredentialsError(
                .otherClient, token.place,
                "this token was given to another OAuth client than the one in \(client.place); authorise again")
        }
    }
}
