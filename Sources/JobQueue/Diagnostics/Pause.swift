import JSON
import Postgres

/// What an operator has stopped from being claimed.
public struct Pause: Sendable, Equatable {
    /// The kind of job; nil for all.
    public let kind: String?
    /// The login that stopped it.
    public let by: String
    /// When, such as `2026-05-02 08:00 UTC`.
    public let since: String

    /// What is paused, by whom and since when.
    public var words: String {
        "\(kind.map { "jobs of kind \($0) are" } ?? "the queue is") paused by \(by) since \(since)"
    }

    /// How to end it, and no other pause with it.
    public var advice: String { "resume with `sheetsync queue resume\(kind.map { " \($0)" } ?? "")`" }
}

extension Pause {
    init(_ row: Row) throws(PostgresError) {
        kind = try row.optionalText("kind")
        by = try row.text("by")
        since = try row.text("since")
    }

    init?(_ json: JSON) {
        guard let by = json["by"]?.string, let since = json["since"]?.string else { return nil }
        kind = json["kind"]?.string
        self.by = by
        self.since = since
    }
}
