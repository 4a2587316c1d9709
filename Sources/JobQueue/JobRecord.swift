public import JSON
import Postgres

/// A row of the view `jobs`: a job as people and other programs see it.
public struct JobRecord: Sendable {
    /// The job's number.
    public let id: Int
    /// What it is.
    public let kind: String
    /// `scheduled`, `available`, `running`, `retryable`, `completed`, `discarded` or `cancelled`.
    public let state: String
    /// The row as the view's columns name it.
    public let json: JSON

    init(_ row: Row) throws {
        let json = try JSON(parsing: try row.text("row"))
        guard let id = json["id"]?.int, let kind = json["kind"]?.string, let state = json["state"]?.string else {
            throw PostgresError(.unexpectedResult, "a row of the view jobs lacks id, kind or state")
        }
        self.id = id
        self.kind = kind
        self.state = state
        self.json = json
    }

    /// Whether nothing will happen to the job any more.
    public var isFinal: Bool { ["completed", "discarded", "cancelled"].contains(state) }

    /// The result of a completed job; of a cancelled or discarded one what it had made by then.
    public var result: JSON? {
        // A bare nil would be JSON's null here.
        json["result"].flatMap { $0.isNull ? Optional.none : $0 }
    }

    /// The first member of the result whose name ends with `_url`: where people find what the job has made.
    public var link: String? {
        result?.object?.first { $0.name.hasSuffix("_url") && $0.value.string != nil }?.value.string
    }

    /// What the job was snoozed for without losing an attempt, while it waits for that.
    public var waitsFor: (code: String, message: String)? {
        guard let reason = json["waits_for"], let code = reason["code"]?.string else { return nil }
        return (code, reason["message"]?.string ?? "")
    }

    /// The last failed attempt: code and message.
    public var lastError: (code: String, message: String)? {
        guard let last = json["errors"]?.array?.last else { return nil }
        return (last["code"]?.string ?? "unknown", last["message"]?.string ?? "")
    }

    /// How far the job is, where it has said so.
    public var progress: Progress? {
        guard let progress = json["progress"], let step = progress["step"]?.string else { return nil }
        return Progress(step: step, rowsDone: progress["rows_done"]?.int, rowsTotal: progress["rows_total"]?.int)
    }
}
