import FoundationEssentials
import JSON
import Logging
import SystemPackage
import Systemd

/// Writes each message as a line on standard error, for people or as JSON for a collector, or as an entry of the system's journal.
///
/// In the journal it has a priority, and the metadata as fields: `journalctl SHEETSYNC_JOB=42` finds all that was said about a job.
struct ProgramLog: LogHandler {
    enum Destination: Sendable {
        case standardError(LogSettings.Format)
        case journal(Journal)
    }

    private typealias Field = (key: String, value: String)

    private let destination: Destination
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(to destination: Destination, level: Logger.Level) {
        self.destination = destination
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
            .map { (key: $0.key, value: "\($0.value)") }
        switch destination {
        case .standardError(let format):
            LogOutput.write(Self.line(format, event.level, "\(event.message)", fields)) { count in
                Self.line(format, .warning, "nobody read the log: \(count) lines are missing here", [])
            }
        case .journal(let journal): Self.write(event, fields, to: journal)
        }
    }

    private static func line(
        _ format: LogSettings.Format, _ level: Logger.Level, _ message: String, _ fields: [Field]
    ) -> String {
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch format {
        case .text:
            // A line break in a message, which would forge the next line's head, is written out by the console.
            return Console.line("\(time) \(level.rawValue.uppercased()) \(message)\(tail(fields))")
        case .json:
            var line = JSONObject([
                .init(name: "time", value: .string(time)), .init(name: "level", value: .string(level.rawValue)),
                .init(name: "message", value: .string(message)),
            ])
            for field in fields { line[field.key] = .string(field.value) }
            return Console.line(JSON.object(line).description)
        }
    }

    private static func write(_ event: LogEvent, _ fields: [Field], to journal: Journal) {
        // Most ways to show the journal show the message alone.
        let text = "\(event.message)\(tail(fields))"
        var entry = JournalEntry(text, priority: event.level.priority)
        entry.add("SYSLOG_IDENTIFIER", Console.program)
        for field in fields { entry.add("SHEETSYNC_\(field.key)", field.value) }
        let line = Console.line("<\(event.level.priority)>\(text)")
        LogOutput.say(2 * line.utf8.count) { [entry] in
            if !journal.write(entry) { try? Console.write(line, to: .standardError) }
        }
    }

    private static func tail(_ fields: [Field]) -> String { fields.map { " \($0.key)=\($0.value)" }.joined() }
}

extension Logger.Level {
    /// The priority of syslog's that the level has.
    fileprivate var priority: Int {
        switch self {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
