import FoundationEssentials
import Subprocess

/// What systemd says about a unit.
enum Systemctl {
    /// The properties of some names, a line each; nil where systemd is not process 1 here or does not answer.
    static func show(_ names: String, _ unit: String) async -> [String]? {
        await output(of: "systemctl", "show", "--property", names, unit)?.split(separator: "\n").map(String.init)
    }

    /// A property that `systemctl show` cannot print, as `busctl` prints it.
    static func property(_ name: String, ofService unit: String) async -> String? {
        await output(
            of: "busctl", "get-property", "org.freedesktop.systemd1",
            "/org/freedesktop/systemd1/unit/\(unit.replacing(".", with: "_2e"))", "org.freedesktop.systemd1.Service",
            name)
    }

    private static func output(of program: String, _ arguments: String...) async -> String? {
        guard FileManager.default.fileExists(atPath: "/run/systemd/system") else { return nil }
        let result = try? await Subprocess.run(
            .name(program), arguments: Arguments(arguments), input: .none, output: .string(limit: 1 << 16),
            error: .discarded)
        guard let result, result.terminationStatus.isSuccess else { return nil }
        return result.standardOutput
    }
}
