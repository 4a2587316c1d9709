import Export
import Google
import JobQueue

/// Every code that a job's error can have, with what to do.
enum ErrorTable {
    static let rows: [(code: String, advice: String)] =
        (GoogleError.Code.allCases.map { ($0.rawValue, $0.message) }
        + ExportErrorCode.allCases.map { ($0.rawValue, $0.advice) }
        + QueueErrorCode.allCases.map { ($0.rawValue, $0.advice) }).sorted { $0.0 < $1.0 }

    /// A table in Markdown, as docs/errors.md has it.
    static var markdown: String {
        (["| code | what it means and what to do |", "|---|---|"] + rows.map { "| `\($0.code)` | \($0.advice) |" })
            .joined(separator: "\n")
    }
}
