import JSON

/// An OAuth client of a Cloud project, by which a person lets this program act for them.
public struct OAuthClient: Sendable {
    /// The two kinds of client that the console makes and this program can use.
    public enum Kind: String, Sendable {
        /// A desktop app: any port of the loopback address may be redirected to.
        case installed
        /// A web application: only addresses that the console knows may be redirected to.
        case web
    }

    /// The kind.
    public let kind: Kind
    /// The client's id.
    public let id: String
    /// The client's secret.
    public let secret: Secret
    /// The addresses that the console knows; empty where the file names none.
    public let redirectURIs: [String]
    /// The page at which the person consents.
    let consentURI: String
    let tokenURI: String

    static let consentPath = "/o/oauth2/v2/auth"

    /// Makes a desktop app's client of its id and secret.
    ///
    /// - Parameter endpoint: one base URL in place of Google's, such as an emulator's.
    public init(id: String, secret: Secret, endpoint: String? = nil) {
        kind = .installed
        self.id = id
        self.secret = secret
        redirectURIs = []
        consentURI = (endpoint ?? "https://accounts.google.com") + Self.consentPath
        tokenURI = endpoint.map { $0 + "/token" } ?? Credentials.defaultTokenURI
    }

    /// Reads the JSON that the console gives for a client, `{"installed": {…}}` or `{"web": {…}}`.
    ///
    /// - Parameter place: the file or setting it comes from, for errors.
    public init(parsing text: String, from place: String) throws(CredentialsError) {
        let fields = try CredentialsFields(text, place)
        let (installed, web) = (try fields.nested("installed"), try fields.nested("web"))
        guard let client = installed ?? web else {
            throw CredentialsError(
                .unsupportedType, place,
                "is no OAuth client (installed, web); download the JSON of one of the type Desktop app from the console"
            )
        }
        kind = installed == nil ? .web : .installed
        id = try client.required("client_id")
        secret = Secret(try client.required("client_secret"))
        redirectURIs = try client.list("redirect_uris")
        consentURI = try client.endpoint("auth_uri") ?? "https://accounts.google.com" + Self.consentPath
        tokenURI = try client.endpoint("token_uri") ?? Credentials.defaultTokenURI
    }

    /// Reads a client's file.
    public init(path: String) throws(CredentialsError) {
        try self.init(parsing: try CredentialsFile(path: path).text, from: path)
    }
}
