import Foundation
import GoogleEmulator
import Testing

/// Google's own Python client and gspread, as PyPI has them, work against the emulator.
@Suite(.timeLimit(.minutes(5))) struct PythonClientTests {
    @Test func pythonClientsWorkUnchanged() async throws {
        let environment = try TemporaryDirectory()
        let python = environment.path + "/bin/python3"
        let packages = ["google-api-python-client", "gspread"]
        guard
            try await Self.run("/usr/bin/env", ["python3", "-m", "venv", environment.path]).status == 0,
            try await Self.run(python, ["-m", "pip", "install", "--quiet"] + packages).status == 0
        else {
            print("NOT RUN: Python 3 with venv, or the packages \(packages) of PyPI, are not to be had here.")
            return
        }
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../scripts/check-python-clients").standardized.path
        let directory = try TemporaryDirectory()
        let keyFile = directory.path + "/service-account.json"
        try await Client.run(.init(directory: directory.path), authorized: false) { client in
            let result = try await Self.run(python, [script, client.baseURL, keyFile])
            print(result.output)
            #expect(result.status == 0, "\(result.output)")
            #expect(result.output.contains("ok          gspread creates and shares"))
        }
        withExtendedLifetime((environment, directory)) {}
    }

    /// Runs a program and gives its exit status with all that it printed.
    static func run(_ program: String, _ arguments: [String]) async throws -> (status: Int32, output: String) {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/output"
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let output = try FileHandle(forWritingTo: URL(filePath: path))
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        return (status, try String(contentsOfFile: path, encoding: .utf8))
    }
}
