import FoundationEssentials
import JSON
import Logging

/// Writes each message as one line to standard error: for people, or as JSON for a collector.
struct LineLogHandler: LogHandler {
    enum Style: String {
        case text, json
    }

    private let style: Style
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(style: Style, level: Logger.Level) {
        self.style = style
        logLevel = level
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let line = Self.line(style, event.level, "\(event.message)", fields.map { ($0.key, "\($0.value)") })
        LogOutput.write(line) { [style] count in
            Self.line(style, .warning, "nobody read the log: \(count) lines are missing here", [])
        }
    }

    private static func line(
        _ style: Style, _ level: Logger.Level, _ message: String, _ fields: [(key: String, value: String)]
    ) -> String {
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        switch style {
        case .text:
            let tail = fields.map { " \($0.key)=\($0.value)" }.joined()
            // A line break in a message, which would forge the next line's head, is written out by the console.
            return Console.line("\(time) \(level.rawValue.uppercased()) \(message)\(tail)")
        case .json:
            var line = JSONObject([
                .init(name: "time", value: .string(time)), .init(name: "level", value: .string(level.rawValue)),
                .init(name: "message", value: .string(message)),
            ])
            for field in fields { line[field.key] = .string(field.value) }
            return Console.line(JSON.object(line).description)
        }
    }
}
