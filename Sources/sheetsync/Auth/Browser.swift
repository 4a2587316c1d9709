import FoundationEssentials
import Subprocess

/// The browser of whoever runs the command.
struct Browser {
    let environment: [String: String]

    /// Whether the command runs on another machine than the person sits at.
    var isRemote: Bool { environment["SSH_CONNECTION"]?.isEmpty == false }

    /// Opens an address; false where there is no display, or nothing that opens it.
    func open(_ url: String) async -> Bool {
        guard !isRemote, ["DISPLAY", "WAYLAND_DISPLAY"].contains(where: { environment[$0]?.isEmpty == false }) else {
            return false
        }
        for name in ["xdg-open", "open"] {
            // It may be the browser itself, which says much and ends when its window does.
            let launch = Task {
                let ended = try? await Subprocess.run(
                    .name(name), arguments: [url], input: .none, output: .discarded, error: .discarded)
                return ended?.terminationStatus.isSuccess ?? false
            }
            let isOpen = await withTaskGroup(of: Bool.self) { group in
                group.addTask { await launch.value }
                group.addTask {
                    do { try await Task.sleep(for: .seconds(5)) } catch { return false }
                    return true
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
            if isOpen { return true }
        }
        return false
    }

    /// The line that leads a port of the person's own machine to the same one here.
    func forwarding(of port: Int) -> String {
        // The server's own address, as the person's machine reached it.
        let parts = environment["SSH_CONNECTION"]?.split(separator: " ") ?? []
        let host = parts.count == 4 ? String(parts[2]) : SheetSync.machine
        let user = environment["USER"].map { "\($0)@" } ?? ""
        return "ssh -N -L \(port):127.0.0.1:\(port) \(user)\(host)"
    }
}
