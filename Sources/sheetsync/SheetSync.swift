import ArgumentParser
import FoundationEssentials
import Glibc

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
            QueueCommand.self, AuthCommand.self, TrialCommand.self, WhyCommand.self, DoctorCommand.self,
            ErrorsCommand.self,
            EmulatorCommand.self, DemoCommand.self,
        ])

    /// Runs the command that the arguments name, and ends the process.
    static func main() async {
        hearSignalsAsTheFirstProcess()
        var status: Int32 = 0
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            status = exitCode(for: error).rawValue
            let message = fullMessage(for: error)
            if !message.isEmpty {
                for line in message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
                    status == 0 ? Console.print(line) : Console.error(line)
                }
            }
        }
        if let failure = Console.outputFailure {
            Console.error("sheetsync: the output cannot be written (\(failure)); what the command changes is changed")
            status = ExitStatus.output.rawValue
        }
        LogOutput.finish()
        Glibc.exit(status)
    }

    /// Lets SIGTERM and SIGINT end the process at once, until `run` listens to them.
    ///
    /// They do so by themselves but in a container's first process, which the kernel spares what it has not asked for.
    private static func hearSignalsAsTheFirstProcess() {
        guard getpid() == 1 else { return }
        for number in [SIGTERM, SIGINT] { signal(number) { _exit(128 + $0) } }
    }

    /// The program's version, as `--version`, the workers' rows and the User-Agent show it.
    static let version = "0.1.0"

    /// This machine's name for people.
    static var machine: String { ProcessInfo.processInfo.hostName }
}
