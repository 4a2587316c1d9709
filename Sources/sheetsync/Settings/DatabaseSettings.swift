import Export
import FoundationEssentials
import Glibc
import JobQueue
import Postgres
import SystemPackage

/// Where the queue lives.
struct DatabaseSettings {
    let connection: ConnectionConfiguration
    let schema: Schema

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
            throw SettingsError(name: "DATABASE_URL", problem: "cannot be used: \(error)")
        }
        let name = reader.text("SHEETSYNC_SCHEMA") ?? "sheetsync"
        guard name.utf8.count <= 63, !name.hasPrefix("pg_") else {
            throw SettingsError(name: "SHEETSYNC_SCHEMA", problem: "must be a schema's name of at most 63 bytes")
        }
        schema = Schema(name: name, steps: Migration.sheetsync)
    }

    /// The path of the certificate that the server's is checked against.
    ///
    /// libpq wants a path. A certificate given as text goes into a file in memory that ends with this process.
    static func certificatePath(_ reader: SettingsReader) throws -> String? {
        guard let value = reader.text("DATABASE_CA_CERT") else { return nil }
        guard let pem = CertificateText.pem(in: value) else {
            if FileManager.default.isReadableFile(atPath: value) { return value }
            // What is no path may be a secret that somebody has put into the wrong place.
            let isPath = value.hasPrefix("/") && value.utf8.count < 1024 && !value.contains(where: \.isWhitespace)
            throw SettingsError(
                name: "DATABASE_CA_CERT",
                problem: isPath
                    ? "names the file \(value), which cannot be read"
                    : "is neither a certificate (PEM, or base64) nor the path of a file that can be read")
        }
        let name = "/sheetsync-ca-\(UInt64.random(in: .min ... .max))"
        let file = FileDescriptor(rawValue: unsafe shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0o600))
        defer { unsafe shm_unlink(name) }
        guard file.rawValue >= 0, (try? file.writeAll(pem.utf8)) != nil else {
            throw SettingsError(name: "DATABASE_CA_CERT", problem: "cannot be kept in memory; give a path instead")
        }
        return "/proc/self/fd/\(file.rawValue)"
    }
}
