import JSON
import Logging
import Postgres

/// How a worker's hold on a job ends, as the database function `finish` takes it.
struct JobEnding: Sendable {
    enum Kind: String, Sendable {
        case completed, discarded, cancelled, retry, release
    }

    let id: Int
    let jobKind: String
    let attempt: Int
    let kind: Kind
    let leaseNumber: Int
    /// Whether other jobs may wait for this one's end.
    let hasTarget: Bool
    private let result: JSON?
    private let error: JSON?
    private let delay: Duration
    /// Whether there is something that it can do without, should the database refuse to store it.
    let hasDetails: Bool

    init(_ job: Job, _ kind: Kind, result: JSON? = nil, error: JSON? = nil, delay: Duration = .zero) {
        self.init(
            id: job.id, jobKind: job.kind, attempt: job.attempt, kind: kind, leaseNumber: job.leaseNumber,
            hasTarget: job.target != nil, result: result, error: error, delay: delay,
            hasDetails: result != nil || error != nil)
    }

    private init(
        id: Int, jobKind: String, attempt: Int, kind: Kind, leaseNumber: Int, hasTarget: Bool, result: JSON?,
        error: JSON?, delay: Duration, hasDetails: Bool
    ) {
        self.id = id
        self.jobKind = jobKind
        self.attempt = attempt
        self.kind = kind
        self.leaseNumber = leaseNumber
        self.hasTarget = hasTarget
        self.result = result
        self.error = error
        self.delay = delay
        self.hasDetails = hasDetails
    }

    /// The same end without what the database refuses to store; the job's history says what is missing.
    func withoutDetails(refused error: PostgresError) -> JobEnding {
        let refusal = JobFailure(
            code: "queue.details_refused",
            message: "The attempt ended as written here, but the database refused to store its result or error "
                + "(SQLSTATE \(error.sqlState ?? "unknown")).", retry: kind == .retry ? .backoff : .never)
        return JobEnding(
            id: id, jobKind: jobKind, attempt: attempt, kind: kind, leaseNumber: leaseNumber,
            hasTarget: hasTarget, result: nil, error: refusal.json, delay: delay, hasDetails: false)
    }

    /// The fields that a line of the log about this end has.
    var metadata: Logger.Metadata {
        var fields: Logger.Metadata = ["job": "\(id)", "attempt": "\(attempt)"]
        if let spreadsheet = result?["spreadsheet_id"]?.string { fields["spreadsheet"] = "\(spreadsheet)" }
        return fields
    }

    var json: JSON {
        var members = JSONObject([
            .init(name: "id", value: JSON(id)), .init(name: "lease_no", value: JSON(leaseNumber)),
            .init(name: "end", value: .string(kind.rawValue)),
        ])
        members["result"] = result
        members["error"] = error
        if delay > .zero { members["delay"] = JSON(delay / .seconds(1)) }
        return .object(members)
    }
}
