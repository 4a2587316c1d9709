import JobQueue
import Postgres

/// What a command that works on the queue needs: the schema and a connection for a short time.
struct DatabaseAccess {
    let schema: Schema
    let connection: Connection

    init(statementTimeout: Duration = .seconds(15)) async throws {
        let settings = try DatabaseSettings(try await SettingsReader())
        schema = settings.schema
        connection = Connection(settings.connection, label: "command", statementTimeout: statementTimeout)
    }

    var jobs: JobDirectory { JobDirectory(schema, on: connection) }

    /// Ends the command where the schema is missing or does not fit this program.
    func requireFitSchema() async throws { _ = try await schema.requireFit(on: connection) }
}

extension Schema {
    /// The schema's newest step; throws the failure with exit code 3 where it is missing or does not fit this program.
    func requireFit(on connection: Connection) async throws -> Int {
        switch try await state(on: connection) {
        case .fit(let number): return number
        case .missing:
            throw CommandFailure(
                status: .schema, message: "the schema \(name) is missing in this database: run `sheetsync migrate`")
        case .unfit(let reason): throw CommandFailure(status: .schema, message: reason)
        }
    }
}
