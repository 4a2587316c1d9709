import ArgumentParser
import Glibc
import JobQueue
import Logging
import Output
import Postgres

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
            refuseCoreFiles()
            // Until the daemon listens to it; by default it would end the process, and systemd would not start it again.
            signal(SIGHUP, SIG_IGN)
            let reader = try await SettingsReader()
            do {
                let logger = try LogSettings(reader).start()
                for name in reader.unknownNames { logger.warning("\(name.warning)") }
                try await Daemon(reader).run(logger: logger)
            } catch {
                let failure = CommandFailure(error)
                if failure.status == .settings { await note(failure, reader) }
                throw error
            }
        }
    }

    /// Leaves word in the database that the settings let no daemon start here; where that cannot be, so be it.
    ///
    /// Everybody who may look into the queue reads that, so it has no value of a setting; the log has the rest.
    private func note(_ failure: CommandFailure, _ reader: SettingsReader) async {
        guard let database = try? DatabaseSettings(reader) else { return }
        let connection = Connection(database.connection, label: "start", statementTimeout: .seconds(2))
        try? await database.schema.noteStart(
            on: SheetSync.machine, failure: failure.publicMessage ?? "the settings cannot be used", over: connection)
        await connection.close()
    }
}

/// The memory has keys, tokens and payloads, and none of them belongs on a disk when the process crashes.
private func refuseCoreFiles() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
}
