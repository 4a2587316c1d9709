import ArgumentParser
import Glibc
import Synchronization
import SystemPackage

/// Standard output for data and standard error for the rest, unbuffered so that a pipe sees a line when it is written.
///
/// All that the program says goes through here, and much of it was written by others: by producers, by Google, by a sheet's
/// editors. So each line is made visible: nothing in it moves the cursor, changes the clipboard or forges another line.
public enum Console {
    /// The name that messages begin with: that of the program which was called, also where it let another one take over.
    public static let program =
        CommandLine.arguments.first?.split(separator: "/").last == "sheetsync-emulator"
        ? "sheetsync-emulator" : "sheetsync"

    /// Whether standard output is a terminal.
    public static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    private static let failure = Mutex<Errno?>(nil)

    /// Why standard output could not be written; a reader that has gone away is no reason.
    static var outputFailure: Errno? { failure.withLock { $0 } }

    /// Prints one line.
    public static func print(_ text: String) { writeOutput(line(text)) }

    /// Prints several lines.
    public static func print(lines: some Sequence<some StringProtocol>) {
        writeOutput(lines.map { line(String($0)) }.joined())
    }

    /// Prints one line to standard error.
    public static func error(_ text: String) { LogOutput.write(line(text)) }

    /// Ends the process at once, when all is said.
    public static func exit(_ status: Int32) -> Never {
        LogOutput.finish()
        _exit(status)
    }

    /// Ends a command that would go on for whoever reads its output, where that cannot be written.
    public static func requireOutput() throws { if outputFailure != nil { throw ExitCode(ExitStatus.output.rawValue) } }

    /// Shows a passing line, overwritten by the next one; only a terminal gets it.
    public static func progress(_ text: String) {
        if errorIsTerminal { LogOutput.write("\r\u{1B}[K\(text.visible)") }
    }

    /// Takes the passing line away.
    public static func endProgress() { progress("") }

    /// Clears the screen of a terminal.
    public static func clear() {
        if isTerminal { writeOutput("\u{1B}[H\u{1B}[2J") }
    }

    /// A line as it is shown: nothing in it obeys, hides or turns round.
    static func line(_ text: String) -> String { Style.coloured(text.visible) + "\n" }

    private static func writeOutput(_ text: String) {
        do throws(Errno) { try write(text, to: .standardOutput) } catch {
            if error != .brokenPipe { failure.withLock { $0 = $0 ?? error } }
        }
    }

    /// Writes all of a text, also to a pipe that does not block.
    static func write(_ text: String, to file: FileDescriptor) throws(Errno) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            do {
                bytes = bytes.dropFirst(try unsafe bytes.withUnsafeBytes { try unsafe file.write($0) })
            } catch Errno.wouldBlock {
                var descriptor = pollfd(fd: file.rawValue, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&descriptor, 1, -1)
            } catch let error as Errno {
                throw error
            } catch {
                throw .ioError
            }
        }
    }
}

/// Colours of a terminal; a pipe gets none, nor does anybody who set NO_COLOR.
public enum Style: String, Sendable {
    case bold = "1"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case dim = "2"

    /// Stands for the beginning and the end of a colour until a line is written; drawn anew by each process, so that no text
    /// from elsewhere has it.
    private static let mark = "[\(UInt64.random(in: 0 ... .max))-\(UInt64.random(in: 0 ... .max))-"

    /// The text in this colour.
    public func callAsFunction(_ text: String) -> String {
        guard Console.isTerminal, unsafe getenv("NO_COLOR") == nil else { return text }
        return "\(Self.mark)\(rawValue)m\(text)\(Self.mark)0m"
    }

    /// A line with a terminal's sequences in place of the marks.
    static func coloured(_ line: String) -> String {
        line.contains(mark) ? line.replacing(mark, with: "\u{1B}[") : line
    }
}
