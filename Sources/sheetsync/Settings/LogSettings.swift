import FoundationEssentials
import Logging
import Systemd

/// How much is logged, and in which form.
struct LogSettings {
    let level: Logger.Level
    /// The form of a line; nil where nobody chose one.
    let style: LineLogHandler.Style?

    init(_ reader: SettingsReader) throws {
        let levels: [String: Logger.Level] = [
            "trace": .trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning, "warn": .warning,
            "error": .error, "critical": .critical,
        ]
        guard let level = levels[(reader.text("LOG_LEVEL") ?? "info").lowercased()] else {
            throw SettingsError(
                name: "LOG_LEVEL", problem: "must be one of trace, debug, info, notice, warning, error and critical")
        }
        self.level = level
        style = try reader.text("LOG_FORMAT").map { format in
            guard let style = LineLogHandler.Style(rawValue: format.lowercased()) else {
                throw SettingsError(name: "LOG_FORMAT", problem: "must be text or json")
            }
            return style
        }
    }

    /// Sends the program's log to standard error and returns the program's logger.
    ///
    /// Where nobody chose a format and standard error leads to the journal, the journal gets entries with fields.
    func start() -> Logger {
        let level = level
        if style == nil, let journal = Journal(environment: ProcessInfo.processInfo.environment) {
            LoggingSystem.bootstrap { _ in JournalLogHandler(journal, level: level) }
        } else {
            let style = style ?? .text
            LoggingSystem.bootstrap { _ in LineLogHandler(style: style, level: level) }
        }
        return Logger(label: "sheetsync")
    }
}
