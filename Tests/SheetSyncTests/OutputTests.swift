import Foundation
import JSON
import PostgresServer
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Where what the program says goes: to a full disk, to nobody, and past the log.
@Suite struct OutputTests {
    private static func shell(_ program: Program, _ line: String) async throws -> (
        status: TerminationStatus, errors: String
    ) {
        let variables = program.environment.merging(["PATH": "/usr/bin:/bin:/usr/sbin"]) { given, _ in given }
        let result = try await Subprocess.run(
            .path("/bin/sh"), arguments: ["-c", line, Program.path],
            environment: .custom(
                Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            output: .discarded, error: .string(limit: 100_000))
        return (result.terminationStatus, result.standardError)
    }

    @Test func outputThatCannotBeWrittenIsNoSuccess() async throws {
        try await Stage.with { stage in
            let job = try await stage.enqueue("noop", [:])
            let program = stage.program(.operator)
            for command in [
                "--help", "--version", "status", "status --json", "status --watch", "why \(job)", "jobs list",
                "jobs show \(job)",
                "jobs list --json", "queue pause noop", "queue resume noop", "sync list", "sync list --json", "errors",
                "migrate --plan", "doctor",
                "jobs cancel \(job)", "help run",
            ] {
                let (status, errors) = try await Self.shell(program, "timeout 60 \"$0\" \(command) > /dev/full")
                #expect(status == .exited(74), "\(command): \(errors)")
                #expect(
                    errors.contains("sheetsync: the output cannot be written (No space left on device)"),
                    "\(command): \(errors)")
            }
            let (status, errors) = try await Self.shell(
                stage.program(.producer), "echo '{}' | \"$0\" enqueue noop > /dev/full")
            #expect(status == .exited(74), "\(errors)")
            // A reader that has seen enough is no failure.
            let (piped, words) = try await Self.shell(program, "{ \"$0\" jobs list; echo $? >&2; } | true")
            #expect(piped == .exited(0) && !words.contains("74"), "\(words)")
        }
    }

    /// A pipe that nobody reads takes 64 KiB.
    @Test(arguments: ["text", "json"]) func aLogThatNobodyReadsHoldsNothingUp(format: String) async throws {
        try await Stage.with { stage in
            let pipe = Pipe()
            let daemon = stage.daemon.with([
                "LOG_FORMAT": format, "LOG_LEVEL": "trace", "SHEETSYNC_SHUTDOWN_GRACE": "5",
                "SHEETSYNC_CONCURRENCY": "16",
            ])
            let process = Process()
            process.executableURL = URL(filePath: Program.path)
            process.arguments = ["run"]
            process.environment = daemon.environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
            process.standardError = pipe
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            func ended() async throws -> Int {
                Int(try await stage.queue.psql("select count(*) from sheetsync.outcome")) ?? 0
            }
            var asked = 0
            // Two lines a job: what waits in memory is more than a mebibyte, so some are dropped.
            for _ in 1...5 {
                _ = try await stage.queue.psql(
                    "select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 2000)")
                asked += 2000
                try await wait(for: "\(asked) jobs to end", seeing: { "\(try await ended())" }) {
                    try await ended() >= asked
                }
            }
            // Now somebody reads.
            let reader = pipe.fileHandleForReading
            // On a thread of its own: the few of the cooperative pool would all be taken by reading.
            let text = Task.detached {
                await withCheckedContinuation { continuation in
                    Thread.detachNewThread {
                        continuation.resume(returning: String(decoding: reader.readDataToEndOfFile(), as: UTF8.self))
                    }
                }
            }
            try await Task.sleep(for: .seconds(2))
            process.terminate()
            try await wait(for: "the daemon to end", within: .seconds(120)) { !process.isRunning }
            try pipe.fileHandleForWriting.close()
            let lines = await text.value.split(separator: "\n")
            #expect(process.terminationStatus == 0)
            #expect(
                lines.contains { $0.contains("nobody read the log: ") && $0.contains("lines are missing here") },
                "\(lines.count)")
            #expect(lines.last?.contains("sheetsync has stopped") == true, "\(lines.last ?? "")")
            if format == "json" {
                for line in lines { #expect((try? JSON(parsing: Array(line.utf8))) != nil, "\(line)") }
            }
        }
    }

    @Test func aPipeThatNobodyReadsDoesNotKeepItFromEnding() async throws {
        try await Stage.with { stage in
            let pipe = Pipe()
            let process = Process()
            process.executableURL = URL(filePath: Program.path)
            process.arguments = ["run"]
            process.environment = stage.daemon.with(["LOG_LEVEL": "trace"]).environment
            process.standardError = pipe
            try process.run()
            defer { kill(process.processIdentifier, SIGKILL) }
            _ = try await stage.queue.psql(
                "select count(sheetsync.enqueue('noop', '{}')) from generate_series(1, 3000)")
            try await wait(for: "the jobs to end") {
                try await stage.queue.psql("select count(*) from sheetsync.outcome") == "3000"
            }
            process.terminate()
            try await wait(for: "the daemon to end", within: .seconds(120)) { !process.isRunning }
            #expect(process.terminationStatus == 0)
        }
    }

    /// The server warns while a session begins, as it does of a collation of another version.
    @Test func whatTheServerRemarksDoesNotComePastTheLog() async throws {
        try await Stage.with { stage in
            let name = "collated_of_\(stage.queue.database)"
            do {
                try await SharedPostgres.psql(
                    """
                    create database \(name) template template0 locale_provider icu icu_locale 'en' locale 'C' encoding 'UTF8'
                    """)
            } catch {
                // PostgreSQL 14 has no such databases, nor has a build without ICU.
                return print("not tried, no database with ICU: \(error)")
            }
            try await SharedPostgres.psql("update pg_database set datcollversion = '0' where datname = '\(name)'")
            let server = try await SharedPostgres.server()
            let program = Program(environment: ["DATABASE_URL": server.url(database: name), "LOG_FORMAT": "json"])
            let ended = try await program("migrate").expect(0)
            #expect(ended.errors.isEmpty, "\(ended)")
        }
    }
}
