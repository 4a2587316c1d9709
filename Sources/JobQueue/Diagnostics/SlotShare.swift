/// How many of the slots the jobs of one login have.
struct SlotShare {
    /// Its name; nil for all those whose jobs the reader may not see.
    let login: String?
    let running: Int

    /// Who has how many, such as `12 of 16 slots run jobs of the login nightly, 4 of api`.
    static func words(_ shares: [SlotShare], slots: Int) -> String {
        // Many have one each.
        let named = shares.prefix(5)
        var parts = named.enumerated().map { index, share in
            let login = share.login.map { index == 0 ? "the login \($0)" : $0 } ?? "other logins"
            return (index == 0 ? "\(share.running) of \(slots) slots run jobs of " : "\(share.running) of ") + login
        }
        let rest = shares.dropFirst(named.count).reduce(0) { $0 + $1.running }
        if rest > 0 { parts.append("\(rest) of others") }
        return parts.joined(separator: ", ")
    }

    /// That a login has all the slots that an operator leaves to it.
    static func ceiling(_ login: String, slots: Int) -> String {
        guard slots > 0 else {
            return "an operator lets no jobs of the login \(login) begin (sheetsync.limit_login sets it)"
        }
        let jobs = slots == 1 ? "1 job" : "\(slots) jobs"
        return "the login \(login) may have \(jobs) running at once over all workers, and has (an operator set that by "
            + "sheetsync.limit_login)"
    }
}

extension QueueReport {
    /// Who keeps jobs waiting that could run: the logins that fill all slots, and those that have as many as they may.
    func shares(slots: Int) -> [String] {
        let ceilings = logins.compactMap { login in
            login.hasWaiting && login.running >= login.slots ?? .max
                ? SlotShare.ceiling(login.login, slots: login.slots ?? 0) : nil
        }
        let holders = logins.filter { $0.running > 0 }.map { SlotShare(login: $0.login, running: $0.running) }
        let isFull = available > 0 && !holders.isEmpty && holders.reduce(0) { $0 + $1.running } >= slots
        return (isFull ? [SlotShare.words(holders, slots: slots)] : []) + ceilings
    }
}
