import ArgumentParser
import FoundationEssentials
import Output

/// The command line: one subcommand a file in `Commands`.
@main
struct SheetSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sheetsync",
        abstract: "Takes Google Sheets and Drive work off an API server.",
        discussion: """
            An API server enqueues jobs by SQL; `sheetsync run` does them. Settings come from the environment (see \
            docs/settings.md). \
            Exit codes: 0 fine, 1 degraded or an unknown job, 2 down, 3 the schema is missing or does not fit, 64 wrong usage, \
            74 the output cannot be written, 78 wrong settings.
            """,
        version: version,
        subcommands: [
            RunCommand.self, MigrateCommand.self, EnqueueCommand.self, StatusCommand.self, JobsCommand.self,
            QueueCommand.self, SyncCommand.self, AuthCommand.self, TrialCommand.self, WhyCommand.self,
            DoctorCommand.self,
            ErrorsCommand.self,
            EmulatorCommand.self, DemoCommand.self,
        ])

    /// Runs the command that the arguments name, and ends the process.
    static func main() async { await runAsProgram() }

    /// The program's version, as `--version`, the workers' rows and the User-Agent show it.
    static let version = Release.version

    /// This machine's name for people.
    static var machine: String { ProcessInfo.processInfo.hostName }
}
