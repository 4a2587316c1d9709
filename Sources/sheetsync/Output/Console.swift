import Glibc
import SystemPackage

/// Standard output for data and standard error for the rest, unbuffered so that a pipe sees a line when it is written.
///
/// All that the program says goes through here, and much of it was written by others: by producers, by Google, by a sheet's
/// editors. So each line is made visible: nothing in it moves the cursor, changes the clipboard or forges another line.
enum Console {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Prints one line.
    static func print(_ text: String) { write(line(text), to: .standardOutput) }

    /// Prints several lines.
    static func print(lines: some Sequence<some StringProtocol>) {
        write(lines.map { line(String($0)) }.joined(), to: .standardOutput)
    }

    /// Prints one line to standard error.
    static func error(_ text: String) { write(line(text), to: .standardError) }

    /// Shows a passing line, overwritten by the next one; only a terminal gets it.
    static func progress(_ text: String) {
        if errorIsTerminal { write("\r\u{1B}[K\(text.visible)", to: .standardError) }
    }

    /// Takes the passing line away.
    static func endProgress() { progress("") }

    /// Clears the screen of a terminal.
    static func clear() {
        if isTerminal { write("\u{1B}[H\u{1B}[2J", to: .standardOutput) }
    }

    private static func line(_ text: String) -> String { Style.coloured(text.visible) + "\n" }

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

    /// Stands for the beginning and the end of a colour until a line is written; drawn anew by each process, so that no text
    /// from elsewhere has it.
    private static let mark = "[\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))-"

    func callAsFunction(_ text: String) -> String {
        guard Console.isTerminal, unsafe getenv("NO_COLOR") == nil else { return text }
        return "\(Self.mark)\(rawValue)m\(text)\(Self.mark)0m"
    }

    /// A line with a terminal's sequences in place of the marks.
    static func coloured(_ line: String) -> String {
        line.contains(mark) ? line.replacing(mark, with: "\u{1B}[") : line
    }
}
