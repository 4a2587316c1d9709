import JSON

/// Who speaks to Google, and how they prove it: a way to an access token.
public struct Credentials: Sendable {
    /// The ways to a token, each with what it needs.
    public indirect enum Kind: Sendable {
        /// A service account with its key.
        case serviceAccount(ServiceAccount)
        /// A user with a refresh token.
        case authorizedUser(AuthorizedUser)
        /// A workload that another identity provider vouches for (workload identity federation).
        case externalAccount(ExternalAccount)
        /// A service account in whose name another identity gets its tokens.
        case impersonation(Impersonation)
        /// The service account that Google's machine runs as.
        case metadataServer(MetadataServer)
    }

    /// The way.
    public let kind: Kind
    /// The Cloud project whose quotas calls count against; nil for the identity's own.
    public let quotaProject: String?

    /// Google's token endpoint, for files that name none.
    static let defaultTokenURI = "https://oauth2.googleapis.com/token"

    /// The name for reports: an address where one is known, with the user that a service account acts for.
    public var identity: String {
        switch kind {
        case .serviceAccount(let account): account.subject.map { "\(account.email) for \($0)" } ?? account.email
        case .authorizedUser(let user): "a user of the OAuth client \(user.clientID)"
        case .externalAccount(let account): "the external account of \(account.audience)"
        case .impersonation(let impersonation): impersonation.email
        case .metadataServer: "the service account of the metadata server"
        }
    }

    /// The service account's address; nil for others, and where only Google knows it.
    public var serviceAccountEmail: String? {
        switch kind {
        case .serviceAccount(let account): account.email
        case .impersonation(let impersonation): impersonation.email
        case .authorizedUser, .externalAccount, .metadataServer: nil
        }
    }

    /// Where the access token comes from, for reports and to see whether it can be reached.
    public var tokenEndpoint: (url: String, isMetadataServer: Bool) {
        switch kind {
        case .serviceAccount(let account): (account.tokenURI, false)
        case .authorizedUser(let user): (user.tokenURI, false)
        case .externalAccount(let account): (account.tokenURL, false)
        case .impersonation(let impersonation): (impersonation.url, false)
        case .metadataServer(let server): (server.baseURL + "/", true)
        }
    }

    /// Those of the machine itself.
    init(_ server: MetadataServer) {
        kind = .metadataServer(server)
        quotaProject = nil
    }

    /// Reads any form of a credentials file that Google has, but for those that run programs or ask Amazon.
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
        let tokenFields: CredentialsFields?
        if let token { tokenFields = try CredentialsFields(token.text, token.place) } else { tokenFields = nil }
        kind = try Kind(fields, token: tokenFields, subject: subject)
        if case .serviceAccount = kind {
        } else if subject != nil {
            throw CredentialsError(
                .subjectNotSupported, place,
                "only a service account with a key can act for another user (GOOGLE_IMPERSONATE_SUBJECT)")
        }
        let (own, other) = (try fields.project("quota_project_id"), try tokenFields?.project("quota_project_id"))
        quotaProject = own ?? other
    }
}

extension Credentials.Kind {
    fileprivate init(
        _ fields: CredentialsFields, token: CredentialsFields?, subject: String?
    ) throws(CredentialsError) {
        let type = fields.optional("type")
        switch type {
        case "service_account": self = .serviceAccount(try ServiceAccount(fields, subject: subject))
        case "authorized_user": self = .authorizedUser(try AuthorizedUser(fields))
        case "external_account":
            let account = Self.externalAccount(try ExternalAccount(fields))
            if let url = try fields.endpoint("service_account_impersonation_url") {
                self = .impersonation(try Impersonation(fields, url: url, source: account))
            } else {
                self = account
            }
        case "impersonated_service_account":
            guard let url = try fields.endpoint("service_account_impersonation_url") else {
                throw fields.missing("service_account_impersonation_url")
            }
            guard let inner = try fields.nested("source_credentials") else {
                throw fields.missing("source_credentials")
            }
            let source = try Self(inner, token: nil, subject: nil)
            if case .impersonation = source {
                throw CredentialsError(
                    .unsupportedType, fields.place,
                    "its \"source_credentials\" are another account's already; name the accounts between in \"delegates\""
                )
            }
            self = .impersonation(try Impersonation(fields, url: url, source: source))
        case nil where fields.optional("refresh_token") != nil: self = .authorizedUser(try AuthorizedUser(fields))
        case nil:
            let (installed, web) = (try fields.nested("installed"), try fields.nested("web"))
            guard let client = installed ?? web else {
                throw CredentialsError(
                    .unsupportedType, fields.place,
                    "is none of a service-account key, an authorized user, an external account, an impersonated service "
                        + "account and an OAuth client (installed, web)")
            }
            guard let token else {
                throw CredentialsError(
                    .missingToken, fields.place,
                    "is an OAuth client without a user's token; name the token's file in GOOGLE_SHEETS_TOKEN_PATH")
            }
            self = .authorizedUser(try AuthorizedUser(client: client, token: token))
        case let type?:
            throw CredentialsError(
                .unsupportedType, fields.place,
                "has a \"type\" that is not supported (\(type.prefix(40))); use a service_account, authorized_user, "
                    + "external_account or impersonated_service_account file")
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
        tokenURI = try fields.endpoint("token_uri") ?? Credentials.defaultTokenURI
        self.subject = subject
    }
}

extension AuthorizedUser {
    fileprivate init(_ fields: CredentialsFields) throws(CredentialsError) {
        clientID = try fields.required("client_id")
        clientSecret = Secret(try fields.required("client_secret"))
        refreshToken = Secret(try fields.required("refresh_token"))
        tokenURI = try fields.endpoint("token_uri") ?? Credentials.defaultTokenURI
    }

    fileprivate init(client: CredentialsFields, token: CredentialsFields) throws(CredentialsError) {
        clientID = try client.required("client_id")
        clientSecret = Secret(try client.required("client_secret"))
        refreshToken = Secret(try token.required("refresh_token"))
        let (own, other) = (try client.endpoint("token_uri"), try token.endpoint("token_uri"))
        tokenURI = own ?? other ?? Credentials.defaultTokenURI
        if let other = token.optional("client_id"), other != clientID {
            throw CredentialsError(
                .otherClient, token.place,
                "this token was given to another OAuth client than the one in \(client.place); authorise again")
        }
    }
}
