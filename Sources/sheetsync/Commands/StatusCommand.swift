import ArgumentParser
import Export
import JSON
import JobQueue
import Output
import Postgres

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether the queue does its work, and if not, why.",
        discussion: "Exit codes: 0 OK, 1 DEGRADED, 2 DOWN, 3 the schema is missing or does not fit.")

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Show it again every two seconds.")
    var watch = false

    func run() async throws {
        try await ending {
            let reader = try await SettingsReader()
            let settings = try DatabaseSettings(reader)
            let silenceLimit = try reader.silenceLimit()
            let connection = Connection(settings.connection, label: "status", statementTimeout: .seconds(2))
            while true {
                let (page, status) = await look(settings.schema, connection, silenceLimit)
                if watch { Console.clear() }
                if json { Console.print(page.json.description) } else { page.show() }
                guard watch else {
                    if status != 0 { throw ExitCode(status) }
                    return
                }
                try Console.requireOutput()
                try await Task.sleep(for: .seconds(2))
            }
        }
    }

    /// Reads the report; a database that does not answer is a finding too.
    private func look(
        _ schema: Schema, _ connection: Connection, _ silenceLimit: Double
    ) async -> (StatusPage, status: Int32) {
        do {
            _ = try await schema.requireCompatible(on: connection)
            let report = try await QueueReport.read(schema, on: connection)
            let stallCause = await StallCause.look(
                hasNoLiveWorker: report.hasNoLiveWorker(silenceLimit: silenceLimit),
                triesToWrite: report.shouldDiagnose(silenceLimit: silenceLimit), schema, on: connection)
            let google = try await GoogleStanding.read(schema, on: connection)
            let verdict = Verdict(
                report, silenceLimit: silenceLimit, stallCause: stallCause, external: google.causes())
            let page = StatusPage(verdict, report, google, try await TrialFinding.read(schema, on: connection))
            return (page, verdict.level == .ok ? 0 : verdict.level == .degraded ? 1 : 2)
        } catch {
            let failure = await connection.failure(error, schema)
            // Who may not look, or asks wrongly, knows nothing about the queue yet.
            let level: Verdict.Level = failure.status == .degraded ? .degraded : .down
            return (StatusPage(Verdict(level, failure.message)), failure.status.rawValue)
        }
    }
}
