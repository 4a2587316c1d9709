import ArgumentParser
import Export
import JSON
import Output

struct TrialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trial", abstract: "Try at Google, with the daemon's account, what SheetSync takes for granted.",
        discussion: """
            It works in a folder of its own in Drive, which it removes again, with at most 40 writes within the quotas that \
            the daemons share. With DATABASE_URL the queue keeps what was seen: daemons go by it from their next start on, and \
            `status` and `doctor` tell of it.
            Exit codes: 0 nothing differs, 1 something does, 2 Google cannot be reached, 3 the schema does not fit, \
            78 wrong settings.
            """)

    @Flag(help: "Print JSON without any name, id or token, to show to others.")
    var json = false

    @Flag(help: "Leave the folder in Drive.")
    var keep = false

    @Flag(help: "Use up a minute's quota of writes too; other jobs of the identity wait meanwhile.")
    var quota = false

    func run() async throws {
        try await ending {
            let reader = try await SettingsReader()
            let google = try GoogleSettings(reader)
            let database = reader.text("DATABASE_URL") == nil ? nil : try DatabaseSettings(reader)
            let report = try await Trial(
                settings: google, database: database, keepsFolder: keep, makesAll: quota
            ).run { result in if !json { TrialReport.show(result) } }
            if json { Console.print(report.json.description) } else { report.showSum() }
            if let problem = report.problem {
                throw CommandFailure(status: .degraded, message: problem)
            }
            if database == nil { Console.error("DATABASE_URL is not set, so nothing keeps what was seen") }
            if report.count(.differs) > 0 { throw ExitCode(ExitStatus.degraded.rawValue) }
        }
    }
}
