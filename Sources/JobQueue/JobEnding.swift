import JSON

/// How a worker's hold on a job ends, as the database function `finish` takes it.
struct JobEnding: Sendable {
    enum Kind: String, Sendable {
        case completed, discarded, cancelled, retry, release
    }

    let id: Int
    let kind: Kind
    let leaseNumber: Int
    private let result: JSON?
    private let error: JSON?
    private let delay: Duration

    init(_ job: Job, _ kind: Kind, result: JSON? = nil, error: JSON? = nil, delay: Duration = .zero) {
        id = job.id
        leaseNumber = job.leaseNumber
        self.kind = kind
        self.result = result
        self.error = error
        self.delay = delay
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
