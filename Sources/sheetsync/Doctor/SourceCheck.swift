import Export
import Postgres

/// Looks at the database that queries run in, with each of their logins.
struct SourceCheck {
    let settings: SourceSettings
    let queueSchema: String

    func look(_ checkup: inout Checkup) async {
        for login in settings.logins { await look(at: login, &checkup) }
    }

    private func look(at source: SourceSettings.Login, _ checkup: inout Checkup) async {
        let (name, whose) =
            source.producer.map { ("source database of \($0)", "queries of \($0)") } ?? ("source database", "queries")
        if let warning = source.tlsWarning { checkup.add(.warn, name.replacing("database", with: "TLS"), warning) }
        let connection = Connection(source.connection, label: "doctor", statementTimeout: .seconds(5))
        do {
            let login = try await SourceLogin.look(on: connection, queueSchema: queueSchema)
            if login.objections.isEmpty {
                checkup.add(.ok, name, "\(source.connection.place); \(whose) run as \(login.name)")
            } else {
                checkup.add(.fail, name, login.refusal)
            }
        } catch {
            checkup.fail(name, error)
        }
        await connection.close()
    }
}
