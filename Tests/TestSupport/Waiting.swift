/// A wait that ran into its limit.
public struct WaitedTooLong: Error, CustomStringConvertible {
    /// What was waited for, and what was seen last.
    public let description: String
}

/// Asks again and again until a condition holds, at most for some time.
public func wait(
    for what: String, within limit: Duration = .seconds(120), every pause: Duration = .milliseconds(10),
    seeing last: () async throws -> String = { "" }, until condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while ContinuousClock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: pause)
    }
    throw WaitedTooLong(description: "waited \(limit) for \(what); last seen: \(try await last())")
}
