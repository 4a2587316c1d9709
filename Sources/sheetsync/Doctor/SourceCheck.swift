import Export
import Postgres

/// Looks at the database that queries run in, with their login.
struct SourceCheck {
    let settings: SourceSettings
    let queueSchema: String

    func look(_ checkup: inout Checkup) async {
        guard let configuration = settings.connection else { return }
        if let warning = settings.tlsWarning { checkup.add(.warn, "source TLS", warning) }
        let connection = Connection(configuration, label: "doctor", statementTimeout: .seconds(5))
        do {
            let login = try await SourceLogin.look(on: connection, queueSchema: queueSchema)
            if login.objections.isEmpty {
                checkup.add(.ok, "source database", "\(configuration.place); queries run as \(login.name)")
            } else {
                checkup.add(.fail, "source database", login.refusal)
            }
        } catch {
            checkup.fail("source database", error)
        }
        await connection.close()
    }
}
