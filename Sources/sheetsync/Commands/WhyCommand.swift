import ArgumentParser
import Export
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
            try await access.requireFitSchema()
            let explanation = try await explanation(access, silenceLimit)
            if json {
                Console.print(explanation.json.description)
                return
            }
            Console.printWrapped(explanation.headline)
            for cause in explanation.causes.dropFirst() { Console.printWrapped("and it \(cause.words)") }
            for detail in explanation.details { Console.printWrapped(detail) }
        }
    }

    private func explanation(_ access: DatabaseAccess, _ silenceLimit: Double) async throws -> Explanation {
        let jobs = access.jobs
        // The job first: where it moves in between, its row and its situation speak of different places.
        for attempt in 1... {
            guard let job = try await jobs.find(id), let situation = try await jobs.situation(of: id) else { break }
            let again = try await jobs.find(id)
            if again?.state == job.state || attempt == 5 {
                return Explanation(
                    job, in: situation, database: try await DatabaseReport.read(access.schema, on: access.connection),
                    standstill: job.isFinal
                        ? nil
                        : await Standstill.look(
                            isDeserted: situation.isDeserted(silenceLimit: silenceLimit), access.schema,
                            on: access.connection),
                    needs: Governor.needs(ofKind: job.kind), silenceLimit: silenceLimit)
            }
        }
        throw CommandFailure.unknownJob(id)
    }
}

extension CommandFailure {
    /// No such job, or one of another login.
    static func unknownJob(_ id: Int) -> CommandFailure {
        CommandFailure(status: .degraded, message: "there is no job \(id) that this login may see")
    }
}
