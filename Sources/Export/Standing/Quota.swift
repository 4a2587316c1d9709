import JSON
import Postgres

/// One of Google's quotas, as the workers share it.
public struct Quota: Sendable, Equatable {
    /// What is counted and for whom, such as `sheets_writes/project`.
    public let name: String
    /// The calls that are allowed in a window.
    public let allowed: Int
    /// The calls that were made in the window.
    public let used: Int
    /// The calls that may be made now; the others of the window come with the time, or passed unused.
    public let free: Int
    /// Whether Google named a lower figure than the settings.
    public let isObserved: Bool
    /// Seconds until something may be free; nil where something is.
    public let freeIn: Double?

    /// Whether nothing is free.
    public var isUsedUp: Bool { (freeIn ?? 0) > 0 }
    /// Whether that is only because a window's calls are spread over it, and soon over.
    public var isPaced: Bool { isUsedUp && used < allowed && (freeIn ?? 0) <= 4 }
    /// That nothing is free and until when, in words; a window's calls are spread over it, so there is little at once.
    public var standing: String {
        let pause = Int((freeIn ?? 0).rounded(.up))
        return isPaced
            ? "gives the next call in \(pause) s (\(used) of \(allowed) used in this window)"
            : "is used up (\(used) of \(allowed)) for \(pause) s"
    }
    /// What is counted, such as `sheets_writes`.
    public var resource: String { String(name.prefix { $0 != "/" }) }
    /// The account whose quota it is; nil for the project's.
    public var account: String? {
        let holder = name.dropFirst(resource.count + 1)
        return holder.hasPrefix("user/") ? String(holder.dropFirst(5)) : nil
    }
    /// For whom: an account, or the project.
    public var holder: String { account ?? "the project" }
    /// Whose it is, and when something is free again, where nothing is.
    public var words: String {
        "the quota \(resource) of \(holder) \(standing)"
    }
    /// How many calls are free.
    public var left: Int { isUsedUp ? 0 : max(allowed - used, 0) }
}

extension Quota {
    init(_ row: Row) throws(PostgresError) {
        name = try row.text("name")
        allowed = try row.int("allowed")
        used = try row.int("used")
        free = try row.int("free")
        isObserved = try row.bool("is_observed")
        freeIn = try row.optionalDouble("free_in")
    }

    init?(_ json: JSON) {
        guard let name = json["name"]?.string, let allowed = json["allowed"]?.int, let used = json["used"]?.int else {
            return nil
        }
        self.name = name
        self.allowed = allowed
        self.used = used
        free = json["free"]?.int ?? 0
        isObserved = json["is_observed"]?.bool == true
        freeIn = json["free_in"]?.double
    }
}
