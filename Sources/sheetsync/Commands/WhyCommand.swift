import ArgumentParser
import JSON
import JobQueue
import Output

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
            let access = try await DatabaseAccess(statementTimeout: .seconds(5))
            let found: Explanation?
            do {
                try await access.requireCompatibleSchema()
                found = try await access.explanation(of: id, silenceLimit: silenceLimit)
            } catch { throw await access.connection.failure(error, access.schema) }
            guard let explanation = found else {
                // Where rows are hidden from the queue, so may this one be.
                if let fault = try? await access.schema.faults(on: access.connection).first(where: \.stopsWorkers) {
                    throw CommandFailure(
                        status: .degraded, message: "job \(id) is not to be seen: \(fault.words)")
                }
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
