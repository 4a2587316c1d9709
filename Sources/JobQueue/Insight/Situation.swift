import JSON
import Postgres

/// Everything that may keep one job waiting, as the database function `situation` gives it.
public struct Situation: Sendable {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    /// The services that fail at the moment.
    var breakers: [OpenBreaker] { (json["breakers"]?.array ?? []).compactMap { OpenBreaker($0) } }
    var quotas: [Quota] { (json["quotas"]?.array ?? []).compactMap { Quota($0) } }
    var pause: Pause? { json["pause"].flatMap { Pause($0) } }
    /// Whether it is still to be looked up what the ended job has made.
    var isUnsettled: Bool { json["unsettled"]?.bool == true }
    /// Seconds until the job may run.
    var dueIn: Double? { json["due_in"]?.double }
    /// The error of the attempt that gave the job back.
    var waitsFor: (code: String, message: String)? {
        guard let error = json["waits_for"], let code = error["code"]?.string else { return nil }
        return (code, error["message"]?.string ?? "")
    }

    /// Whether no worker shows a sign of life.
    public func isDeserted(silenceLimit: Double) -> Bool { workers(silenceLimit: silenceLimit).isEmpty }

    func text(_ name: String) -> String? { json[name]?.string }

    /// The workers that showed a sign of life of late.
    func workers(silenceLimit: Double) -> [JSON] {
        (json["workers"]?.array ?? []).filter { ($0["silence"]?.double ?? 0) <= silenceLimit }
    }
}

extension JobDirectory {
    /// What stands between a job and its work; nil where there is no such job that this login may see.
    public func situation(of id: Int) async throws -> Situation? {
        try await connection.query("select \(identifier: schema).situation(\(id)) as situation").first?
            .optionalText("situation").map { Situation(try JSON(parsing: $0)) }
    }
}
