import JSON

/// How late new files show up in lists, as Google's search index is behind at times.
struct LateVisibility: Sendable {
    /// Which lists are behind.
    enum Search: String, Sendable {
        /// Those whose query speaks of names.
        case name
        /// Those whose query speaks of parents.
        case parent
        /// All.
        case any
    }

    private struct Rule {
        var search: Search
        var seconds: Int
        var lists: Int
    }

    private var rule: Rule?
    /// How often each new file is still to be left out.
    private var remaining: [String: Int] = [:]
    private var hiddenUntil: [String: Timestamp] = [:]

    /// Sets what happens to files made from now on: they are left out for some seconds and from some lists; zeros lift it.
    mutating func set(_ search: Search, seconds: Int, lists: Int) {
        rule = seconds > 0 || lists > 0 ? Rule(search: search, seconds: seconds, lists: lists) : nil
        if rule == nil {
            remaining = [:]
            hiddenUntil = [:]
        }
    }

    /// Notes a new file.
    mutating func add(_ id: String, now: Timestamp) {
        guard let rule else { return }
        if rule.lists > 0 { remaining[id] = rule.lists }
        if rule.seconds > 0 { hiddenUntil[id] = now.adding(seconds: rule.seconds) }
    }

    /// Whether a list with this query leaves out a file that it would hold otherwise.
    mutating func hides(_ id: String, query: DriveQuery?, now: Timestamp) -> Bool {
        guard let rule else { return false }
        switch rule.search {
        case .any: break
        case .name: guard query?.asksForName == true else { return false }
        case .parent: guard query?.asksForParent == true else { return false }
        }
        if let time = hiddenUntil[id] {
            if time > now { return true }
            hiddenUntil[id] = nil
        }
        guard let count = remaining[id], count > 0 else { return false }
        remaining[id] = count == 1 ? nil : count - 1
        return true
    }

    var json: JSON {
        guard let rule else { return ["search": "any", "seconds": 0, "lists": 0] }
        return ["search": .string(rule.search.rawValue), "seconds": JSON(rule.seconds), "lists": JSON(rule.lists)]
    }
}
