import ArgumentParser
import FoundationEssentials
import JobQueue
import Postgres
import Systemd

/// How the program ends; the numbers are a promise to scripts and systemd.
enum ExitStatus: Int32 {
    case degraded = 1
    case down = 2
    case schema = 3
    case output = 74
    case settings = 78
}

/// An end with a sentence for a person.
struct CommandFailure: Error {
    let status: ExitStatus
    let message: String
    /// What may be said of it to everybody who looks into the queue, without any value of the settings; nil for nothing.
    var publicMessage: String?
    /// What follows on lines of its own, such as what another program said last.
    var lastLines: [String] = []
}

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
    func ending(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let exit as ExitCode {
            throw exit
        } catch let error as ValidationError {
            throw error
        } catch {
            let failure = CommandFailure(error)
            // In the journal the sentence counts as an error and not as a note.
            let priority = Journal(environment: ProcessInfo.processInfo.environment) == nil ? "" : "<3>"
            Console.error("\(priority)sheetsync: \(failure.message)")
            for line in failure.lastLines { Console.error(line) }
            throw ExitCode(failure.status.rawValue)
        }
    }
}
