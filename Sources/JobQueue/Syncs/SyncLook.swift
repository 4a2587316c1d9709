import JSON

/// What is to be done for syncs, as the database function `look_at_syncs` gives it.
struct SyncLook: Sendable {
    /// A sync that needs a run, or the time of its next one.
    struct Due: Sendable {
        let name: String
        let revision: Int
        let schedule: String?
        let timeZone: String
    }

    /// The database's clock, in seconds since 1970.
    let now: Int64
    let due: [Due]
    /// The time until the next one is due; nil for none.
    let wait: Duration?
    /// Whether a table may change or a run may end at any moment.
    let isWaiting: Bool

    init(_ json: JSON) {
        now = Int64(json["now"]?.double ?? 0)
        wait = json["wait"]?.double.map { .seconds(max($0, 0)) }
        isWaiting = json["is_waiting"]?.bool ?? false
        due = (json["due"]?.array ?? []).compactMap { sync in
            guard let name = sync["name"]?.string, let revision = sync["revision"]?.int else { return nil }
            return Due(
                name: name, revision: revision, schedule: sync["schedule"]?.string,
                timeZone: sync["time_zone"]?.string ?? "UTC")
        }
    }
}
