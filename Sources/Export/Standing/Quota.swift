import JSON
import Postgres

/// One of Google's quotas, as the workers share it.
public struct Quota: Sendable, Equatable {
    /// What is counted and for whom, such as `sheets_writes/project`.
    public let name: String
    /// The calls that are allowed in a window.
    public let allowed: Int
    /// The calls of the last window.
    public let used: Int
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
        isPaced
            ? "is used as fast as it comes (\(used) of \(allowed) in this window)"
            : "is used up (\(used) of \(allowed)) for \(Int((freeIn ?? 0).rounded(.up))) s"
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
        isObserved = json["is_observed"]?.bool == true
        freeIn = json["free_in"]?.double
    }
}
