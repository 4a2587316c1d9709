/// A wait that ran into its limit.
public struct WaitedTooLong: Error, CustomStringConvertible {
    /// What was waited for, and what was seen last.
    public let description: String
}

/// Asks again and again until a condition holds, at most for some time; without a pause the less often the longer it waits.
public func wait(
    for what: String, within limit: Duration = .seconds(240), every pause: Duration? = nil,
    seeing last: () async throws -> String = { "" }, until condition: () async throws -> Bool
) async throws {
    let begin = ContinuousClock.now
    while ContinuousClock.now < begin + limit {
        if try await condition() { return }
        // So that those who wait take little from those who work: most of them ask the database.
        let growing = max(.milliseconds(20), min((.now - begin) / 8, .milliseconds(100)))
        try await Task.sleep(for: pause ?? growing)
    }
    throw WaitedTooLong(description: "waited \(limit) for \(what); last seen: \(try await last())")
}
