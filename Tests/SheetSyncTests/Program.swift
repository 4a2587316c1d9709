import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The program `sheetsync` as this build made it, run as a child with an environment of its own.
///
/// How many tests run at once, and so how many children there are, is limited by `scripts/test`.
struct Program {
    /// What the child finds in its environment, beside PATH.
    var environment: [String: String] = [:]

    /// The same with some settings changed.
    func with(_ changes: [String: String]) -> Program {
        Program(environment: environment.merging(changes) { $1 })
    }

    /// The same without a setting.
    func without(_ names: String...) -> Program {
        Program(environment: environment.filter { !names.contains($0.key) })
    }

    /// Runs a command to its end.
    func callAsFunction(_ arguments: String..., input: String = "") async throws -> Ended {
        try await launch(arguments, input: input) { _ in }
    }

    /// Runs a command to its end.
    func run(_ arguments: [String]) async throws -> Ended { try await launch(arguments) { _ in } }

    /// Runs the daemon beside the body, from the moment it can claim jobs, and ends it by SIGTERM behind it.
    @discardableResult
    func withDaemon(
        within limit: Duration = .seconds(300), sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> Ended {
        let ended = try await launch(["run"], within: limit) { daemon in
            try await daemon.expectToSay("worker is ready")
            try await body(daemon)
            daemon.send(SIGTERM)
        }
        #expect(ended.status == .exited(0), "\(ended)", sourceLocation: sourceLocation)
        return ended
    }

    /// Starts the program, runs the body beside it and waits for its end, at most until the limit; then it is killed.
    @discardableResult
    func launch(
        _ arguments: [String], input: String = "", within limit: Duration = .seconds(300),
        _ body: (RunningProgram) async throws -> Void
    ) async throws -> Ended {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let output = directory.path + "/out"
        let errors = directory.path + "/err"
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let variables = environment.merging(["PATH": path]) { given, _ in given }
        var options = PlatformOptions()
        // A group of its own, as a shell gives each command at a terminal.
        options.processGroupID = 0
        let result = try await Subprocess.run(
            .path(FilePath(Self.path)), arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
            platformOptions: options, input: .string(input),
            output: .fileDescriptor(try Self.create(output), closeAfterSpawningProcess: true),
            error: .fileDescriptor(try Self.create(errors), closeAfterSpawningProcess: true)
        ) { execution in
            let program = RunningProgram(
                arguments: arguments, id: execution.processIdentifier.value, outputPath: output, errorPath: errors)
            let guardian = Task {
                try await Task.sleep(for: limit)
                program.send(SIGKILL)
            }
            let outcome: Result<Void, any Error>
            do {
                try await body(program)
                try await program.waitForEnd(within: limit)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
                program.send(SIGKILL)
                Issue.record("\(program.description) was killed; it had said:\n\(program.output)\(program.errors)")
            }
            guardian.cancel()
            return outcome
        }
        try result.closureResult.get()
        return Ended(
            arguments: arguments, status: result.terminationStatus, output: try Self.text(output),
            errors: try Self.text(errors))
    }

    /// The program lies beside the bundle of the tests.
    static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "sheetsync").path

    /// The program that `sheetsync emulator` and `sheetsync demo` execute, beside it.
    static let emulatorPath = path + "-emulator"

    private static func create(_ path: String) throws -> FileDescriptor {
        try .open(FilePath(path), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    }

    static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}
