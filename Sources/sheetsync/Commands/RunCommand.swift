import ArgumentParser
import Glibc

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Do the queue's jobs until SIGTERM.",
        discussion: """
            SIGTERM or SIGINT: no new jobs are claimed, running ones may end within SHEETSYNC_SHUTDOWN_GRACE, the rest goes back \
            to the queue without losing an attempt. A second signal ends the grace at once. SIGHUP: key and token files are read \
            again.
            """)

    func run() async throws {
        try await ending {
            ignoreBrokenPipes()
            // Until the daemon listens to it; by default it would end the process, and systemd would not start it again.
            signal(SIGHUP, SIG_IGN)
            let reader = try await SettingsReader()
            let logger = try reader.startLogging()
            try await Daemon(reader).run(logger: logger)
        }
    }
}

/// A peer that closes its socket is an error of one call and not the end of the process.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }
