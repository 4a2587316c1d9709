import JSON
import Logging
import Postgres

/// How an attempt ended, as the database function `finish` takes it.
struct JobOutcome: Sendable {
    enum Kind: String, Sendable {
        /// `snooze` puts the job back without costing it the attempt.
        case completed, discarded, cancelled, retry, snooze
    }

    let id: Int
    let jobKind: String
    let attempt: Int
    let kind: Kind
    let leaseNumber: Int
    /// Whether other jobs may wait for this one's end.
    let hasTarget: Bool
    private var result: JSON?
    private var error: JSON?
    private let delay: Duration
    /// Whether there is something that it can do without, should the database refuse to store it.
    private(set) var hasDetails: Bool

    init(_ job: Job, _ kind: Kind, result: JSON? = nil, error: JSON? = nil, delay: Duration = .zero) {
        id = job.id
        jobKind = job.kind
        attempt = job.attempt
        self.kind = kind
        leaseNumber = job.leaseNumber
        hasTarget = job.target != nil
        self.result = result
        self.error = error
        self.delay = delay
        hasDetails = result != nil || error != nil
    }

    /// The same outcome without what the database refuses to store; the job's history says what is missing.
    func withoutDetails(refused error: PostgresError) -> JobOutcome {
        let refusal = JobFailure(
            .detailsRefused,
            "The attempt ended as written here, but the database refused to store its result or error "
                + "(SQLSTATE \(error.sqlState ?? "unknown")).", retry: kind == .retry ? .backoff : .never)
        var copy = self
        (copy.result, copy.error, copy.hasDetails) = (nil, refusal.json, false)
        return copy
    }

    /// The fields that a line of the log about this outcome has: the job, and what it has made by the ids in its result.
    var metadata: Logger.Metadata {
        var fields: Logger.Metadata = ["job": "\(id)", "attempt": "\(attempt)"]
        for member in result?.object ?? JSONObject() where member.name.hasSuffix("_id") {
            if let id = member.value.string { fields[String(member.name.dropLast(3))] = "\(id)" }
        }
        return fields
    }

    var json: JSON {
        var members = JSONObject([
            .init(name: "id", value: JSON(id)), .init(name: "lease_number", value: JSON(leaseNumber)),
            .init(name: "outcome", value: .string(kind.rawValue)),
        ])
        members["result"] = result
        members["error"] = error
        if delay > .zero { members["delay"] = JSON(delay / .seconds(1)) }
        return .object(members)
    }
}
