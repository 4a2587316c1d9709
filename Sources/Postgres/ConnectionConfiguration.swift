/// Where a database is and how to reach it, as libpq's keywords.
public struct ConnectionConfiguration: Sendable {
    let keywords: [(name: String, value: String)]
    /// Which server the connections of this configuration and its copies work with.
    let agreement: ServerAgreement

    /// Reads a database URL.
    ///
    /// Understood are `postgres://` and `postgresql://`, with SQLAlchemy's driver behind a plus (`postgresql+asyncpg://`) and
    /// its `?ssl=require`; libpq's parameters in the query, so also `?host=/run/postgresql` for a socket; several hosts.
    ///
    /// - Parameters:
    ///   - sslRequired: Refuse every connection over TCP that is not encrypted, whatever the URL says.
    ///   - certificateAuthority: The path of a PEM file; the server's certificate and name are then verified against it.
    ///   - onlyReads: Whether a server that takes no writes will do. Of several hosts another is tried where it will not.
    /// - Throws: `.configuration`, with a sentence that shows nothing of the URL but its scheme or a parameter's name.
    public init(
        url: String, sslRequired: Bool = false, certificateAuthority: String? = nil, onlyReads: Bool = false
    ) throws(PostgresError) {
        var parser = DatabaseURLParser()
        var settings = try parser.parse(url)
        if let certificateAuthority {
            settings["sslmode"] = "verify-full"
            settings["sslrootcert"] = certificateAuthority
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
    }

    private init(keywords: [(name: String, value: String)], agreement: ServerAgreement) {
        self.keywords = keywords
        self.agreement = agreement
    }

    /// The same with one keyword set, unless the URL has set it.
    func with(_ name: String, _ value: String) -> Self {
        keywords.contains { $0.name == name }
            ? self : Self(keywords: keywords + [(name: name, value: value)], agreement: agreement)
    }

    /// The same with more of the server's command-line options, behind those of the URL.
    func adding(options: String) -> Self {
        let given = keywords.first { $0.name == "options" }.map { $0.value + " " } ?? ""
        return Self(
            keywords: keywords.filter { $0.name != "options" } + [(name: "options", value: given + options)],
            agreement: agreement)
    }

    /// Where this points to, without user and password: `db.example:5432/app`.
    public var place: String {
        func value(_ name: String) -> String? { keywords.first { $0.name == name }?.value }
        return "\(value("host") ?? "the local socket"):\(value("port") ?? "5432")/\(value("dbname") ?? "")"
    }
}

extension ConnectionConfiguration: CustomStringConvertible, CustomReflectable {
    /// The place alone, because whoever holds a configuration may be printed whole, and the keywords hold a password.
    public var description: String { place }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
