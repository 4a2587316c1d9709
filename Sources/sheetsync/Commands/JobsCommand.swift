import ArgumentParser
import JSON
import JobQueue
import Output

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List, show, retry and cancel jobs.",
        subcommands: [List.self, Show.self, Retry.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List jobs, the newest first.")

        @Option(help: "Only jobs in this state.")
        var state: JobState?

        @Option(help: "Only jobs of this kind.")
        var kind: String?

        @Option(help: "Only jobs of this owner.")
        var owner: String?

        @Option(help: "Only jobs whose last failed attempt has this code, such as google.not_found.")
        var code: String?

        @Option(help: "Only jobs that ended, or were enqueued, in this time: 90s, 30m, 12h, 7d.")
        var since: TimeSpan?

        @Option(help: "How many at most.")
        var limit = 50

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await ending {
                let access = try await DatabaseAccess()
                try await access.requireCompatibleSchema()
                var filter = JobFilter()
                filter.state = state?.rawValue
                filter.kind = kind
                filter.owner = owner
                filter.code = code
                filter.seconds = since?.seconds
                let jobs = try await access.jobs.list(filter, limit: limit)
                if json {
                    let document: JSON = ["schema": 1, "jobs": .array(jobs.map(\.json))]
                    Console.print(document.description)
                    return
                }
                var table = Table("ID", "KIND", "STATE", "ATTEMPT", "CREATED", "OWNER", "RESULT OR LAST ERROR")
                for job in jobs { table.add(row: job) }
                table.show()
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show everything about a job except its payload.")

        @Argument(help: "The job's number.")
        var id: Int

        @Flag(help: "Print JSON, with the payload.")
        var json = false

        func run() async throws {
            try await ending {
                let access = try await DatabaseAccess()
                try await access.requireCompatibleSchema()
                guard json else { return show(try await access.job(id)) }
                guard let job = try await access.jobs.text(of: id) else { throw CommandFailure.unknownJob(id) }
                Console.print(#"{"schema":1,"job":\#(job)}"#)
            }
        }

        private func show(_ job: JobRecord) {
            for name in [
                "id", "kind", "state", "priority", "owner", "idempotency_key", "attempt", "max_attempts", "created_at",
                "scheduled_at", "attempted_at", "finalized_at", "sync",
            ] {
                guard let value = job.json[name], !value.isNull, value != "" else { continue }
                Console.print("\(Style.dim(name)): \(value.string ?? value.description)")
            }
            if let reason = job.waitsFor {
                Console.print("\(Style.dim("waits_for")): \(reason.code): \(reason.message)")
            }
            if let progress = job.json["progress"], !progress.isNull {
                Console.print("\(Style.dim("progress")): \(progress)")
            }
            for member in job.result?.object ?? JSONObject() {
                Console.print(
                    "\(Style.dim("result." + member.name)): \(member.value.string ?? member.value.description)")
            }
            for error in job.json["errors"]?.array ?? [] {
                let head = "attempt \(error["attempt"]?.int ?? 0), \(error["at"]?.string ?? "")"
                Console.print(
                    "\(Style.red(error["code"]?.string ?? "error")) (\(head)): \(error["message"]?.string ?? "")")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make discarded or cancelled jobs available again, with all their attempts.",
            discussion: "By their numbers, or all discarded ones that failed with a code.")

        @Argument(help: "The jobs' numbers.")
        var ids: [Int] = []

        @Option(help: "All discarded jobs whose last attempt failed with this code.")
        var code: String?

        @Option(help: "Of those, only the ones that ended in this time: 90s, 30m, 12h, 7d.")
        var since: TimeSpan?

        @Flag(help: "Do it; without, only say how many there are.")
        var yes = false

        func validate() throws {
            guard ids.isEmpty != (code == nil) else {
                throw ValidationError("Give either the jobs' numbers or --code.")
            }
            guard code != nil || (since == nil && !yes) else {
                throw ValidationError("--since and --yes go with --code.")
            }
        }

        func run() async throws {
            if let code { return try await retry(code) }
            try await steer(
                ids, done: "is available again",
                not: "is neither discarded nor cancelled, or its sync has another run open"
            ) {
                try await $0.retry($1)
            }
        }

        private func retry(_ code: String) async throws {
            try await ending {
                let access = try await DatabaseAccess()
                try await access.requireCompatibleSchema()
                if yes {
                    let count = try await access.jobs.retryDiscarded(code: code, seconds: since?.seconds)
                    Console.print("\(count) job\(count == 1 ? " is" : "s are") available again")
                } else {
                    let count = try await access.jobs.countDiscarded(code: code, seconds: since?.seconds)
                    Console.print(
                        "\(count) discarded job\(count == 1 ? "" : "s") failed with \(code); --yes revives them")
                }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Cancel jobs; one that runs is asked to stop.")

        @Argument(help: "The jobs' numbers.")
        var ids: [Int]

        func run() async throws {
            try await steer(ids, done: "is cancelled, or asked to stop", not: "has ended already") {
                try await $0.cancel($1)
            }
        }
    }
}

/// A state that a job can be in.
enum JobState: String, ExpressibleByArgument, CaseIterable {
    case scheduled, available, running, retryable, completed, discarded, cancelled
}

extension AsyncParsableCommand {
    /// Does the same to each of some jobs; ends with 1 where one was unknown or not in a state for it.
    fileprivate func steer(
        _ ids: [Int], done: String, not: String, _ action: (QueueClient, Int) async throws -> Bool
    ) async throws {
        try await ending {
            let access = try await DatabaseAccess()
            try await access.requireCompatibleSchema()
            var refused: [String] = []
            for id in ids {
                if try await action(access.jobs, id) {
                    Console.print("job \(id) \(done)")
                } else {
                    let isUnknown = try await access.jobs.find(id) == nil
                    refused.append(isUnknown ? CommandFailure.unknownJob(id).message : "job \(id) \(not)")
                }
            }
            guard refused.isEmpty else {
                throw CommandFailure(status: .degraded, message: refused.joined(separator: "; "))
            }
        }
    }
}

extension DatabaseAccess {
    fileprivate func job(_ id: Int) async throws -> JobRecord {
        guard let job = try await jobs.find(id) else {
            throw CommandFailure.unknownJob(id)
        }
        return job
    }
}

extension Table {
    fileprivate mutating func add(row job: JobRecord) {
        let created = String((job.json["created_at"]?.string ?? "").prefix(19)).replacing("T", with: " ")
        let note =
            job.result?["spreadsheet_url"]?.string ?? job.result?["folder_url"]?.string
            ?? (job.waitsFor ?? job.lastError).map { "\($0.code): \($0.message)" } ?? job.progress?.step ?? ""
        add(
            "\(job.id)", job.kind, job.state, "\(job.json["attempt"]?.int ?? 0)/\(job.json["max_attempts"]?.int ?? 0)",
            created, job.json["owner"]?.string ?? "", note)
    }
}
