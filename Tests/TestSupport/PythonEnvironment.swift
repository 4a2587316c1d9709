import Foundation
public import Subprocess
import Synchronization

/// A Python with the packages of `Tests/requirements.txt`, in a folder of the build's that later runs find again.
public struct PythonEnvironment: Sendable {
    private static let preparation = Mutex<Task<PythonEnvironment?, Never>?>(nil)
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private let folder: URL

    /// The one that all tests share; nil where Python 3 with venv, or the packages, are not to be had.
    public static var shared: PythonEnvironment? {
        get async {
            await preparation.withLock { task in
                let begun = task ?? Task { try? await make() }
                task = begun
                return begun
            }.value
        }
    }

    private static func make() async throws -> PythonEnvironment? {
        let folder = root.appending(path: ".build/tests-python")
        let requirements = root.appending(path: "Tests/requirements.txt")
        let installed = folder.appending(path: "installed.txt")
        let environment = PythonEnvironment(folder: folder)
        let wanted = try String(contentsOf: requirements, encoding: .utf8)
        if (try? String(contentsOf: installed, encoding: .utf8)) == wanted { return environment }
        guard try await output(of: "python3", ["-m", "venv", "--clear", folder.path]).status.isSuccess,
            try await environment.run("-m", ["pip", "install", "--quiet", "--requirement", requirements.path]).isSuccess
        else { return nil }
        try wanted.write(to: installed, atomically: true, encoding: .utf8)
        return environment
    }

    /// Runs a script of the project's, or what else Python takes; returns whether it went well and all that it printed.
    public func run(_ script: String, _ arguments: [String]) async throws -> (isSuccess: Bool, output: String) {
        let program = script.hasPrefix("-") ? script : Self.root.appending(path: script).path
        let ended = try await output(of: folder.appending(path: "bin/python3").path, [program] + arguments)
        return (ended.status.isSuccess, ended.output)
    }
}

/// Runs a program, by its path or its name; returns how it ended and all that it printed.
public func output(
    of program: String, _ arguments: [String]
) async throws -> (status: TerminationStatus, output: String) {
    let ended = try await Subprocess.run(
        // By `env`, which takes a path as well as a name.
        .name("env"), arguments: Arguments([program] + arguments),
        output: .string(limit: 1_000_000), error: .combinedWithOutput)
    return (ended.terminationStatus, ended.standardOutput)
}
