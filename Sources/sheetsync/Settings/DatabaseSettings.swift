import CLinux
import Export
import FoundationEssentials
import JobQueue
import Postgres
import SystemPackage

/// Where the queue lives.
struct DatabaseSettings {
    let connection: ConnectionConfiguration
    let schema: Schema
    /// What is to be said of a connection over which anybody may pose as the server; nil where nobody can.
    let tlsWarning: String?

    init(_ reader: SettingsReader) throws {
        guard let url = reader.text("DATABASE_URL") else {
            let installation = Installation()
            throw SettingsError(
                name: "DATABASE_URL",
                problem: installation.isHidden
                    ? "is not set, and \(installation.path) is root's: run the command as root for the unit's settings"
                    : "is not set, and neither the credential database-url nor /etc/sheetsync/database-url is there")
        }
        let sslRequired = try reader.bool("SSL_REQUIRED", default: false)
        let authority = try Self.certificatePath(reader)
        do throws(PostgresError) {
            connection = try ConnectionConfiguration(
                url: url, sslRequired: sslRequired, certificateAuthority: authority)
        } catch {
            throw SettingsError(name: "DATABASE_URL", problem: "cannot be used", reason: "\(error)")
        }
        tlsWarning = Self.tlsWarning(url, connection, authority: authority)
        let name = reader.text("SHEETSYNC_SCHEMA") ?? "sheetsync"
        guard name.utf8.count <= 63, !name.hasPrefix("pg_") else {
            throw SettingsError(name: "SHEETSYNC_SCHEMA", problem: "must be a schema's name of at most 63 bytes")
        }
        schema = Schema(name: name, steps: Migration.sheetsync)
    }

    /// Says of a connection over a network that the server's certificate is not verified; nil where it is.
    static func tlsWarning(_ url: String, _ connection: ConnectionConfiguration, authority: String?) -> String? {
        let isVerified = authority != nil || url.contains("sslmode=verify-")
        guard !isVerified, connection.place.split(separator: ",").contains(where: { !isLocal($0) }) else { return nil }
        return
            "the server's certificate is not verified, so that whoever sits on the way to \(connection.place) may pose as the "
            + "server and read the password: name its authority in DATABASE_CA_CERT, or put sslmode=verify-full into the URL"
    }

    /// Whether a host of `ConnectionConfiguration.place` is this machine.
    private static func isLocal(_ host: Substring) -> Bool {
        ["the local socket", "/", "@", "localhost", "127.", "::1", "[::1]"].contains { host.hasPrefix($0) }
    }

    /// The path of the certificate that the server's is checked against.
    ///
    /// libpq wants a path. A certificate given as text goes into a file in memory that ends with this process.
    static func certificatePath(_ reader: SettingsReader) throws -> String? {
        let pem: String
        switch try CertificateSetting("DATABASE_CA_CERT", of: reader) {
        case nil: return nil
        case .path(let path)?: return path
        case .pem(let text)?: pem = text
        }
        // A file in memory without a name, which nobody else can make or open before.
        let file = FileDescriptor(rawValue: unsafe clinux_memory_file("sheetsync-ca"))
        guard file.rawValue >= 0, (try? file.writeAll(pem.utf8)) != nil else {
            throw SettingsError(name: "DATABASE_CA_CERT", problem: "cannot be kept in memory; give a path instead")
        }
        return "/proc/self/fd/\(file.rawValue)"
    }
}
