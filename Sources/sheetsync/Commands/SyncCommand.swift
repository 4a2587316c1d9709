import ArgumentParser
import JSON
import JobQueue
import Output

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "List, show, run, pause, resume and drop syncs, which are jobs that repeat.",
        discussion: "An API server makes them by SQL: sheetsync.put_sync (see docs/sql.md).",
        subcommands: [List.self, Show.self, Run.self, Pause.self, Resume.self, Drop.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List syncs by name.")

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await ending {
                let syncs = try await QueueClient.forSyncs().syncs()
                if json {
                    Console.print((["schema": 1, "syncs": .array(syncs.map(\.json))] as JSON).description)
                    return
                }
                var table = Table(
                    "SYNC", "KIND", "STATE", "WHEN", "NEXT RUN", "LAST", "LAST SUCCESS", "CHANGES OR LAST ERROR")
                for sync in syncs {
                    table.add(
                        sync.name, sync.kind, sync.state, sync.when, sync.time("next_run_at"),
                        sync.json["last_state"]?.string ?? "-", sync.time("last_success_at"),
                        sync.lastError.map { "\($0.code): \($0.message)" }
                            ?? RowChanges(sync.json["last_changes"])?.description ?? "-")
                }
                table.show()
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show everything about a sync except its payload, with its last ten runs and their changes.")

        @Argument(help: "The sync's name.")
        var name: String

        @Flag(help: "Print JSON, with the payload.")
        var json = false

        func run() async throws {
            try await ending {
                let client = try await QueueClient.forSyncs()
                guard let sync = try await client.sync(name) else { throw CommandFailure.unknownSync(name) }
                let runs = try await client.runs(of: name, limit: 10)
                if json {
                    let document: JSON = ["schema": 1, "sync": sync.json, "runs": .array(runs.map(\.json))]
                    Console.print(document.description)
                    return
                }
                show(sync)
                guard !runs.isEmpty else { return }
                var table = Table("RUN", "STATE", "ATTEMPT", "CREATED", "ENDED", "CHANGES OR LAST ERROR")
                for run in runs {
                    let words =
                        RowChanges(result: run.result)?.description
                        ?? (run.waitsFor ?? run.lastError).map { "\($0.code): \($0.message)" } ?? run.link ?? "-"
                    table.add(
                        "\(run.id)", run.state,
                        "\(run.json["attempt"]?.int ?? 0)/\(run.json["max_attempts"]?.int ?? 0)",
                        run.json["created_at"].time, run.json["finalized_at"].time, words)
                }
                Console.print("")
                table.show()
            }
        }

        private func show(_ sync: SyncRecord) {
            func line(_ name: String, _ text: String?) {
                if let text, !text.isEmpty { Console.print("\(Style.dim(name)): \(text)") }
            }
            line("name", sync.name)
            line("kind", sync.kind)
            line("when", sync.when)
            line("state", sync.state)
            for name in ["pause_reason", "owner", "made_by"] { line(name, sync.json[name]?.string) }
            line("priority", sync.json["priority"]?.int.map(String.init))
            for name in ["next_run_at", "last_job", "last_state", "last_success_at", "failing_since"] {
                guard let value = sync.json[name], !value.isNull else { continue }
                line(name, value.string ?? value.description)
            }
            line("last_changes", RowChanges(sync.json["last_changes"])?.description)
            if let error = sync.lastError { Console.print("\(Style.red(error.code)): \(error.message)") }
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a run now and print its job's number.",
            discussion: """
                Where a run waits already it begins now, and its number is printed; where one runs, another follows it. A paused sync \
                runs too.
                """)

        @Argument(help: "The sync's name.")
        var name: String

        @Flag(help: "Let this run delete more rows than max_deletes allows.")
        var allowDeletes = false

        @Flag(help: "Let this run forget what was written before and compare anew.")
        var fromScratch = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try await ending {
                let client = try await QueueClient.forSyncs()
                guard try await client.sync(name) != nil else { throw CommandFailure.unknownSync(name) }
                let id = try await client.runSync(name, allowDeletes: allowDeletes, fromScratch: fromScratch)
                Console.print(json ? (["schema": 1, "id": JSON(id)] as JSON).description : "\(id)")
            }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make no more runs of a sync; one that waits or runs goes on.")

        @Argument(help: "The sync's name.")
        var name: String

        @Option(help: "Why, for whoever looks.")
        var reason: String?

        func run() async throws {
            try await steer(name, "is paused; a run that waits or runs goes on") { [reason] in
                try await $0.pauseSync($1, reason: reason)
            }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make runs of a sync again, from its next time on.")

        @Argument(help: "The sync's name.")
        var name: String

        func run() async throws {
            try await steer(name, "makes runs again") { try await $0.resumeSync($1) }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a sync; what it has written stays, and its runs stay in the list of jobs.")

        @Argument(help: "The sync's name.")
        var name: String

        func run() async throws {
            try await steer(name, "is dropped; a run that had not begun is cancelled") { try await $0.dropSync($1) }
        }
    }
}

extension AsyncParsableCommand {
    /// Does something to a sync; ends with 1 where there is none of that name.
    fileprivate func steer(
        _ name: String, _ done: String, _ action: (QueueClient, String) async throws -> Bool
    ) async throws {
        try await ending {
            guard try await action(try await QueueClient.forSyncs(), name) else {
                throw CommandFailure.unknownSync(name)
            }
            Console.print("the sync \(name) \(done)")
        }
    }
}

extension QueueClient {
    /// The queue that DATABASE_URL names, if its schema fits.
    fileprivate static func forSyncs() async throws -> QueueClient {
        let access = try await DatabaseAccess()
        try await access.requireCompatibleSchema()
        return access.jobs
    }
}

extension CommandFailure {
    /// No such sync, or one of another login.
    fileprivate static func unknownSync(_ name: String) -> CommandFailure {
        CommandFailure(status: .degraded, message: "there is no sync \(name) that this login may see")
    }
}

extension SyncRecord {
    fileprivate var state: String { isPaused ? "paused" : json["state"]?.string ?? "" }

    fileprivate func time(_ member: String) -> String { json[member].time }
}

extension JSON? {
    /// A time of the database for a narrow column; `-` for none.
    fileprivate var time: String { self?.string.map { String($0.prefix(19)).replacing("T", with: " ") } ?? "-" }
}
