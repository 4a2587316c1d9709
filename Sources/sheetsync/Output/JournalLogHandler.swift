import Logging
import SystemPackage
import Systemd

/// Writes each message as an entry of the system's journal, with a priority and the metadata as fields.
///
/// `journalctl SHEETSYNC_JOB=42` finds all that was said about a job.
struct JournalLogHandler: LogHandler {
    private let journal: Journal
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(_ journal: Journal, level: Logger.Level) {
        self.journal = journal
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        // Most ways to show the journal show the message alone.
        let tail = fields.map { " \($0.key)=\($0.value)" }.joined()
        var entry = JournalEntry("\(event.message)\(tail)", priority: event.level.priority)
        entry.add("SYSLOG_IDENTIFIER", "sheetsync")
        for field in fields { entry.add("SHEETSYNC_\(field.key)", "\(field.value)") }
        let line = Console.line("<\(event.level.priority)>\(event.message)\(tail)")
        LogOutput.say(2 * line.utf8.count) { [journal, entry] in
            if !journal.write(entry) { try? Console.write(line, to: .standardError) }
        }
    }
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
