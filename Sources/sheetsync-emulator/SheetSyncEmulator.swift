import ArgumentParser
import Output

/// The emulated Google and the demonstration, for `sheetsync emulator` and `sheetsync demo`, which execute this program.
@main
struct SheetSyncEmulator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: Console.program, abstract: "A Google of your own for tests, and a demonstration of SheetSync.",
        version: Release.version, subcommands: [EmulatorCommand.self, DemoCommand.self],
        defaultSubcommand: EmulatorCommand.self)

    static func main() async { await runAsProgram() }
}

extension AsyncParsableCommand {
    /// Runs a command's work; an error becomes one sentence on standard error and the exit code that belongs to it.
    func ending(_ body: () async throws -> Void) async throws {
        try await ending(
            as: { ($0 as? CommandFailure) ?? CommandFailure(status: .degraded, message: "\($0)") }, body)
    }
}
