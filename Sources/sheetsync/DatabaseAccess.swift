import Export
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

extension DatabaseAccess {
    /// Why a job is where it is; nil where there is none that this login may see.
    func explanation(of id: Int, silenceLimit: Double) async throws -> Explanation? {
        // The job first: where it moves in between, its row and its situation speak of different places.
        for attempt in 1... {
            guard let job = try await jobs.find(id), let situation = try await jobs.situation(of: id) else { break }
            let again = try await jobs.find(id)
            if again?.state == job.state || attempt == 5 {
                return Explanation(
                    job, in: situation, database: try await DatabaseReport.read(schema, on: connection),
                    standstill: job.isFinal
                        ? nil
                        : await Standstill.look(
                            isDeserted: situation.isDeserted(silenceLimit: silenceLimit), schema, on: connection),
                    needs: Governor.needs(ofKind: job.kind), silenceLimit: silenceLimit)
            }
        }
        return nil
    }
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
