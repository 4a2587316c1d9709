/// Where a database is and how to reach it, as libpq's keywords.
public struct ConnectionConfiguration: Sendable {
    let keywords: [(name: String, value: String)]
    /// Which server the connections of this configuration and its copies work with.
    let agreement: ServerAgreement
    /// What the URL has that is left out, in sentences that show none of its values.
    public let warnings: [String]

    /// Reads a database URL.
    ///
    /// Understood are `postgres://` and `postgresql://`, with SQLAlchemy's driver behind a plus (`postgresql+asyncpg://`) and
    /// its `?ssl=require`; every parameter that libpq knows in the query, so also `?host=/run/postgresql` for a socket and
    /// `?service=queue`; several hosts.
    ///
    /// - Parameters:
    ///   - sslRequired: Refuse every connection over TCP that is not encrypted, whatever the URL says.
    ///   - certificateAuthority: The path of a PEM file; the server's certificate is then verified against it, and its name too
    ///     unless the URL says `verify-ca`.
    ///   - onlyReads: Whether a server that takes no writes will do. Of several hosts another is tried where it will not.
    /// - Throws: `.configuration`, with a sentence that shows nothing of the URL but its scheme or a parameter's name.
    public init(
        url: String, sslRequired: Bool = false, certificateAuthority: String? = nil, onlyReads: Bool = false
    ) throws(PostgresError) {
        var parser = DatabaseURLParser()
        var settings = try parser.parse(url)
        if let certificateAuthority {
            if settings["sslmode"] != "verify-ca" { settings["sslmode"] = "verify-full" }
            settings["sslrootcert"] = certificateAuthority
        } else if sslRequired, settings["service"] != nil, settings["sslmode"] == nil {
            // The service may ask for more, which must not be lowered.
            throw PostgresError(
                .configuration, "the database URL names a service, and TLS is required: give it an sslmode too")
        } else if sslRequired, ["require", "verify-ca", "verify-full"].contains(settings["sslmode"]) == false {
            settings["sslmode"] = "require"
        }
        let defaults = [
            "connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10",
            "keepalives_count": "3", "tcp_user_timeout": "30000",
        ]
        settings.merge(defaults) { given, _ in given }
        let hosts = settings["host"] ?? settings["hostaddr"] ?? ""
        if hosts.contains(","), !onlyReads {
            settings["target_session_attrs"] = settings["target_session_attrs"] ?? "read-write"
        }
        // Texts are decoded as UTF-8, whatever the URL says.
        settings["client_encoding"] = "UTF8"
        keywords = settings.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        agreement = ServerAgreement()
        warnings = parser.warnings
    }

    private init(_ other: Self, keywords: [(name: String, value: String)]) {
        self.keywords = keywords
        agreement = other.agreement
        warnings = other.warnings
    }

    /// The same with one keyword set, unless the URL has set it.
    func with(_ name: String, _ value: String) -> Self {
        keywords.contains { $0.name == name }
            ? self : Self(self, keywords: keywords + [(name: name, value: value)])
    }

    /// The same with more of the server's command-line options, behind those of the URL.
    func adding(options: String) -> Self {
        let given = keywords.first { $0.name == "options" }.map { $0.value + " " } ?? ""
        return Self(
            self, keywords: keywords.filter { $0.name != "options" } + [(name: "options", value: given + options)])
    }

    /// Where this points to, without user and password: `db.example:5432/app`.
    public var place: String {
        func value(_ name: String) -> String? { keywords.first { $0.name == name }?.value }
        if let service = value("service"), value("host") == nil { return "the service \(service)" }
        return "\(value("host") ?? "the local socket"):\(value("port") ?? "5432")/\(value("dbname") ?? "")"
    }
}

extension ConnectionConfiguration: CustomStringConvertible, CustomReflectable {
    /// The place alone, because whoever holds a configuration may be printed whole, and the keywords hold a password.
    public var description: String { place }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
