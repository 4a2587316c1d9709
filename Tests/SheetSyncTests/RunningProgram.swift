import Foundation
import TestSupport

/// The program while it runs.
struct RunningProgram: CustomStringConvertible {
    let arguments: [String]
    let id: Int32
    let outputPath: String
    let errorPath: String

    var description: String { "sheetsync \(arguments.joined(separator: " "))" }

    /// What it has written to standard output so far.
    var output: String { (try? Program.text(outputPath)) ?? "" }
    /// What it has written to standard error so far.
    var errors: String { (try? Program.text(errorPath)) ?? "" }

    /// Whether it is still there: this process's child, and not a dead one.
    var isAlive: Bool {
        if isShownAlive { return true }
        // While a program with several threads executes another one, Linux shows it as ended for a moment.
        usleep(20_000)
        return isShownAlive
    }

    private var isShownAlive: Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8) else { return false }
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        return fields.count > 2 && fields[1] != "Z" && fields[2] == "\(getpid())"
    }

    /// Sends a signal, unless it has ended.
    func send(_ signal: Int32) { if isAlive { kill(id, signal) } }

    /// Sends a signal to it and all it has started, as a terminal does.
    func sendToGroup(_ signal: Int32) { if isAlive { kill(-id, signal) } }

    /// Waits until it has written something to either output.
    func expectToSay(
        _ text: String, within limit: Duration = .seconds(120), every pause: Duration? = nil
    ) async throws {
        try await wait(for: "\(self) to say “\(text)”", within: limit, every: pause, seeing: { output + errors }) {
            if output.contains(text) || errors.contains(text) { return true }
            guard isAlive else {
                throw WaitedInVain(description: "\(self) ended without saying “\(text)”: \(output)\(errors)")
            }
            return false
        }
    }

    /// Waits for the first line of its standard output.
    func firstLine(within limit: Duration = .seconds(120)) async throws -> String {
        try await wait(for: "a line of \(self)", within: limit, seeing: { output + errors }) { output.contains("\n") }
        return String(output.prefix { $0 != "\n" })
    }

    func waitForEnd(within limit: Duration) async throws {
        try await wait(for: "\(self) to end", within: limit, seeing: { output + errors }) { !isAlive }
    }
}

/// A process ended before it did what was waited for.
struct WaitedInVain: Error, CustomStringConvertible {
    let description: String
}
