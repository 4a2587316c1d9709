import ArgumentParser
import JobQueue
import Output

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "Pause and resume the queue, or one kind of job.",
        subcommands: [Pause.self, Resume.self])

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let no more jobs begin; those that run go on, and new ones can be enqueued.")

        @Argument(help: "Only jobs of this kind.")
        var kind: String?

        func run() async throws {
            try await ending {
                let isNew = try await QueueClient.forCommand().pause(kind)
                let what = kind.map { "kind \($0)" } ?? "the queue"
                Console.print(isNew ? "\(what) is paused; jobs that run go on" : "\(what) was paused already")
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let jobs begin again.", discussion: "Without KIND every pause is lifted.")

        @Argument(help: "Only jobs of this kind.")
        var kind: String?

        func run() async throws {
            try await ending {
                let wasPaused = try await QueueClient.forCommand().resume(kind)
                let what = kind.map { "kind \($0)" } ?? "the queue"
                Console.print(wasPaused ? "\(what) is resumed" : "\(what) was not paused")
            }
        }
    }
}

extension QueueClient {
    /// The queue that DATABASE_URL names, if its schema fits.
    fileprivate static func forCommand() async throws -> QueueClient {
        let access = try await DatabaseAccess()
        try await access.requireCompatibleSchema()
        return access.jobs
    }
}
