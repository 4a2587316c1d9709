import Export
import JobQueue
import Output
import Postgres

/// What a command that works on the queue needs: the schema and a connection for a short time.
struct DatabaseAccess {
    let schema: Schema
    let connection: Connection

    init(statementTimeout: Duration = .seconds(15), lockTimeout: Duration? = nil) async throws {
        let settings = try DatabaseSettings(try await SettingsReader())
        schema = settings.schema
        connection = Connection(
            settings.connection, label: "command", statementTimeout: statementTimeout, lockTimeout: lockTimeout)
    }

    var jobs: QueueClient { QueueClient(schema, on: connection) }

    /// Ends the command where the schema is missing or does not fit this program.
    func requireCompatibleSchema() async throws { _ = try await schema.requireCompatible(on: connection) }
}

extension DatabaseAccess {
    /// Why a job is where it is; nil where there is none that this login may see.
    func explanation(of id: Int, silenceLimit: Double) async throws -> Explanation? {
        // The job first: where it moves in between, its row and its wait state speak of different places.
        for attempt in 1... {
            guard let job = try await jobs.find(id), let waitState = try await jobs.waitState(of: id) else { break }
            let again = try await jobs.find(id)
            if again?.state == job.state || attempt == 5 {
                return Explanation(
                    job, in: waitState, database: try await DatabaseReport.read(schema, on: connection),
                    stallCause: job.isFinal
                        ? nil
                        : await StallCause.look(
                            hasNoLiveWorker: waitState.hasNoLiveWorker(silenceLimit: silenceLimit), schema,
                            on: connection),
                    external: try await GoogleStanding.readAsProducer(schema, on: connection).causes(ofKind: job.kind),
                    silenceLimit: silenceLimit)
            }
        }
        return nil
    }
}

extension Connection {
    /// The failure that an error of this connection amounts to; where a statement waited in vain, with what it waited for.
    func failure(_ error: any Error, _ schema: Schema) async -> CommandFailure {
        guard let error = error as? PostgresError, error.isTimeout,
            let wait = try? await HeldUp.look(schema, on: self, afterTimeout: true)
        else { return CommandFailure(error) }
        return CommandFailure(status: .down, message: wait.words)
    }
}

extension Schema {
    /// The schema's newest step; throws the failure with exit code 3 where it is missing or does not fit this program.
    func requireCompatible(on connection: Connection) async throws -> Int {
        switch try await state(on: connection) {
        case .compatible(let number): return number
        case .missing:
            throw CommandFailure(
                status: .schema, message: "the schema \(name) is missing in this database: run `sheetsync migrate`")
        case .incompatible(let reason): throw CommandFailure(status: .schema, message: reason)
        }
    }
}
