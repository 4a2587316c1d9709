import FoundationEssentials
import Logging
import Systemd

extension SettingsReader {
    /// Sends the program's log to standard error, as LOG_LEVEL and LOG_FORMAT say, and returns the program's logger.
    ///
    /// Where nobody chose a format and standard error leads to the journal, the journal gets entries with fields.
    func startLogging() throws -> Logger {
        let levels: [String: Logger.Level] = [
            "trace": .trace, "debug": .debug, "info": .info, "notice": .notice, "warning": .warning, "warn": .warning,
            "error": .error, "critical": .critical,
        ]
        guard let level = levels[(text("LOG_LEVEL") ?? "info").lowercased()] else {
            throw SettingsError(
                name: "LOG_LEVEL", problem: "must be one of trace, debug, info, notice, warning, error and critical")
        }
        if text("LOG_FORMAT") == nil, let journal = Journal(environment: ProcessInfo.processInfo.environment) {
            LoggingSystem.bootstrap { _ in JournalLogHandler(journal, level: level) }
            return Logger(label: "sheetsync")
        }
        let format = text("LOG_FORMAT")?.lowercased() ?? "text"
        guard let style = LineLogHandler.Style(rawValue: format) else {
            throw SettingsError(name: "LOG_FORMAT", problem: "must be text or json")
        }
        LoggingSystem.bootstrap { _ in LineLogHandler(style: style, level: level) }
        return Logger(label: "sheetsync")
    }
}
