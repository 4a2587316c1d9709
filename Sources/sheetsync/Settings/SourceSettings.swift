import Export
import Glibc
import JobQueue
import Postgres

/// Where queries of jobs run, and where their rows wait.
struct SourceSettings {
    /// The login for queries; nil where jobs with a query are refused.
    let connection: ConnectionConfiguration?
    /// What is to be said of a connection over which anybody may pose as the server; nil where nobody can.
    let tlsWarning: String?
    let timeout: Duration
    let spool: SpoolSpace

    init(_ reader: SettingsReader) throws {
        (connection, tlsWarning) = try Self.connection(reader)
        timeout = try reader.seconds("SHEETSYNC_QUERY_TIMEOUT", default: 300, in: 1...86_400)
        let megabytes = try reader.int("SHEETSYNC_SPOOL_MAX_MB", default: 1024, in: 1...1_048_576)
        let directory = Self.directory(reader)
        if connection != nil, unsafe access(directory, W_OK | X_OK) != 0 {
            throw SettingsError(
                name: "SHEETSYNC_SPOOL_DIR", problem: "names no folder that can be written to", path: directory)
        }
        spool = SpoolSpace(directory: directory, limit: megabytes * 1_048_576)
    }

    /// The source for one queue; nil where there is none.
    func database(of queue: DatabaseSettings) -> SourceDatabase? {
        connection.map { SourceDatabase($0, timeout: timeout, queueSchema: queue.schema.name, spool: spool) }
    }

    private static func connection(_ reader: SettingsReader) throws -> (ConnectionConfiguration?, tlsWarning: String?) {
        guard let url = reader.text("SHEETSYNC_SOURCE_DATABASE_URL") else { return (nil, nil) }
        // A source on another server may have another authority.
        let authority = url.contains("sslrootcert=") ? nil : try DatabaseSettings.certificatePath(reader)
        let sslRequired = try reader.bool("SSL_REQUIRED", default: false)
        do throws(PostgresError) {
            let connection = try ConnectionConfiguration(
                url: url, sslRequired: sslRequired, certificateAuthority: authority, onlyReads: true)
            return (connection, DatabaseSettings.tlsWarning(url, connection, authority: authority))
        } catch {
            throw SettingsError(name: "SHEETSYNC_SOURCE_DATABASE_URL", problem: "cannot be used", reason: "\(error)")
        }
    }

    /// What systemd made for the unit, else where temporary files go that may be large.
    private static func directory(_ reader: SettingsReader) -> String {
        let cache = reader.text("CACHE_DIRECTORY")?.split(separator: ":").first.map(String.init)
        return reader.text("SHEETSYNC_SPOOL_DIR") ?? cache ?? reader.text("TMPDIR") ?? "/var/tmp"
    }
}
