import Glibc
import SystemPackage

/// Standard output for data and standard error for the rest, unbuffered so that a pipe sees a line when it is written.
enum Console {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    static func print(_ text: String) { write(text + "\n", to: .standardOutput) }

    static func error(_ text: String) { write(text + "\n", to: .standardError) }

    /// Shows a passing line, overwritten by the next one; only a terminal gets it.
    static func progress(_ text: String) {
        if errorIsTerminal { write("\r\u{1B}[K\(text)", to: .standardError) }
    }

    /// Takes the passing line away.
    static func endProgress() { progress("") }

    /// Clears the screen of a terminal.
    static func clear() {
        if isTerminal { write("\u{1B}[H\u{1B}[2J", to: .standardOutput) }
    }

    // A reader that has gone away is no reason to fail.
    private static func write(_ text: String, to file: FileDescriptor) { _ = try? file.writeAll(text.utf8) }
}

/// Colours of a terminal; a pipe gets none, nor does anybody who set NO_COLOR.
enum Style: String {
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case dim = "2"

    func callAsFunction(_ text: String) -> String {
        guard Console.isTerminal, unsafe getenv("NO_COLOR") == nil else { return text }
        return "\u{1B}[\(rawValue)m\(text)\u{1B}[0m"
    }
}
