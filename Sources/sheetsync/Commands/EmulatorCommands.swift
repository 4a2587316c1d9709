import ArgumentParser
import Output

struct EmulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulator", abstract: "Run a Google of your own for tests: OAuth, Drive and Sheets.",
        discussion: """
            Executes sheetsync-emulator, a program and a package of its own; `sheetsync emulator --help` shows its options.
            """)

    @Argument(parsing: .captureForPassthrough, help: "What sheetsync-emulator is given.")
    var arguments: [String] = []

    func run() async throws { try await ending { try CompanionProgram("sheetsync-emulator").execute() } }
}

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show the main job on this machine alone.",
        discussion: "Executes sheetsync-emulator, a program and a package of its own.")

    @Argument(parsing: .captureForPassthrough, help: "What sheetsync-emulator is given.")
    var arguments: [String] = []

    func run() async throws { try await ending { try CompanionProgram("sheetsync-emulator").execute() } }
}
