import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// The program `sheetsync` as this build made it, run as a child with an environment of its own.
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
        sourceLocation: SourceLocation = #_sourceLocation, _ body: (RunningProgram) async throws -> Void
    ) async throws -> Ended {
        let ended = try await launch(["run"]) { daemon in
            try await daemon.expectToSay("worker is ready")
            try await body(daemon)
            daemon.send(SIGTERM)
        }
        #expect(ended.status == .exited(0), "\(ended)", sourceLocation: sourceLocation)
        return ended
    }

    /// Starts the program, runs the body beside it and waits for its end, at most until the limit; then it is killed.
    func launch(
        _ arguments: [String], input: String = "", within limit: Duration = .seconds(60),
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
    private static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "sheetsync").path

    private static func create(_ path: String) throws -> FileDescriptor {
        try .open(FilePath(path), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    }

    fileprivate static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
}

/// A folder of a test's own.
struct TemporaryDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "sheetsync-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}

/// The program while it runs.
struct RunningProgram: CustomStringConvertible {
    let arguments: [String]
    let id: Int32
    fileprivate let outputPath: String
    fileprivate let errorPath: String

    var description: String { "sheetsync \(arguments.joined(separator: " "))" }

    /// What it has written to standard output so far.
    var output: String { (try? Program.text(outputPath)) ?? "" }
    /// What it has written to standard error so far.
    var errors: String { (try? Program.text(errorPath)) ?? "" }

    /// Whether it is still there: this process's child, and not a dead one.
    var isAlive: Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        return fields.count > 2 && fields[1] != "Z" && fields[2] == "\(getpid())"
    }

    /// Sends a signal, unless it has ended.
    func send(_ signal: Int32) { if isAlive { kill(id, signal) } }

    /// Sends a signal to it and all it has started, as a terminal does.
    func sendToGroup(_ signal: Int32) { if isAlive { kill(-id, signal) } }

    /// Waits until it has written something to either output.
    func expectToSay(_ text: String, within limit: Duration = .seconds(30)) async throws {
        try await wait(for: "\(self) to say “\(text)”", within: limit, seeing: { output + errors }) {
            if output.contains(text) || errors.contains(text) { return true }
            guard isAlive else {
                throw WaitedInVain(description: "\(self) ended without saying “\(text)”: \(output)\(errors)")
            }
            return false
        }
    }

    fileprivate func waitForEnd(within limit: Duration) async throws {
        try await wait(for: "\(self) to end", within: limit, seeing: { output + errors }) { !isAlive }
    }
}

/// A process ended before it did what was waited for.
struct WaitedInVain: Error, CustomStringConvertible {
    let description: String
}

/// The program after its end.
struct Ended: CustomStringConvertible {
    let arguments: [String]
    let status: TerminationStatus
    let output: String
    let errors: String

    var description: String {
        "sheetsync \(arguments.joined(separator: " ")): \(status)\n--- standard output:\n\(output)\n--- standard error:\n\(errors)"
    }

    /// Standard output without the last line break.
    var line: String { output.hasSuffix("\n") ? String(output.dropLast()) : output }

    /// Expects a certain exit code.
    @discardableResult
    func expect(_ code: Int32, sourceLocation: SourceLocation = #_sourceLocation) -> Ended {
        #expect(status == .exited(code), "\(self)", sourceLocation: sourceLocation)
        return self
    }

    /// Expects an exit code, nothing on standard output and one line on standard error that has all these words.
    func expectRefusal(_ code: Int32, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        expect(code, sourceLocation: sourceLocation)
        #expect(output.isEmpty, "\(self)", sourceLocation: sourceLocation)
        let lines = errors.split(separator: "\n")
        #expect(lines.count == 1, "one sentence and no more: \(self)", sourceLocation: sourceLocation)
        #expect(lines.first?.hasPrefix("sheetsync: ") == true, "\(self)", sourceLocation: sourceLocation)
        for word in words {
            #expect(errors.contains(word), "lacks “\(word)”: \(self)", sourceLocation: sourceLocation)
        }
    }
}
