import ArgumentParser
import Export
import JSON
import Output
import Synchronization
import UnixSignals

struct TrialCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trial", abstract: "Try at Google, with the daemon's account, what SheetSync takes for granted.",
        discussion: """
            It works in a folder of its own in Drive, which it removes again, with at most 40 writes within the quotas that \
            the daemons share. With DATABASE_URL the queue keeps what was seen: daemons go by it from their next start on, and \
            `status` and `doctor` tell of it. SIGINT and SIGTERM end it when its folder is removed, a second one at once.
            Exit codes: 0 nothing differs, 1 something does, 2 Google cannot be reached, 3 the schema does not fit, \
            78 wrong settings, 130 and 143 it was stopped by SIGINT and SIGTERM.
            """)

    @Flag(help: "Print JSON without any name, id or token, to show to others.")
    var json = false

    @Flag(help: "Leave the folder in Drive.")
    var keep = false

    @Flag(help: "Use up a minute's quotas too; other jobs of the identity wait meanwhile.")
    var quota = false

    func run() async throws {
        try await ending {
            let reader = try await SettingsReader()
            let google = try GoogleSettings(reader)
            let database = reader.text("DATABASE_URL") == nil ? nil : try DatabaseSettings(reader)
            let trial = Trial(settings: google, database: database, keepsFolder: keep, makesAll: quota)
            let (outcome, signal) = await Self.untilSignalled { [json] in
                try await trial.run { result in if !json { TrialReport.show(result) } }
            }
            if let signal, case .failure = outcome {
                Console.error("stopped by \(signal.name); no folder is left in Drive, unless it is named above")
                throw ExitCode(128 + signal.number)
            }
            let report = try outcome.get()
            if json { Console.print(report.json.description) } else { report.showSum() }
            if let signal {
                Console.error("stopped by \(signal.name); \(report.place)")
                throw ExitCode(128 + signal.number)
            }
            if let problem = report.problem {
                throw CommandFailure(status: .degraded, message: problem)
            }
            if database == nil { Console.error("DATABASE_URL is not set, so nothing keeps what was seen") }
            if report.count(.differs) > 0 { throw ExitCode(ExitStatus.degraded.rawValue) }
        }
    }

    /// Does something, which SIGINT or SIGTERM cancels; a second signal ends the process.
    ///
    /// - Returns: How it ended, and the first signal.
    private static func untilSignalled<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async -> (Result<Value, any Error>, (name: String, number: Int32)?) {
        let first = FirstSignal()
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let work = Task { try await body() }
        return await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                for await signal in signals {
                    let (name, number) = (signal.description.uppercased(), signal.rawValue)
                    guard first.note(name, number) else {
                        Console.error(
                            "stopped by a second signal; the folder \"\(TrialStage.folderName)\" may be left in Drive: "
                                + "remove it there by hand")
                        Console.exit(128 + number)
                    }
                    Console.error("\(name): trying nothing more, and removing the folder from Drive")
                    work.cancel()
                }
            }
            let outcome = await work.result
            tasks.cancelAll()
            return (outcome, first.signal)
        }
    }
}

/// The signal that came first.
private final class FirstSignal: Sendable {
    private let known = Mutex<(name: String, number: Int32)?>(nil)

    var signal: (name: String, number: Int32)? { known.withLock(\.self) }

    /// Keeps a signal; whether it is the first one.
    func note(_ name: String, _ number: Int32) -> Bool {
        known.withLock { known in
            guard known == nil else { return false }
            known = (name, number)
            return true
        }
    }
}
