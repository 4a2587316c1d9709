import ArgumentParser
import JSON
import JobQueue

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Say what a job waits for, or how it ended, and what to do.",
        discussion: "Exit codes: 0 the job is known, 1 it is not.")

    @Argument(help: "The job's number.")
    var id: Int

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await ending {
            let silenceLimit = try await SettingsReader().silenceLimit()
            let access = try await DatabaseAccess()
            try await access.requireCompatibleSchema()
            guard let explanation = try await access.explanation(of: id, silenceLimit: silenceLimit) else {
                throw CommandFailure.unknownJob(id)
            }
            if json {
                Console.print(explanation.json.description)
                return
            }
            Console.printWrapped(explanation.headline)
            for cause in explanation.causes.dropFirst() { Console.printWrapped("and it \(cause.words)") }
            for detail in explanation.details { Console.printWrapped(detail) }
        }
    }
}

extension CommandFailure {
    /// No such job, or one of another login.
    static func unknownJob(_ id: Int) -> CommandFailure {
        CommandFailure(status: .degraded, message: "there is no job \(id) that this login may see")
    }
}
