import Foundation
import Subprocess
import SystemPackage
import Testing

/// The package and its unit under a real systemd, where this machine lets a test start one.
@Suite struct SystemdUnitTests {
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "scripts").path

    private func run(_ script: String, _ arguments: String...) async throws -> (TerminationStatus, String) {
        let result = try await Subprocess.run(
            .path(FilePath("\(Self.scripts)/\(script)")), arguments: Arguments(arguments),
            // Packing is no matter of this test.
            environment: .inherit.updating(["DPKG_DEB_COMPRESSOR_TYPE": "none"]),
            output: .string(limit: 1 << 20), error: .combinedWithOutput)
        return (result.terminationStatus, result.standardOutput)
    }

    @Test(.timeLimit(.minutes(5)))
    func theUnitLivesAsItsFileSays() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let package = try await run(
            "package", directory.path, URL(filePath: Program.path).deletingLastPathComponent().path)
        guard package.0.isSuccess else {
            // Without Debian's tools there is no package to install.
            try #require(package.1.contains("is missing: install"), "\(package.1)")
            Issue.record("No package was built, because \(package.1)", severity: .warning)
            return
        }
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory.path).first { $0.hasPrefix("sheetsync_") },
            "\(package.1)")
        let checked = try await run("check-systemd", "\(directory.path)/\(file)")
        if checked.0 == .exited(77) {
            Issue.record("The unit was not started, because \(checked.1)", severity: .warning)
        } else {
            #expect(checked.0.isSuccess, "\(checked.1)")
        }
    }
}
