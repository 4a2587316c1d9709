import JSON
import Postgres

/// Everything that may keep one job waiting, as the database function `wait_state` gives it.
public struct WaitState: Sendable {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    var pause: Pause? { json["pause"].flatMap { Pause($0) } }
    /// Whether it is still to be looked up what the ended job has made.
    var isUnreconciled: Bool { json["unreconciled"]?.bool == true }
    /// Who has how many of the slots, the most first.
    var holders: [SlotShare] {
        (json["holders"]?.array ?? []).compactMap { holder in
            holder["running"]?.int.map { SlotShare(login: holder["login"]?.string, running: $0) }
        }
    }
    /// The job's login and its ceiling, where it is what the job waits for.
    var ceiling: (login: String, slots: Int)? {
        guard let slots = json["slots"]?.int, let login = text("login"),
            holders.first(where: { $0.login == login })?.running ?? 0 >= slots
        else { return nil }
        return (login, slots)
    }
    /// Seconds until the job may run.
    var dueIn: Double? { json["due_in"]?.double }
    /// The error of the attempt that snoozed the job.
    var waitsFor: (code: String, message: String)? {
        guard let error = json["waits_for"], let code = error["code"]?.string else { return nil }
        return (code, error["message"]?.string ?? "")
    }

    /// Whether no worker shows a sign of life.
    public func hasNoLiveWorker(silenceLimit: Double) -> Bool { workers(silenceLimit: silenceLimit).isEmpty }

    func text(_ name: String) -> String? { json[name]?.string }

    /// The workers that showed a sign of life of late.
    func workers(silenceLimit: Double) -> [JSON] {
        (json["workers"]?.array ?? []).filter { ($0["silence"]?.double ?? 0) <= silenceLimit }
    }
}

extension QueueClient {
    /// What stands between a job and its work; nil where there is no such job that this login may see.
    public func waitState(of id: Int) async throws -> WaitState? {
        try await connection.query("select \(identifier: schema).wait_state(\(id)) as wait_state").first?
            .optionalText("wait_state").map { WaitState(try JSON(parsing: $0)) }
    }
}
