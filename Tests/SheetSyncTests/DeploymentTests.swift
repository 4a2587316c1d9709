import Foundation
import Subprocess
import SystemPackage
import Testing

@testable import sheetsync

/// What can be told of the container and of App Platform's description without running either.
@Suite struct DeploymentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A file of the project, without comments; a line that ends with a backslash goes on in the next.
    private func lines(_ file: String) throws -> [String] {
        try String(contentsOf: Self.root.appending(path: file), encoding: .utf8).replacing("\\\n", with: " ")
            .split(separator: "\n").filter { !$0.drop(while: \.isWhitespace).hasPrefix("#") }.map(String.init)
    }

    /// What the shell prints.
    private func shell(_ script: String) async throws -> String {
        let result = try await Subprocess.run(
            .path("/bin/bash"), arguments: ["-c", script], output: .string(limit: 1 << 20),
            error: .combinedWithOutput)
        #expect(result.terminationStatus.isSuccess, "\(script): \(result.standardOutput)")
        return result.standardOutput
    }

    /// The packages that a stage of the Dockerfile installs; both stages are Debian 12.
    private func packages(stage: Int) throws -> Set<Substring> {
        let installing = try lines("Dockerfile").filter { $0.contains("apt-get install") }
        #expect(installing.count == 2, "\(installing)")
        let command = installing[stage].split(separator: "&&").first { $0.contains("apt-get install") } ?? ""
        return Set(command.split(whereSeparator: \.isWhitespace).dropFirst(2).filter { !$0.hasPrefix("-") })
    }

    @Test func theContainerIsBuiltFromWhatIsThere() async throws {
        let file = try lines("Dockerfile")
        let sources = file.filter { $0.hasPrefix("COPY ") && !$0.contains("--from") }.flatMap {
            $0.split(separator: " ").dropFirst().dropLast()
        }
        #expect(sources == ["Package.*", "Sources", "Tests"], "all that the manifest names: \(sources)")
        for source in sources where !source.contains("*") {
            #expect(FileManager.default.fileExists(atPath: Self.root.appending(path: String(source)).path))
        }
        let needed = try lines("scripts/install-dependencies").joined().matches(of: /[a-z]+:([a-z0-9-]+-dev)/).map(\.1)
        let installed = try packages(stage: 0)
        #expect(needed.count == 4 && installed.isSuperset(of: needed), "\(needed)")
        let command = try #require(file.last { $0.hasPrefix("CMD ") })
        #expect(command == #"CMD ["/usr/bin/sheetsync", "run"]"#)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/etc/debian_version")))
    func theContainerHasTheLibrariesThatTheProgramIsLinkedWith() async throws {
        // Swift's own are in the program there, and the C library's in every Debian.
        let owners = try await shell(
            """
            set -euo pipefail
            libraries=$(objdump -p '\(Program.path)' | sed -n 's/^ *NEEDED *//p')
            for library in $(grep -vE '^(lib(swift|_|Found|dispatch|Blocks|c[.]|m[.]|gcc_s)|ld-)' <<< "$libraries"); do
                path=$(ldd '\(Program.path)' | sed -n "s|^[[:space:]]*$library => \\([^ ]*\\).*|\\1|p")
                # The package may name it by /lib or by /usr/lib.
                dpkg-query -S "*/$(basename "$(realpath "$path")")" | cut -d: -f1
            done
            """)
        let runtime = try packages(stage: 1)
        let missing = Set(owners.split(separator: "\n")).subtracting(runtime)
        #expect(owners.contains("libpq5") && missing.isEmpty, "\(missing) of \(owners)")
        #expect(runtime.isSuperset(of: ["ca-certificates", "tzdata"]))
    }

    @Test(arguments: [
        (["ActiveState": "active", "StatusText": "waits for jobs"], Checkup.Level.ok, "is active: waits for jobs"),
        (
            ["ActiveState": "failed", "Result": "exit-code", "ExecMainStatus": "78"], .fail,
            "has failed with exit code 78"
        ),
        (["ActiveState": "failed", "Result": "watchdog"], .fail, "has failed (watchdog)"),
        (["ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": "2"], .fail, "again and again"),
        (["ActiveState": "activating", "SubState": "start"], .warn, "is starting"),
        (["ActiveState": "inactive"], .warn, "is not started: `systemctl enable"),
    ])
    func doctorJudgesTheUnit(state: [String: String], level: Checkup.Level, words: String) {
        let judged = UnitCheck.judge(state)
        #expect(judged.0 == level && judged.1.contains(words), "\(judged)")
    }

    @Test func appPlatformGetsCommandsAndSettingsThatThereAre() async throws {
        let spec = try lines(".do/app.yaml")
        func values(_ name: String) -> [String] {
            spec.compactMap { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                guard parts.count == 2, parts[0].split(separator: " ").last.map(String.init) == name else { return nil }
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        #expect(values("run_command") == ["/usr/bin/sheetsync migrate", "/usr/bin/sheetsync run"])
        #expect(values("kind") == ["PRE_DEPLOY"], "the schema goes first")
        let listed = try String(contentsOf: Self.root.appending(path: "docs/settings.md"), encoding: .utf8)
        let settings = values("key")
        #expect(settings.count >= 5)
        for setting in settings {
            #expect(listed.contains("| `\(setting)`") || listed.contains(", `\(setting)`"), "\(setting)")
        }
        let grace = try #require(values("grace_period_seconds").first.flatMap { Int($0) })
        #expect((31...600).contains(grace), "longer than SHEETSYNC_SHUTDOWN_GRACE: \(grace)")
    }
}
