import JSON

/// Which logins and kinds a worker has served, and which of their owners last, so that a claim begins behind them.
///
/// Lanes are few: one for each kind of each login that enqueues jobs.
struct ServedLanes: Sendable {
    private struct Lane: Hashable {
        let login: String
        let kind: String
    }

    /// The owner that each lane served last, and when, as a number that grows.
    private var lanes: [Lane: (owner: String, number: Int)] = [:]
    private var number = 0

    /// Notes the jobs that a claim returned.
    mutating func note(_ jobs: [Job]) {
        for job in jobs {
            number += 1
            lanes[Lane(login: job.login, kind: job.kind)] = (job.owner, number)
        }
    }

    /// The lanes as the database function `claim` takes them, the one that was served last at the end.
    var json: JSON {
        .array(
            lanes.sorted { $0.value.number < $1.value.number }.map { lane, last in
                ["login": .string(lane.login), "kind": .string(lane.kind), "owner": .string(last.owner)]
            })
    }
}
