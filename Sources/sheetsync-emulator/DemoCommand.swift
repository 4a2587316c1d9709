import ArgumentParser
import Output
import UnixSignals

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Show the main job on this machine alone.",
        discussion: """
            Starts a throw-away PostgreSQL server, the emulated Google and the daemon, enqueues three exports, shows what became of \
            them and leaves nothing behind. On a terminal it waits at the end, so that the sheets' pages can be opened.
            """)

    func run() async throws {
        try await ending {
            ignoreBrokenPipes()
            let demo = Task { try await Demo().run() }
            // Everything that the demonstration starts is ended behind it, also when somebody interrupts it.
            let interruption = Task {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { demo.cancel() }
            }
            defer { interruption.cancel() }
            do {
                try await demo.value
            } catch {
                // Once it is interrupted, whatever was under way fails in its own way.
                throw demo.isCancelled ? ExitCode(130) : error
            }
        }
    }
}
