import ArgumentParser
import JobQueue
import Output
import Postgres

extension CommandFailure {
    /// The failure that an error of any module amounts to.
    init(_ error: any Error) {
        self =
            switch error {
            case let failure as CommandFailure: failure
            case let error as SettingsError:
                CommandFailure(
                    status: .settings, message: error.description, publicMessage: error.publicDescription)
            case let error as PostgresError: CommandFailure(error)
            case let error as SchemaError: CommandFailure(error)
            default: CommandFailure(status: .degraded, message: "\(error)")
            }
    }

    /// Statements for an administrator stand on lines of their own.
    private init(_ error: SchemaError) {
        let lines = error.description.split(separator: "\n").map(String.init)
        self.init(status: .schema, message: lines.first ?? "", lastLines: Array(lines.dropFirst()))
    }

    private init(_ error: PostgresError) {
        let status: ExitStatus
        var advice = ""
        switch (error.code, error.sqlState) {
        case (.configuration, _):
            status = .settings
        case (.connectionFailed, _):
            status = .down
            advice = error.connectionAdvice
        case (_, "55P03"):
            status = .down
            advice = "Another session has locked what this needs: pg_locks says which."
        case (.connectionLost, _), (.timedOut, _):
            status = .down
            advice = "Check DATABASE_URL and that the server runs."
        case (_, "3F000"), (_, "42P01"), (_, "42883"):
            status = .schema
            advice = "Run `sheetsync migrate` first."
        case (_, "42501"):
            status = .degraded
            // The server knows the role that is missing where one of the queue's functions refuses.
            advice =
                error.hint
                ?? "Grant this login sheetsync_producer (to enqueue), sheetsync_operator (to look and steer) "
                + "or sheetsync_worker (to run jobs)."
        default:
            status = .degraded
            advice = error.hint ?? ""
        }
        let sentence = error.description
        let end = sentence.last.map { ".?!".contains($0) } == true ? "" : "."
        self.init(status: status, message: advice.isEmpty ? sentence : "\(sentence)\(end) \(advice)")
    }
}

extension AsyncParsableCommand {
    /// Runs a command's work; an error becomes one sentence on standard error and the exit code that belongs to it.
    func ending(_ body: () async throws -> Void) async throws { try await ending(as: { CommandFailure($0) }, body) }
}
