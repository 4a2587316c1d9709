import ArgumentParser
import Glibc

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Do the queue's jobs until SIGTERM.",
        discussion: """
            SIGTERM or SIGINT: no new jobs are claimed, running ones may end within SHEETSYNC_SHUTDOWN_GRACE, the rest goes back \
            to the queue without losing an attempt. A second signal ends the grace at once.
            """)

    func run() async throws {
        try await ending {
            ignoreBrokenPipes()
            let reader = try await SettingsReader()
            let logger = try reader.startLogging()
            try await Daemon(reader).run(logger: logger)
        }
    }
}

/// A peer that closes its socket is an error of one call and not the end of the process.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
