import Export
import Glibc
import JSON
import JobQueue
import Postgres

/// Where queries of jobs run, and where their rows wait.
struct SourceSettings {
    /// A login for queries.
    struct Login {
        /// Whose queries run as it; nil for those of everybody who has none of his own.
        let producer: String?
        let connection: ConnectionConfiguration
        /// What is to be said of a connection over which anybody may pose as the server; nil where nobody can.
        let tlsWarning: String?
    }

    /// All of them; where there is none, jobs with a query are refused.
    let logins: [Login]
    let timeout: Duration
    let spool: SpoolSpace

    init(_ reader: SettingsReader) throws {
        logins = try Self.logins(reader)
        timeout = try reader.seconds("SHEETSYNC_QUERY_TIMEOUT", default: 300, in: 1...86_400)
        let megabytes = try reader.int("SHEETSYNC_SPOOL_MAX_MB", default: 1024, in: 1...1_048_576)
        let directory = Self.directory(reader)
        if !logins.isEmpty, unsafe access(directory, W_OK | X_OK) != 0 {
            throw SettingsError(
                name: "SHEETSYNC_SPOOL_DIR", problem: "names no folder that can be written to", path: directory)
        }
        spool = SpoolSpace(directory: directory, limit: megabytes * 1_048_576)
    }

    /// The source for one queue; nil where there is none.
    func database(of queue: DatabaseSettings) -> SourceDatabase? {
        guard !logins.isEmpty else { return nil }
        var ofProducers: [String: ConnectionConfiguration] = [:]
        for login in logins { if let producer = login.producer { ofProducers[producer] = login.connection } }
        return SourceDatabase(
            logins.first { $0.producer == nil }?.connection, ofProducers: ofProducers, timeout: timeout,
            queueSchema: queue.schema.name, spool: spool)
    }

    private static func logins(_ reader: SettingsReader) throws -> [Login] {
        let name = "SHEETSYNC_SOURCE_DATABASE_URL"
        let (url, urls) = (reader.text(name), try ofProducers(reader))
        guard url != nil || !urls.isEmpty else { return [] }
        let authority = try DatabaseSettings.certificatePath(reader)
        let sslRequired = try reader.bool("SSL_REQUIRED", default: false)
        func login(_ producer: String?, _ url: String, _ setting: String, _ problem: String) throws -> Login {
            // A source on another server may have another authority.
            let authority = url.contains("sslrootcert=") ? nil : authority
            do throws(PostgresError) {
                let connection = try ConnectionConfiguration(
                    url: url, sslRequired: sslRequired, certificateAuthority: authority, onlyReads: true)
                return Login(
                    producer: producer, connection: connection,
                    tlsWarning: DatabaseSettings.tlsWarning(url, connection, authority: authority))
            } catch {
                throw SettingsError(name: setting, problem: problem, reason: "\(error)")
            }
        }
        let shared = try url.map { try login(nil, $0, name, "cannot be used") }
        return try [shared].compactMap(\.self)
            + urls.enumerated().map { index, entry in
                try login(entry.producer, entry.url, "\(name)S", "has a URL that cannot be used, number \(index + 1)")
            }
    }

    /// The URLs of single producers, in their order.
    ///
    /// No error repeats one of the texts, a name neither: it may be a URL in the wrong place.
    private static func ofProducers(_ reader: SettingsReader) throws -> [(producer: String, url: String)] {
        let name = "SHEETSYNC_SOURCE_DATABASE_URLS"
        guard let text = reader.text(name) else { return [] }
        guard let members = (try? JSON(parsing: text))?.object, Set(members.names).count == members.count,
            members.allSatisfy({ !$0.name.isEmpty && $0.value.string != nil })
        else {
            throw SettingsError(
                name: name,
                problem: "must be a JSON object of URLs, each under the login that enqueues the jobs and once, such as "
                    + #"{"api_server": "postgresql://…"}"#)
        }
        return members.map { ($0.name, $0.value.string ?? "") }
    }

    /// What systemd made for the unit, else where temporary files go that may be large.
    private static func directory(_ reader: SettingsReader) -> String {
        let cache = reader.text("CACHE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        return reader.text("SHEETSYNC_SPOOL_DIR") ?? cache ?? reader.text("TMPDIR") ?? "/var/tmp"
    }
}
